internal import Foundation
internal import GRDB
package import MediaModel

extension RunStore {
    /// Notes that a run began, and forgets the oldest runs. `state`, `counts` and the end are not taken from the record.
    package func begin(_ run: RunRecord, process: ProcessIdentity = .current) throws(SyncError) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO runs (id, command, arguments, source, target, pid, process_start, boot_id, started_at, heard_at, state)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run.id.text, run.command, JSONText.encode(run.arguments), run.source, run.target, process.pid,
                    process.startTicks, process.bootID, run.startedAt, run.startedAt, RunRecord.State.running.rawValue,
                ]
            )
        }
        try prune()
    }

    /// Notes that a stage begins; the one before ends.
    package func beginStage(_ name: String, of run: RunID, at now: Int64) throws(SyncError) {
        try write { db in
            try Self.endStage(db, run: run, at: now)
            try db.execute(
                sql: """
                    INSERT INTO stages (run_id, position, name, started_at)
                    SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ? FROM stages WHERE run_id = ?
                    """,
                arguments: [run.text, name, now, run.text]
            )
        }
    }

    /// Adds failures and the numbers so far, in one transaction.
    package func record(
        _ failures: [FailureRecord],
        dropped: Int,
        counts: Counts?,
        share: Double? = nil,
        of run: RunID,
        at now: Int64
    ) throws(SyncError) {
        try write { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO failures (run_id, path, kind, code, what, why, hint, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """
            )
            for failure in failures {
                try statement.execute(arguments: [
                    run.text, Data(failure.path.bytes), Int(failure.kind.rawValue), failure.code, failure.what,
                    failure.why, failure.hint, failure.at,
                ])
            }
            try db.execute(
                sql: """
                    UPDATE runs SET failures_dropped = ?, counts = COALESCE(?, counts), share = ?, heard_at = ? WHERE id = ?
                    """,
                arguments: [dropped, counts.map(CountsText.encode), share, now, run.text]
            )
        }
    }

    /// Adds samples of a run; those of a moment that has one are not kept.
    /// - Parameter replacing: they are all there are.
    package func add(_ samples: [RunSample], replacing: Bool, of run: RunID) throws(SyncError) {
        try write { db in
            if replacing { try db.execute(sql: "DELETE FROM samples WHERE run_id = ?", arguments: [run.text]) }
            let statement = try db.cachedStatement(
                sql: "INSERT OR IGNORE INTO samples (run_id, at, items, bytes) VALUES (?, ?, ?, ?)"
            )
            for sample in samples {
                try statement.execute(arguments: [run.text, sample.at, sample.items, sample.bytes])
            }
        }
    }

    /// Notes how a run ended, with the tables of its report.
    package func finish(
        _ run: RunID,
        status: ExitStatus,
        counts: Counts,
        sections: [ReportSection] = [],
        at now: Int64
    ) throws(SyncError) {
        try write { db in
            try Self.endStage(db, run: run, at: now)
            try db.execute(
                sql: "UPDATE runs SET ended_at = ?, heard_at = ?, exit_status = ?, state = ?, counts = ? WHERE id = ?",
                arguments: [
                    now, now, status.rawValue, RunRecord.State(endedWith: status).rawValue, CountsText.encode(counts),
                    run.text,
                ]
            )
            for (position, section) in sections.prefix(Self.sectionsMax).enumerated() {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO sections (run_id, position, section) VALUES (?, ?, ?)",
                    arguments: [run.text, position, JSONText.encode(section)]
                )
            }
        }
    }

    private static func endStage(_ db: Database, run: RunID, at now: Int64) throws {
        try db.execute(
            sql: "UPDATE stages SET ended_at = ? WHERE run_id = ? AND ended_at IS NULL",
            arguments: [now, run.text]
        )
    }

    /// Forgets all but the newest runs, with their failures. A run whose process is alive stays.
    package func prune(keeping limit: Int = RunStore.runLimit) throws(SyncError) {
        try write { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT * FROM runs ORDER BY started_at DESC, rowid DESC LIMIT -1 OFFSET ?",
                arguments: [limit]
            )
            for row in rows where Self.liveState(of: row) != .running {
                try db.execute(sql: "DELETE FROM runs WHERE id = ?", arguments: [row["id"] as String])
            }
        }
    }
}
