internal import Catalog
internal import MediaModel
internal import Pacing
internal import Running

/// Reads the rows whose files are looked at and hands them to the workers, a part of a page at a time. On a thread of its own.
///
/// Local rows come first, because nobody else has their files, and the server needs as long to find that there are none as to
/// read them all. So in the first seconds all rows are read as they come, and what is found of other servers' files is told
/// when the local ones are through. A store that takes longer is left to its local rows then; the other rows are read behind
/// them, from where both were left.
struct StoreReading {
    enum Job: Sendable {
        case look(StoreComparison.Batch)
        /// All local rows were handed out before this.
        case tellRemote
    }

    /// What is still to be read of a table.
    private struct Rest {
        let table: CatalogTable
        /// Rows up to this number were read.
        var after: Int64?
    }

    /// How long other servers' files may be looked at while local rows are still sought.
    private static let togetherNanoseconds: Int64 = 5_000_000_000
    /// Rows of a table's first page: the workers have something to do soon.
    private static let firstPageRows = 1_000
    /// Rows of later ones: a statement costs the server as much as some hundred rows.
    private static let pageRows = 8_000

    let reader: CatalogReader
    let kinds: Set<MediaKind>
    /// Nil for both halves.
    let remote: Bool?
    let since: AgeLimit?
    /// Rows of a job.
    let batchRows: Int
    let queue: BoundedQueue<Job>
    let report: StoreReport
    let control: RunControl
    let now: @Sendable () -> Int64

    /// - Parameter together: whether both halves may be read together at first.
    func run(together: Bool) throws(SyncError) {
        var rest = CatalogTable.allCases.map { Rest(table: $0) }
        if together { rest = try readTogether(rest) }
        for half in [false, true] where remote == nil || remote == half {
            if half, !queue.offer(.tellRemote) { return }
            for part in rest { _ = try read(part, remote: half) { true } }
        }
    }

    /// Reads rows of both halves as they come. Returns what it left.
    private func readTogether(_ all: [Rest]) throws(SyncError) -> [Rest] {
        let deadline = now() + Self.togetherNanoseconds
        for (index, part) in all.enumerated() {
            if let rest = try read(part, remote: nil, { now() < deadline && !report.isFull }) {
                return [rest] + all[(index + 1)...]
            }
        }
        return []
    }

    /// Reads a table as long as `goesOn` says so, which is asked before each page. Returns what is left of it; nil where
    /// nothing is.
    private func read(_ part: Rest, remote: Bool?, _ goesOn: () -> Bool) throws(SyncError) -> Rest? {
        var rest = part
        let scope = CatalogReader.Scope(kinds: kinds, remote: remote, since: since)
        let pages = reader.mediaPages(
            part.table,
            scope,
            after: part.after,
            first: Self.firstPageRows,
            limit: Self.pageRows
        )
        while !control.shouldStop {
            guard goesOn() else { return rest }
            guard let page = try pages.next() else { return nil }
            for first in stride(from: 0, to: page.count, by: batchRows) {
                let range = first..<min(first + batchRows, page.count)
                // The workers may need long: what the server has ready is taken, so that it does not wait for them.
                if queue.count == queue.capacity { pages.takeAhead() }
                guard queue.offer(.look(StoreComparison.Batch(page: page, range: range))) else { return nil }
            }
            rest.after = page.entries.last?.rowID ?? rest.after
        }
        return nil
    }
}
