package import MediaModel
internal import Postgres

/// The pages of one selection, in the order of their numbers. The server works on the next page while the last one is taken
/// apart and used, so that neither waits for the other. Until the last page is taken, or this value is let go, nothing else
/// may be asked of the reader's session. Used on one thread.
package final class CatalogPages {
    /// Rows a page: what the server has ready fits into the socket, so that it does not wait for us in the middle of a page.
    package static let pageRows = 2000

    private let reader: CatalogReader
    private let query: CatalogPageQuery?
    private let limit: Int
    private var state = State.new

    private enum State {
        case new
        /// A page was asked for.
        case asked
        case ended
    }

    /// - Parameter query: nil where nothing is selected.
    init(_ reader: CatalogReader, _ query: CatalogPageQuery?, limit: Int) {
        self.reader = reader
        self.query = query
        self.limit = limit
    }

    deinit {
        // The session is another's when this one is gone.
        if state == .asked { _ = try? reader.connection.finish() }
    }

    /// The next page; nil behind the last one.
    package func next() throws(SyncError) -> [CatalogRow]? {
        guard let query, state != .ended else { return nil }
        do throws(DatabaseFault) {
            if state == .new { try ask(query, after: nil) }
            state = .ended
            let rows = try reader.connection.finish()
            if rows.count == limit, let last = query.last(of: rows) { try ask(query, after: last) }
            // Values are read where libpq has them.
            return withExtendedLifetime(rows) { reader.page(query, rows, limit: limit).rows }
        } catch {
            throw error.syncError("cannot read \(query.table.rawValue)")
        }
    }

    private func ask(_ query: CatalogPageQuery, after: Int64?) throws(DatabaseFault) {
        try reader.connection.start(query.statement, query.parameters(after: after, limit: limit))
        state = .asked
    }
}

/// The statement that reads one page: behind `$1`, at most `$2` rows.
struct CatalogPageQuery {
    let table: CatalogTable
    let attachments: [CatalogTable.Attachment]
    let statement: String
    /// Where the first page begins.
    var first = Int64.min

    func parameters(after: Int64?, limit: Int) -> [Parameter] {
        [.integer(max(first, after ?? Int64.min)), .integer(Int64(limit))]
    }

    /// The number of the last row.
    func last(of rows: Rows) -> Int64? { rows.count > 0 ? rows[rows.count - 1].integer(0) : nil }
}
