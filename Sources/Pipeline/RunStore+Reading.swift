internal import Foundation
internal import GRDB
package import MediaModel

extension RunStore {
    /// The newest runs first.
    package func recentRuns(limit: Int = RunStore.runLimit) throws(SyncError) -> [RunRecord] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM runs ORDER BY started_at DESC, rowid DESC LIMIT ?",
                arguments: [limit]
            ).compactMap { try Self.record(db, $0) }
        }
    }

    /// How far a run was, from its begin to its end.
    package func samples(of run: RunID) throws(SyncError) -> [RunSample] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM samples WHERE run_id = ? ORDER BY at", arguments: [run.text])
                .map { RunSample(at: $0["at"], items: $0["items"], bytes: $0["bytes"]) }
        }
    }

    /// The tables of a run's report.
    package func sections(of run: RunID) throws(SyncError) -> [ReportSection] {
        try read { db in
            try String.fetchAll(
                db,
                sql: "SELECT section FROM sections WHERE run_id = ? ORDER BY position",
                arguments: [run.text]
            ).compactMap { try? JSONDecoder().decode(ReportSection.self, from: Data($0.utf8)) }
        }
    }

    /// The runs whose process is alive.
    package func runningRuns() throws(SyncError) -> [RunRecord] {
        try recentRuns(limit: .max).filter { $0.state == .running }
    }

    /// One run; nil where it is not known (any more).
    package func run(_ id: RunID) throws(SyncError) -> RunRecord? {
        try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM runs WHERE id = ?", arguments: [id.text])
                .flatMap { try Self.record(db, $0) }
        }
    }

    /// When a run of the command last ended with exit status 0: for the metrics.
    package func lastSuccess(of command: String) throws(SyncError) -> Int64? {
        try read { db in
            try Int64.fetchOne(
                db,
                sql: "SELECT MAX(ended_at) FROM runs WHERE command = ? AND exit_status = 0",
                arguments: [command]
            )
        }
    }

    /// A page of a run's failures, in the order they happened.
    package struct FailurePage: Sendable, Equatable {
        package var failures: [FailureRecord]
        /// Where the next page begins; nil after the last.
        package var next: Int64?
    }

    /// Reads failures page by page.
    /// - Parameter after: `next` of the page before; 0 for the first.
    package func failures(of run: RunID, after: Int64 = 0, limit: Int = 1_000) throws(SyncError) -> FailurePage {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT * FROM failures WHERE run_id = ? AND id > ? ORDER BY id LIMIT ?",
                arguments: [run.text, after, limit]
            )
            let failures = rows.map { row in
                FailureRecord(
                    path: BytePath(bytes: Array(row["path"] as Data)),
                    kind: EntryKind(rawValue: UInt8(clamping: row["kind"] as Int)) ?? .file,
                    code: row["code"],
                    what: row["what"],
                    why: row["why"],
                    hint: row["hint"],
                    at: row["at"]
                )
            }
            return FailurePage(failures: failures, next: rows.count == limit ? rows.last?["id"] : nil)
        }
    }

    /// The state a row says, or `died` where it says running and its process is gone.
    static func liveState(of row: Row) -> RunRecord.State {
        let state = RunRecord.State(rawValue: row["state"]) ?? .failed
        guard state == .running else { return state }
        let process = ProcessIdentity(pid: row["pid"], startTicks: row["process_start"], bootID: row["boot_id"])
        return process.isAlive ? .running : .died
    }

    private static func record(_ db: Database, _ row: Row) throws -> RunRecord? {
        guard let id = RunID(row["id"] as String) else { return nil }
        let arguments = try? JSONDecoder().decode([String].self, from: Data((row["arguments"] as String).utf8))
        var record = RunRecord(
            id: id,
            command: row["command"],
            arguments: arguments ?? [],
            source: row["source"],
            target: row["target"],
            pid: row["pid"],
            startedAt: row["started_at"],
            endedAt: row["ended_at"],
            exitStatus: row["exit_status"],
            state: liveState(of: row),
            counts: CountsText.decode(row["counts"])
        )
        record.heardAt = row["heard_at"]
        record.share = row["share"]
        record.failuresDropped = row["failures_dropped"]
        record.failuresKept =
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM failures WHERE run_id = ?", arguments: [id.text]) ?? 0
        record.stages = try Row.fetchAll(
            db,
            sql: "SELECT * FROM stages WHERE run_id = ? ORDER BY position",
            arguments: [id.text]
        ).map { RunRecord.Stage(name: $0["name"], startedAt: $0["started_at"], endedAt: $0["ended_at"]) }
        return record
    }
}
