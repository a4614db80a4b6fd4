internal import MediaModel
internal import Pacing
internal import Postgres

/// Exchanges databases by their names: the one that comes takes the live name, the one that was live is kept. One
/// transaction, so that at every moment, and after every crash, exactly one of them is live.
struct Swap {
    /// Whose name is given to `incoming`; it need not exist.
    var live: String
    var incoming: String
    /// Where the live one goes.
    var previous: String
    /// What is written at the one that was live, and at the one that becomes it.
    var previousComment: String
    var liveComment: String?
    /// Sessions on the live database are ended.
    var force: Bool

    /// Does it. The rename itself locks the database: who connects meanwhile waits, and then meets the new one. Whoever is
    /// connected is waited for by the server, five seconds; with `force` they are ended within that time by a second
    /// session.
    func perform(_ administration: Administration) async throws(SyncError) {
        let found = try administration.database(live)
        if found != nil { try refuseSessions(administration) }
        guard let facts = found, force else {
            return try rename(administration.connection, administration.settings, replaced: found)
        }
        let settings = administration.settings
        let database = administration.connection.database
        let isDone = Flag()
        let (live, number) = (live, facts.number)
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let clearing = Task(executorPreference: pool) { () -> SyncError? in
            do throws(SyncError) {
                let helper = try Administration(settings.with(database: database))
                while !isDone.isSet {
                    try translate("cannot end the sessions of \(shown(live))") { () throws(DatabaseFault) in
                        try helper.terminate(sessionsOn: number)
                        _ = try helper.connection.query("SELECT pg_catalog.pg_sleep(0.05)")
                    }
                }
                return nil
            } catch { return error }
        }
        let renamed: SyncError?
        do throws(SyncError) {
            try rename(administration.connection, settings, replaced: facts)
            renamed = nil
        } catch { renamed = error }
        isDone.set()
        let cleared = await clearing.value
        if let renamed { throw cleared ?? renamed }
    }

    /// Nobody is connected, or may be ended.
    func refuseSessions(_ administration: Administration) throws(SyncError) {
        let sessions = try administration.sessions(on: live)
        if sessions.isEmpty || force { return }
        throw Self.refusal(live, sessions)
    }

    static func refusal(_ live: String, _ sessions: [SessionFacts]) -> SyncError {
        let listed = sessions.prefix(10).map(\.line).joined(separator: "; ")
        let more = sessions.count > 10 ? "; and \(sessions.count - 10) more" : ""
        return SyncError(
            .refused,
            "\(sessions.count) sessions are connected to the database \(shown(live))",
            why: listed + more,
            hint: "stop Mastodon (web, sidekiq, streaming, pgbouncer), or pass --force to end them at the swap"
        )
    }

    /// A connection that broke while it committed: the server knows which of the two happened.
    private func isDone(_ settings: ConnectionSettings) throws(SyncError) -> Bool {
        let again = try Administration(settings)
        let (old, new) = (try again.database(incoming), try again.database(live))
        return old == nil && new != nil
    }

    private func rename(
        _ connection: Connection,
        _ settings: ConnectionSettings,
        replaced: DatabaseFacts?
    ) throws(SyncError) {
        do throws(DatabaseFault) {
            try connection.execute("SET synchronous_commit = on")
            try connection.transaction { () throws(DatabaseFault) in
                for statement in statements(replaced: replaced) { try connection.execute(statement) }
            }
        } catch {
            if error.kind == .lost || error.kind == .terminated, try isDone(settings) { return }
            var fault = error.syncError("cannot swap the databases; \(shown(live)) is as it was")
            if error.kind == .inUse {
                fault.hint = "stop what is connected to it (Mastodon, monitoring), or pass --force"
            }
            throw fault
        }
    }

    private func statements(replaced: DatabaseFacts?) -> [String] {
        let incoming = SQL.identifier(incoming)
        let live = SQL.identifier(live)
        let previous = SQL.identifier(previous)
        var all: [String] = []
        if replaced != nil {
            all = [
                "ALTER DATABASE \(live) RENAME TO \(previous)",
                "ALTER DATABASE \(previous) WITH ALLOW_CONNECTIONS false",
                "COMMENT ON DATABASE \(previous) IS \(SQL.literal(previousComment))",
            ]
        }
        all += [
            "ALTER DATABASE \(incoming) RENAME TO \(live)",
            "ALTER DATABASE \(live) WITH ALLOW_CONNECTIONS true",
            "COMMENT ON DATABASE \(live) IS \(liveComment.map { SQL.literal($0) } ?? "NULL")",
        ]
        return all
    }
}
