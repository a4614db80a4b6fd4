package import MediaModel
internal import Postgres

/// What the rows of one selection have files of, page by page, in the order of their numbers. The server works on the next
/// page while the last one is used, and copies it out in binary, which is taken apart in less than half the time of values in
/// text. Until the last page is taken, or this value is let go, nothing else may be asked of the reader's session. Used on one
/// thread.
package final class MediaPages {
    private let reader: CatalogReader
    private let selection: CatalogSelection?
    private let limit: Int
    private let start: Int64?
    /// Rows of the page that is asked for.
    private var size: Int
    private var state = State.new

    private enum State {
        case new
        /// A page was asked for.
        case asked
        /// And taken from the server, but by nobody yet.
        case taken(Result<Copied, DatabaseFault>)
        case ended
    }

    private struct Copied {
        let media: MediaPage
        let rows: Int
        let last: Int64
    }

    /// - Parameters:
    ///   - selection: nil where nothing is selected.
    ///   - after: rows up to this number are passed over.
    ///   - first: rows of the first page; each has twice as many as the one before, up to the limit.
    init(_ reader: CatalogReader, _ selection: CatalogSelection?, after: Int64?, first: Int, limit: Int) {
        self.reader = reader
        self.selection = selection
        self.limit = limit
        start = after
        size = min(first, limit)
    }

    deinit {
        // The session is another's when this one is gone.
        if case .asked = state { try? reader.connection.finishCopyOut { _ in } }
    }

    /// The next page; nil behind the last one.
    package func next() throws(SyncError) -> MediaPage? {
        guard let selection else { return nil }
        do throws(DatabaseFault) {
            guard let page = try takePage(selection) else { return nil }
            if page.rows == size {
                size = min(limit, 2 * size)
                try ask(selection, after: page.last)
            }
            return page.media
        } catch {
            throw error.syncError("cannot read \(selection.table.rawValue)")
        }
    }

    /// Takes the page that was asked for from the server, for whoever calls `next`: to be called before a long wait, so that no
    /// statement waits for us there.
    package func takeAhead() {
        guard let selection, case .asked = state else { return }
        state = .taken(Result { () throws(DatabaseFault) in try copy(selection) })
    }

    /// The page that was asked for, or the first one; nil behind the last one. Nothing is asked for then.
    private func takePage(_ selection: CatalogSelection) throws(DatabaseFault) -> Copied? {
        if case .new = state { try ask(selection, after: start) }
        let asked = state
        state = .ended
        switch asked {
        case .new, .asked: return try copy(selection)
        case .taken(let page): return try page.get()
        case .ended: return nil
        }
    }

    private func ask(_ selection: CatalogSelection, after: Int64?) throws(DatabaseFault) {
        try reader.connection.startCopyOut(selection.copyStatement(after: after, limit: size))
        state = .asked
    }

    private func copy(_ selection: CatalogSelection) throws(DatabaseFault) -> Copied {
        var media = MediaPage.Builder(capacity: size)
        var rows = BinaryCopy(columns: selection.columnCount)
        var (count, last) = (0, Int64.min)
        try reader.connection.finishCopyOut { (piece) throws(DatabaseFault) in
            guard var row = try rows.row(in: piece) else { return }
            last = try media.append(selection.attachments, &row)
            count += 1
        }
        return Copied(media: MediaPage(media), rows: count, last: last)
    }
}

extension MediaPage.Builder {
    /// Adds what a row has files of. Returns its number.
    fileprivate mutating func append(
        _ attachments: [CatalogTable.Attachment],
        _ row: inout BinaryRow
    ) throws(DatabaseFault) -> Int64 {
        let id = try row.integer() ?? 0
        let isRemote = try row.isTrue()
        for attachment in attachments {
            let (name, type) = (try row.bytes(), try row.bytes())
            let (byteCount, version) = (try row.integer(), try row.integer())
            // Most attachments have no thumbnail, and many accounts no header.
            guard let name, !name.allSatisfy(CatalogReader.isBlank) else { continue }
            append(
                attachment.kind,
                rowID: id,
                isRemote: isRemote,
                name: name,
                type: type,
                byteCount: byteCount,
                storageVersion: version ?? 0
            )
        }
        return id
    }
}
