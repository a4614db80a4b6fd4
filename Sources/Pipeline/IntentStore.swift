internal import Foundation
internal import GRDB
package import MediaModel

/// The intents of one database and one media root, kept beside the memory of runs. Unlike that, an intent is on the disk
/// when `open` returns: this connection flushes each transaction.
package final class IntentStore: IntentLog {
    private let store: RunStore
    /// Whose intents they are: those of another database or root are not seen.
    private let scope: String

    /// - Parameters:
    ///   - directory: where run state is kept.
    ///   - scope: names the database and the media root.
    package init(directory: String, scope: String) throws(SyncError) {
        store = try RunStore(directory: directory)
        self.scope = scope
        do {
            try store.queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        } catch {
            throw RunStore.translate(error, path: store.path)
        }
    }

    package func open(_ intents: [RemovalIntent]) throws(SyncError) -> Int64 {
        try store.write { db in
            try db.execute(sql: "INSERT INTO intents (scope) VALUES (?)", arguments: [scope])
            let number = db.lastInsertedRowID
            let statement = try db.cachedStatement(
                sql: "INSERT INTO intent_rows (intent, position, table_name, row_id, path) VALUES (?, ?, ?, ?, ?)"
            )
            var position = 0
            for intent in intents {
                for path in intent.paths {
                    try statement.execute(arguments: [number, position, intent.table, intent.id, Data(path.bytes)])
                    position += 1
                }
            }
            return number
        }
    }

    /// Not flushed: where a power cut opens it again, the next run finds it done.
    package func close(_ number: Int64) throws(SyncError) {
        do {
            try store.queue.inDatabase { db in
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                defer { try? db.execute(sql: "PRAGMA synchronous = FULL") }
                try db.inTransaction(.immediate) {
                    try db.execute(
                        sql: "DELETE FROM intents WHERE number = ? AND scope = ?",
                        arguments: [number, scope]
                    )
                    return .commit
                }
            }
        } catch {
            throw RunStore.translate(error, path: store.path)
        }
    }

    package func pending(after number: Int64) throws(SyncError) -> (number: Int64, intents: [RemovalIntent])? {
        try store.read { db in
            let next = try Int64.fetchOne(
                db,
                sql: "SELECT number FROM intents WHERE scope = ? AND number > ? ORDER BY number LIMIT 1",
                arguments: [scope, number]
            )
            guard let next else { return nil }
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT table_name, row_id, path FROM intent_rows WHERE intent = ? ORDER BY position",
                arguments: [next]
            )
            var intents: [RemovalIntent] = []
            for row in rows {
                let (table, id, path): (String, Int64, Data) = (row[0], row[1], row[2])
                if intents.last?.table != table || intents.last?.id != id {
                    intents.append(RemovalIntent(table: table, id: id, paths: []))
                }
                intents[intents.count - 1].paths.append(BytePath(bytes: Array(path)))
            }
            return (next, intents)
        }
    }
}
