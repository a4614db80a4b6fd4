import MediaModel
import MediasyncTesting
import Testing

@testable import Postgres

/// What stands between and answers like a server.
@Suite(
    .enabled(
        if: Requirement.hasPostgres && Requirement.has("python3"),
        "needs PostgreSQL's server programs, setpriv and python3"
    )
)
struct PoolerTests {
    /// Passes everything on but the number of the server's process, for which a pooler gives one of its own.
    private static let pooler = """
        import os, socket, sys, threading
        def pump(source, target, patches):
            while True:
                data = source.recv(65536)
                if not data:
                    break
                at = data.find(b"K\\0\\0\\0\\x0c") if patches else -1
                if at >= 0:
                    data = data[:at + 5] + b"\\0\\0\\0\\x07" + data[at + 9:]
                    patches = False
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        place = socket.socket(socket.AF_UNIX)
        # Named when it listens: who sees the name may connect.
        place.bind(sys.argv[1] + ".new")
        place.listen()
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        while True:
            client, _ = place.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(sys.argv[2])
            threading.Thread(target=pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=pump, args=(server, client, True), daemon=True).start()
        """

    @Test("a connection pooler is recognised and refused, with the advice to connect directly")
    func pooler() throws {
        let cluster = try Server.cluster()
        let place = try TemporaryDirectory()
        let script = place.path / "pooler.py"
        try Disk.write(script, Self.pooler)
        let socket = place.path / ".s.PGSQL.5432"
        let server = BytePath("\(cluster.socketDirectory)/.s.PGSQL.\(cluster.port)")
        let running = try Program("python3").start([script, socket, server])
        #expect(RunningProgram.eventually { Disk.exists(socket) }, "\(running.errorsSoFar)")
        var settings = try Server.settings()
        settings.host = place.path.description
        do throws(DatabaseFault) {
            _ = try Connection(settings, application: "test")
            Issue.record("taken for a server")
        } catch {
            #expect(error.kind == .pooled, "\(error)")
            #expect(error.syncError("x").hint?.contains("pgbouncer") == true)
        }
        #expect(running.isRunning)
    }
}
