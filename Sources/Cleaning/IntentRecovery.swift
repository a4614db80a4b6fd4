internal import Catalog
internal import MediaModel
internal import Storage

/// Finishes what an earlier run wrote down and did not end: files that their row does not name any more are removed; where
/// it still does, or names them again, they stay. Doing it twice does no harm.
struct IntentRecovery {
    let store: any MediaStore
    let intents: any IntentLog
    let reader: CatalogReader
    let ledger: CleanupLedger
    let sink: EventSink
    let reportsEveryItem: Bool

    func run() throws(SyncError) {
        var last: Int64 = -1
        while let (number, open) = try intents.pending(after: last) {
            last = number
            if try finish(open) { try intents.close(number) }
        }
    }

    /// False where a file could not be removed: the intent stays.
    private func finish(_ open: [RemovalIntent]) throws(SyncError) -> Bool {
        var isDone = true
        for table in CatalogTable.allCases {
            let mine = open.filter { $0.table == table.rawValue }
            guard !mine.isEmpty else { continue }
            let rows = try reader.rows(table, ids: mine.map(\.id))
            for intent in mine {
                let named = Set(
                    rows[intent.id]?.media.flatMap { media in media.styles.map { media.path(of: $0) } } ?? []
                )
                for path in intent.paths where !named.contains(path) {
                    if !remove(path) { isDone = false }
                }
            }
        }
        return isDone
    }

    private func remove(_ path: BytePath) -> Bool {
        do throws(FileFault) {
            guard let size = try store.remove(path) else { return true }
            ledger.deleted(files: 1, bytes: size)
            if reportsEveryItem {
                sink(.item(ItemEvent(path: path, kind: .file, outcome: .deleted, bytes: size)))
            }
            return true
        } catch {
            ledger.deleteFailed()
            sink(.item(ItemEvent(path: path, kind: .file, outcome: .failed(error.syncError("cannot remove \(path)")))))
            return false
        }
    }
}
