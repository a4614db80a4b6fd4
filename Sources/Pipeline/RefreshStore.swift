internal import GRDB
package import MediaModel

/// What refreshes of one database remember, kept beside the memory of runs.
package final class RefreshStore: RefreshMemory {
    private let store: RunStore
    /// Whose memory it is: that of another database is not seen.
    private let scope: String

    /// - Parameters:
    ///   - directory: where run state is kept.
    ///   - scope: names the database and the media root.
    package init(directory: String, scope: String) throws(SyncError) {
        store = try RunStore(directory: directory)
        self.scope = scope
    }

    package func gone(since moment: Int64) throws(SyncError) -> Set<MediaReference> {
        try select("ending = ? AND at >= ?", [RefreshEnding.Kind.gone.rawValue, moment])
    }

    package func failed() throws(SyncError) -> Set<MediaReference> {
        try select("ending = ?", [RefreshEnding.Kind.failed.rawValue])
    }

    private func select(_ condition: String, _ values: StatementArguments) throws(SyncError) -> Set<MediaReference> {
        try store.read { db in
            let arguments: StatementArguments = [scope]
            let rows = try Row.fetchCursor(
                db,
                sql: "SELECT kind, row_id FROM refresh_endings WHERE scope = ? AND \(condition)",
                arguments: arguments + values
            )
            var found: Set<MediaReference> = []
            while let row = try rows.next() { found.insert(MediaReference(kind: row[0], id: row[1])) }
            return found
        }
    }

    package func record(_ endings: [RefreshEnding], at moment: Int64) throws(SyncError) {
        guard !endings.isEmpty else { return }
        try store.write { db in
            let forget = try db.cachedStatement(
                sql: "DELETE FROM refresh_endings WHERE scope = ? AND kind = ? AND row_id = ?"
            )
            let keep = try db.cachedStatement(
                sql: """
                    INSERT INTO refresh_endings (scope, kind, row_id, ending, at) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (scope, kind, row_id) DO UPDATE SET ending = excluded.ending, at = excluded.at
                    """
            )
            for ending in endings {
                if ending.kind == .fetched {
                    try forget.execute(arguments: [scope, ending.media.kind, ending.media.id])
                } else {
                    try keep.execute(
                        arguments: [scope, ending.media.kind, ending.media.id, ending.kind.rawValue, moment]
                    )
                }
            }
        }
    }
}
