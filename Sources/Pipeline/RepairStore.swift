internal import GRDB
package import MediaModel

/// Which repairs of one database and media root found nothing to repair.
package struct RepairStore: Sendable {
    /// Older ones say nothing about today.
    private static let kept = 100

    private let store: RunStore
    private let scope: String

    /// - Parameters:
    ///   - directory: where run state is kept.
    ///   - scope: names the database and the media root.
    package init(directory: String, scope: String) throws(SyncError) {
        store = try RunStore(directory: directory)
        self.scope = scope
    }

    /// Notes how a repair ended.
    /// - Returns: how many in a row, this one included, found nothing.
    package func record(_ run: RunID, isClean: Bool, at moment: Int64) throws(SyncError) -> Int {
        try store.write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO repairs (scope, run_id, at, is_clean) VALUES (?, ?, ?, ?)",
                arguments: [scope, run.text, moment, isClean]
            )
            try db.execute(
                sql: """
                    DELETE FROM repairs WHERE scope = ?1 AND run_id NOT IN
                        (SELECT run_id FROM repairs WHERE scope = ?1 ORDER BY rowid DESC LIMIT ?2)
                    """,
                arguments: [scope, Self.kept]
            )
            let states = try Bool.fetchAll(
                db,
                // Several may end within one second: their order is that in which they were written.
                sql: "SELECT is_clean FROM repairs WHERE scope = ? ORDER BY rowid DESC",
                arguments: [scope]
            )
            return states.prefix { $0 }.count
        }
    }
}
