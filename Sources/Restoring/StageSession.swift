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

    private var loadSettings: [(name: String, value: String)] {
        [
            ("synchronous_commit", "off"), ("maintenance_work_mem", "\(memoryMebibytes)MB"),
            ("max_parallel_maintenance_workers", "0"), ("statement_timeout", "0"), ("lock_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"), ("client_min_messages", "warning"),
        ]
    }

    /// The same settings for PostgreSQL's own programs, as `PGOPTIONS`.
    var settingsForPrograms: String {
        loadSettings.map { "-c \($0.name)=\($0.value)" }.joined(separator: " ")
    }

    /// Opens one. `synchronous_commit` is off: the swap's own commit flushes everything before it.
    func open() throws(DatabaseFault) -> Connection {
        let connection = try Connection(settings, application: "mediasync restore")
        cancellers.add(connection.canceller)
        var statements = loadSettings.map { "SET \($0.name) = \(SQL.literal($0.value))" }
        if let role { statements.append("SET ROLE \(SQL.identifier(role))") }
        for statement in statements { try connection.execute(statement) }
        return connection
    }
}
