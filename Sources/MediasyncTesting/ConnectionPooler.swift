internal import Glibc
internal import MediaModel

/// Debian's pgbouncer in front of a cluster, in transaction mode: each transaction may get another session of the server.
/// It ends with the value, and with the test's process.
package final class ConnectionPooler: Sendable {
    private let directory: TemporaryDirectory
    private let supervisor: Supervisor
    private let user: String
    /// What `DB_HOST` and `DB_PORT` are set to.
    package let socketDirectory: String
    package let port = 6432

    /// - Parameters:
    ///   - user: whom the pooler connects as, whoever asks.
    ///   - sessions: connections to the server for each database; fewer than clients, so that clients share them.
    package init(_ cluster: PostgresCluster, user: String, sessions: Int = 3) throws {
        directory = try TemporaryDirectory()
        // It knows no SIGQUIT before 1.23, and what a shell starts in the background ignores that.
        supervisor = Supervisor(litter: [directory.path.description], stopSignal: "TERM")
        socketDirectory = directory.path.description
        self.user = user
        let settings = """
            [databases]
            * = host=\(cluster.socketDirectory) port=\(cluster.port)
            [pgbouncer]
            listen_addr =
            listen_port = \(port)
            unix_socket_dir = \(directory.path)
            auth_type = trust
            auth_file = \(directory.path / "users")
            pool_mode = transaction
            default_pool_size = \(sessions)
            max_client_conn = 100
            ignore_startup_parameters =
            logfile =
            pidfile =

            """
        try Disk.write(directory.path / "pgbouncer.ini", settings)
        try Disk.write(directory.path / "users", "\"\(user)\" \"\"\n\"\(cluster.superuser)\" \"\"\n")
        var command = ["pgbouncer", (directory.path / "pgbouncer.ini").description]
        if geteuid() == 0 {
            // It refuses to run as root.
            try Disk.setOwner(directory.path, Self.nobody, Self.nobody)
            command = ["setpriv", "--reuid=\(Self.nobody)", "--regid=\(Self.nobody)", "--clear-groups", "--"] + command
        }
        let log = directory.path / "log"
        try supervisor.start(command, log: log)
        // Its socket has a name a moment before it listens.
        guard RunningProgram.eventually(within: 30, { (try? sql("SELECT 1", database: "postgres")) != nil }) else {
            throw TestFault("pgbouncer did not start: \((try? Disk.text(log)) ?? "")")
        }
    }

    private static let nobody: UInt32 = 65_534

    /// Runs statements through the pooler, as `PostgresCluster.sql` does.
    package func sql(_ statements: String, database: String) throws -> String {
        var psql = Program("psql")
        psql.environment = [
            "PGHOST": socketDirectory, "PGPORT": "\(port)", "PGUSER": user, "PGDATABASE": database, "PGOPTIONS": "",
        ]
        return try psql.check(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements]).text
    }
}

extension Requirement {
    package static let hasPooler = hasPostgres && has("pgbouncer")
}
