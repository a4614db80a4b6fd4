internal import MediaModel

/// A Redis server of its own on a socket in a temporary directory. It ends with the value, and with the test's process,
/// however that ends.
package final class RedisServer: Sendable {
    /// Debian's one program is the server, the checker and more by the name that it is started with. The package with
    /// the service is not needed.
    private static let program = ["/usr/bin/redis-server", "/usr/bin/redis-check-rdb"].first {
        Disk.exists(BytePath($0))
    }

    private let directory: TemporaryDirectory
    private let supervisor: Supervisor
    private let settings: [String]
    package var socket: String { (directory.path / "socket").description }

    /// - Parameter settings: options of the server, e.g. `["--requirepass", "secret"]`.
    package init(_ settings: [String] = []) throws {
        directory = try TemporaryDirectory()
        try Disk.makeLink(directory.path / "redis-server", to: BytePath(Self.program ?? "/nonexistent"))
        supervisor = Supervisor(litter: [directory.path.description], stopSignal: "TERM")
        self.settings = settings
        try start()
    }

    /// Starts the server and waits until it answers.
    package func start() throws {
        let options = [
            "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir",
            directory.path.description,
        ]
        let log = directory.path / "log"
        try supervisor.start([(directory.path / "redis-server").description] + options + settings, log: log)
        let socket = socket
        let answers = RunningProgram.eventually {
            let ping = try? Program("redis-cli").run(["-s", socket, "ping"])
            return ping.map { $0.text.contains("PONG") || $0.text.contains("NOAUTH") } ?? false
        }
        if !answers { throw TestFault("redis-server did not start: \((try? Disk.text(log)) ?? "")") }
    }

    /// Ends the server; `start` begins anew with nothing.
    package func stop() {
        _ = try? Program("redis-cli").run(["-s", socket, "shutdown", "nosave"])
        supervisor.waitForEnd()
    }

    /// Runs a command and returns what redis-cli prints.
    package func command(_ words: String...) throws -> String {
        try Program("redis-cli").check(["-s", socket] + words).text
    }
}

extension Requirement {
    package static let hasRedis = has("redis-cli") && (has("redis-server") || has("redis-check-rdb"))
}
