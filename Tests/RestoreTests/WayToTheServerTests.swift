import MediaModel
import MediasyncTesting
import Testing

/// What is asked of the server and how it is reached: passwords, which database of several, who comes meanwhile.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct WayToTheServerTests {
    @Test("a password comes from libpq's password file, for both ways of loading, and without one nothing is done")
    func passwordFile() throws {
        let cluster = try PostgresCluster()
        let database = try MastodonDatabase(cluster, name: "origin")
        try database.fill(accounts: 5, statuses: 50)
        let place = try TemporaryDirectory()
        try database.writeDump(to: place.path / "plain")
        try database.writeDump(["-Fc"], to: place.path / "custom")
        let live = try LiveDatabase(cluster, name: "live", template: "origin")
        let hosts = "('local all postgres trust'), ('local all all scram-sha-256')"
        try cluster.sql("ALTER ROLE mastodon PASSWORD 'sesame street'")
        let file = try cluster.sql("SHOW hba_file")
        try cluster.sql("COPY (VALUES \(hosts)) TO '\(file)'")
        try cluster.sql("SELECT pg_reload_conf()")
        let passwords = place.path / "pgpass"
        try Disk.write(passwords, "*:*:*:mastodon:sesame street\n", mode: 0o600)
        let arguments = ["restore", "--yes", "--into", "live", "--env-file", "/dev/null"].map { BytePath($0) }
        var program = live.program()
        program.environment["PGPASSFILE"] = "/nonexistent"
        let isAsked = RunningProgram.eventually {
            (try? program.run(arguments + [place.path / "plain"]))?.exitCode == 12
        }
        #expect(isAsked)
        program.environment["PGPASSFILE"] = passwords.description
        for dump in ["plain", "custom"] {
            let result = try program.run(arguments + [place.path / dump], timeout: 60)
            #expect(result.exitCode == 0, "\(dump): \(result.errorText)")
            #expect(!(result.text + result.errorText).contains("sesame"))
        }
    }

    @Test("of a whole server with two of Mastodon's databases one must be named")
    func twoDatabases() throws {
        let origin = try Origin.get()
        let source = try PostgresCluster()
        for (name, statuses) in [("first", 40), ("second", 70)] {
            try MastodonDatabase(source, name: name).fill(accounts: 5, statuses: statuses)
        }
        let place = try TemporaryDirectory()
        try source.program("pg_dumpall").check(["-f"], place.path / "all")
        let live = try origin.makeLive("one_of_two")
        let open = try live.restore(place.path / "all")
        #expect(open.exitCode == 64 && open.errorText.contains("first, second"), "\(open.errorText)")
        let strange = try live.restore(["--database", "third"], place.path / "all")
        #expect(strange.exitCode == 64 && strange.errorText.contains("third"), "\(strange.errorText)")
        try live.expectUntouched()
        let chosen = try live.restore(["--database", "second"], place.path / "all")
        #expect(chosen.exitCode == 0, "\(chosen.errorText)")
        #expect(try origin.cluster.sql("SELECT count(*) FROM statuses", database: live.name) == "70")
    }

    @Test("a session that comes while the dump is loaded is met at the swap: refused, and the old database stays open")
    func lateSession() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("visited")
        let run = try live.start([], origin.plain)
        let stages = "SELECT count(*) FROM pg_database WHERE datname LIKE 'visited_stage_%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(stages)) == "1" })
        let psql = origin.cluster.program("psql", user: "mastodon", database: live.name)
        let session = try psql.start(["-X", "-c", "SELECT pg_sleep(100)"].map { BytePath($0) })
        let result = run.wait(timeout: 60)
        #expect(result.exitCode == 20 && result.errorText.contains("sessions are connected"), "\(result.errorText)")
        #expect(session.isRunning)
        try live.expectUntouched()
    }

    @Test("-n needs no server")
    func dryRunAlone() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("not_asked")
        var program = live.program()
        program.environment["PGHOST"] = "/nonexistent"
        let result = try program.run(
            ["restore", "-n", "--env-file", "/dev/null"].map { BytePath($0) } + [origin.plain]
        )
        #expect(result.exitCode == 0 && result.text.contains("Mastodon 4.5"), "\(result.errorText)")
    }

    @Test("a large table goes over several connections")
    func oneTable() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("wide")
        let place = try TemporaryDirectory()
        let row = "SELECT row_number() OVER (), repeat(md5(n::text), 40) FROM generate_series(1, 24000) AS n"
        try origin.cluster.sql("CREATE TABLE wide (id bigint, text text); INSERT INTO wide \(row)", database: live.name)
        try MastodonDatabase(existing: origin.cluster, name: live.name).writeDump(to: place.path / "dump")
        let result = try live.restore(place.path / "dump")
        #expect(result.exitCode == 0, "\(result.errorText)")
        // Each connection's COPY is a transaction of its own.
        let writers = try origin.cluster.sql("SELECT count(DISTINCT xmin::text) FROM wide", database: live.name)
        #expect((2...3).contains(Int(writers) ?? 0), "\(writers) connections")
        #expect(
            try origin.cluster.sql("SELECT count(*), count(DISTINCT id) FROM wide", database: live.name)
                == "24000|24000"
        )
    }
}
