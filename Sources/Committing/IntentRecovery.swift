package import Catalog
package import MediaModel
package import Storage

/// Finishes what an earlier run wrote down and did not end: files that their row does not name any more, or does not name
/// yet, are removed; where it names them they stay. Doing it twice does no harm.
package struct IntentRecovery {
    private let store: any MediaStore
    private let intents: any IntentLog
    private let reader: CatalogReader
    private let sink: EventSink
    private let reportsEveryItem: Bool

    /// What was found and removed.
    package struct Result: Sendable {
        package var files = 0
        package var bytes: Int64 = 0
        /// Files that could not be removed; their intents stay open.
        package var failed = 0
    }

    package init(
        store: any MediaStore,
        intents: any IntentLog,
        reader: CatalogReader,
        sink: @escaping EventSink,
        reportsEveryItem: Bool
    ) {
        self.store = store
        self.intents = intents
        self.reader = reader
        self.sink = sink
        self.reportsEveryItem = reportsEveryItem
    }

    /// Finishes every open intent. The caller holds the locks of the database and the store.
    package func run() throws(SyncError) -> Result {
        var result = Result()
        var last: Int64 = -1
        while let (number, open) = try intents.pending(after: last) {
            last = number
            let failed = result.failed
            try finish(open, &result)
            if result.failed == failed { try intents.close(number) }
        }
        return result
    }

    private func finish(_ open: [RemovalIntent], _ result: inout Result) throws(SyncError) {
        for table in CatalogTable.allCases {
            let mine = open.filter { $0.table == table.rawValue }
            guard !mine.isEmpty else { continue }
            let rows = try reader.rows(table, ids: mine.map(\.id))
            for intent in mine {
                let named = Set(
                    rows[intent.id]?.media.flatMap { media in media.styles.map { media.path(of: $0) } } ?? []
                )
                for path in intent.paths where !named.contains(path) { remove(path, &result) }
            }
        }
    }

    private func remove(_ path: BytePath, _ result: inout Result) {
        do throws(FileFault) {
            guard let size = try store.remove(path) else { return }
            result.files += 1
            result.bytes += size
            if reportsEveryItem {
                sink(.item(ItemEvent(path: path, kind: .file, outcome: .deleted, bytes: size)))
            }
        } catch {
            result.failed += 1
            sink(.item(ItemEvent(path: path, kind: .file, outcome: .failed(error.syncError("cannot remove \(path)")))))
        }
    }
}
