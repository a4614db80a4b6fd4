internal import Dumps
internal import MediaModel
internal import Postgres

/// How sessions of a stage are opened: as the plain role that owns it, with settings for loading, known to whoever may
/// have to end them.
struct StageSession: Sendable {
    let settings: ConnectionSettings
    /// The role that everything belongs to; nil where the session's own is it.
    let role: String?
    /// Memory of one session for sorting.
    let memoryMebibytes: Int
    let cancellers: CancellerList

    /// Opens one. `synchronous_commit` is off: the swap's own commit flushes everything before it.
    func open() throws(DatabaseFault) -> Connection {
        let connection = try Connection(settings, application: "mediasync restore")
        cancellers.add(connection.canceller)
        var statements = [
            "SET synchronous_commit = off",
            "SET maintenance_work_mem = '\(memoryMebibytes)MB'",
            "SET max_parallel_maintenance_workers = 0",
            "SET statement_timeout = 0",
            "SET lock_timeout = 0",
            "SET idle_in_transaction_session_timeout = 0",
            "SET client_min_messages = warning",
        ]
        if let role { statements.append("SET ROLE \(SQL.identifier(role))") }
        for statement in statements { try connection.execute(statement) }
        return connection
    }
}
