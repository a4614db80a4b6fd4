internal import GRDB
package import MediaModel
package import Running

/// How far the move of one server came: of one dump and one set of media to one database and one media root. Another dump is
/// another move, which begins at its beginning.
package final class MigrationStore: StageJournal {
    /// A move that began.
    package struct Migration: Sendable, Equatable {
        /// The run that began it.
        package var run: RunID
        /// Seconds since 1970.
        package var beganAt: Int64
        /// The dump's age, as its newest post tells it: seconds since 1970; nil until the database is there.
        package var moment: Int64?
        /// Every stage that began.
        package var stages: [String: Stage] = [:]

        package func isDone(_ stage: String) -> Bool { stages[stage]?.isDone == true }
    }

    package struct Stage: Sendable, Equatable {
        /// The run that began it last.
        package var run: RunID
        package var isDone: Bool
    }

    private let store: RunStore
    private let scope: String
    private let run: RunID
    private let wallClock: @Sendable () -> Int64

    /// - Parameters:
    ///   - directory: where run state is kept.
    ///   - scope: names the database, the media root, the dump as it is now, and where the media come from.
    ///   - run: this run.
    ///   - wallClock: seconds since 1970.
    package init(
        directory: String,
        scope: String,
        run: RunID,
        wallClock: @escaping @Sendable () -> Int64
    ) throws(SyncError) {
        store = try RunStore(directory: directory)
        self.scope = scope
        self.run = run
        self.wallClock = wallClock
        do {
            // A stage that is done must not be done again: that may undo what happened since.
            try store.queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        } catch {
            throw RunStore.translate(error, path: store.path)
        }
    }

    /// The move as far as it came; nil where it never began.
    package func migration() throws(SyncError) -> Migration? {
        try store.read { db in
            guard
                let row = try Row.fetchOne(db, sql: "SELECT * FROM migrations WHERE scope = ?", arguments: [scope]),
                let run = RunID(row["run_id"] as String)
            else { return nil }
            var migration = Migration(run: run, beganAt: row["began_at"], moment: row["moment"])
            let stages = try Row.fetchAll(
                db,
                sql: "SELECT * FROM migration_stages WHERE scope = ?",
                arguments: [scope]
            )
            for stage in stages {
                guard let run = RunID(stage["run_id"] as String) else { continue }
                let endedAt: Int64? = stage["ended_at"]
                migration.stages[stage["stage"]] = Stage(run: run, isDone: endedAt != nil)
            }
            return migration
        }
    }

    /// Begins the move where it has not begun, and forgets that these stages are done.
    /// - Parameter again: those that are run whether they were done or not.
    package func begin(again: [String]) throws(SyncError) {
        try store.write { db in
            try db.execute(
                sql: "INSERT INTO migrations (scope, run_id, began_at) VALUES (?, ?, ?) ON CONFLICT (scope) DO NOTHING",
                arguments: [scope, run.text, wallClock()]
            )
            for stage in again {
                try db.execute(
                    sql: "DELETE FROM migration_stages WHERE scope = ? AND stage = ?",
                    arguments: [scope, stage]
                )
            }
        }
    }

    /// Forgets the move: the next one begins at its beginning.
    package func forget() throws(SyncError) {
        try store.write { db in
            try db.execute(sql: "DELETE FROM migration_stages WHERE scope = ?", arguments: [scope])
            try db.execute(sql: "DELETE FROM migrations WHERE scope = ?", arguments: [scope])
        }
    }

    /// Notes the dump's age, which is not the newest post's any more once Mastodon runs.
    package func set(moment: Int64) throws(SyncError) {
        try store.write { db in
            try db.execute(sql: "UPDATE migrations SET moment = ? WHERE scope = ?", arguments: [moment, scope])
        }
    }

    /// Notes that a stage is done that an earlier run did without living to say so.
    package func conclude(_ stage: String) throws(SyncError) {
        try store.write { db in
            try db.execute(
                sql: "UPDATE migration_stages SET ended_at = ?, exit_status = 0 WHERE scope = ? AND stage = ?",
                arguments: [wallClock(), scope, stage]
            )
        }
    }

    package func begin(_ stage: String) throws(SyncError) {
        try store.write { db in
            try db.execute(
                sql: """
                    INSERT INTO migration_stages (scope, stage, run_id) VALUES (?, ?, ?)
                    ON CONFLICT (scope, stage) DO UPDATE SET run_id = excluded.run_id, ended_at = NULL, exit_status = NULL
                    """,
                arguments: [scope, stage, run.text]
            )
        }
    }

    package func end(_ stage: String, _ result: RunResult) throws(SyncError) {
        try store.write { db in
            try db.execute(
                sql: "UPDATE migration_stages SET ended_at = ?, exit_status = ? WHERE scope = ? AND stage = ?",
                arguments: [wallClock(), result.exitStatus.rawValue, scope, stage]
            )
        }
    }
}
