internal import Glibc
package import MediaModel

/// A PostgreSQL server of its own in a temporary directory, reached by a socket there. It never is one that was here
/// before. It ends with the value, and with the test's process, however that ends: a supervisor waits for a pipe to close.
package final class PostgresCluster: Sendable {
    /// Where Debian keeps the newest server's programs; nil where there are none.
    package static let programs: BytePath? = {
        let root = BytePath("/usr/lib/postgresql")
        let versions = ((try? Disk.names(in: root)) ?? []).compactMap { Int($0.description) }.sorted()
        return versions.last { Disk.exists(root / "\($0)" / "bin" / "initdb") }.map { root / "\($0)" / "bin" }
    }()

    private static let programsOrNone = programs?.description ?? "/nonexistent"

    private let directory: TemporaryDirectory
    private let data: BytePath
    /// The socket's directory: what `DB_HOST` is set to.
    package let socketDirectory: String
    package let port = 5432
    /// The role that initdb makes.
    package let superuser = "postgres"
    private let wrapper: [String]
    private let supervisor: Supervisor

    /// - Parameters:
    ///   - initOptions: for initdb, e.g. `["--locale=C"]`.
    ///   - settings: lines of postgresql.conf.
    ///   - parent: where the data goes, e.g. a small file system.
    package init(
        initOptions: [String] = [],
        settings: [String: String] = [:],
        in parent: BytePath? = nil
    ) throws {
        directory = try TemporaryDirectory(in: parent)
        let sockets = parent == nil ? directory.path : BytePath("/tmp")
        data = directory.path / "data"
        wrapper = Self.unprivileged
        try Disk.makeDirectory(data, mode: 0o700)
        // The server runs as somebody else where the test is root.
        if geteuid() == 0 {
            try Disk.setOwner(directory.path, Self.account.user, Self.account.group)
            try Disk.setOwner(data, Self.account.user, Self.account.group)
        }
        socketDirectory =
            sockets == directory.path ? directory.path.description : "/tmp/\(directory.path.lastComponent)-s"
        if sockets != directory.path {
            try Disk.makeDirectory(BytePath(socketDirectory), mode: 0o777)
        }
        var initialize = Program("\(Self.programsOrNone)/initdb")
        initialize.wrapper = wrapper
        try initialize.check(
            ["--no-sync", "--auth=trust", "--encoding=UTF8", "--username=\(superuser)"]
                + (initOptions.isEmpty ? ["--locale=C"] : initOptions) + ["-D"],
            data
        )
        var lines = [
            "listen_addresses": "''", "unix_socket_directories": "'\(socketDirectory)'", "port": "\(port)",
            "fsync": "off", "shared_buffers": "'64MB'", "max_connections": "60",
        ]
        lines.merge(settings) { $1 }
        let text = lines.map { "\($0.key) = \($0.value)\n" }.sorted().joined()
        try Disk.write(data / "conf", text)
        let configuration = data / "postgresql.conf"
        try Disk.write(configuration, try Disk.read(configuration) + Array("include 'conf'\n".utf8))
        let litter = [directory.path.description] + (sockets == directory.path ? [] : [socketDirectory])
        supervisor = Supervisor(litter: litter)
        try start()
    }

    /// The test's own user, or where that is root somebody without rights.
    private static let account: (user: UInt32, group: UInt32) = {
        guard geteuid() == 0 else { return (geteuid(), getegid()) }
        return getpwnam("postgres").map { ($0.pointee.pw_uid, $0.pointee.pw_gid) } ?? (65_534, 65_534)
    }()

    private static let unprivileged: [String] =
        geteuid() == 0
        ? ["setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--"] : []

    // MARK: Starting and stopping

    /// Starts the server and waits until it takes connections.
    package func start() throws {
        try supervisor.start(wrapper + ["\(Self.programsOrNone)/postgres", "-D", data.description], log: logPath)
        var ready = Program("\(Self.programsOrNone)/pg_isready")
        ready.environment = environment(user: superuser)
        let answers = RunningProgram.eventually(within: 30) {
            (try? ready.run(["-q", "-d", "postgres"]))?.exitCode == 0
        }
        if !answers { throw TestFault("the server did not start: \((try? log) ?? "")") }
    }

    private var logPath: BytePath { directory.path / "log" }
    package var log: String { get throws { try Disk.text(logPath) } }

    /// The server's first process; nil while it does not run.
    package var process: Int32? {
        (try? Disk.text(data / "postmaster.pid"))?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// Kills the server and all its sessions at once, as a power cut would. `start` recovers it.
    package func crash() throws {
        guard let process else { throw TestFault("the server does not run") }
        // All processes of a server share its group.
        let sessions = try Program("ps").run(["-o", "pid=", "--ppid", "\(process)"]).text
            .split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { Int32($0) }
        kill(process, SIGKILL)
        for session in sessions { kill(session, SIGKILL) }
        supervisor.waitForEnd()
        // What a killed server leaves; the system's own start script removes it as well.
        try? Disk.remove(data / "postmaster.pid")
    }

    /// The power fails under a server whose data is on this file system (`in:`): nothing more reaches the disk, everything
    /// is gone from memory. The server is started again on what is left, and recovers.
    package func losePower(on disk: LoopFileSystem) throws {
        guard let process else { throw TestFault("the server does not run") }
        let sessions = try Program("ps").run(["-o", "pid=", "--ppid", "\(process)"]).text
            .split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { Int32($0) }
        try disk.stopDisk()
        kill(process, SIGKILL)
        for session in sessions { kill(session, SIGKILL) }
        supervisor.waitForEnd()
        try disk.cutPower()
        try? Disk.remove(data / "postmaster.pid")
        try start()
    }

    /// Ends the server as an administrator does: open transactions are rolled back.
    package func stop() {
        if let process { kill(process, SIGINT) }
        supervisor.waitForEnd()
    }

    // MARK: Working with it

    /// What libpq's programs need to find it.
    package func environment(user: String, database: String = "postgres") -> [String: String] {
        [
            "PGHOST": socketDirectory, "PGPORT": "\(port)", "PGUSER": user, "PGDATABASE": database,
            "PGPASSWORD": "", "PGOPTIONS": "", "PGSSLMODE": "prefer", "LC_ALL": "C.UTF-8",
        ]
    }

    /// A client program of the server's version: `psql`, `pg_dump`.
    package func program(_ name: String, user: String? = nil, database: String = "postgres") -> Program {
        var program = Program("\(Self.programsOrNone)/\(name)")
        program.environment = environment(user: user ?? superuser, database: database)
        return program
    }

    /// Runs statements and returns what psql prints: one line a row, columns separated by `|`.
    @discardableResult
    package func sql(_ statements: String, database: String = "postgres", user: String? = nil) throws -> String {
        let psql = program("psql", user: user, database: database)
        let options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements]
        let text = try psql.check(options).text
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Runs a file of statements.
    package func load(_ file: BytePath, database: String, user: String? = nil) throws {
        let psql = program("psql", user: user, database: database)
        try psql.check(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f"], file)
    }

    /// The names of all databases but the server's own.
    package func databases() throws -> [String] {
        let own = "('postgres', 'template0', 'template1')"
        return try sql("SELECT datname FROM pg_database WHERE datname NOT IN \(own) ORDER BY 1")
            .split(separator: "\n").map(String.init)
    }
}

extension Requirement {
    /// A PostgreSQL server's programs, and a way to start them as somebody else where the test is root.
    package static let hasPostgres = PostgresCluster.programs != nil && (geteuid() != 0 || has("setpriv"))
}
