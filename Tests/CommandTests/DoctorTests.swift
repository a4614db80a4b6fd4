import MediaModel
import MediasyncTesting
import Testing

/// `mediasync doctor`, from outside: a live directory with settings, a database of 4.6 and media.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct DoctorTests {
    private static let cluster = Result {
        let cluster = try PostgresCluster()
        // Once, before several tests need it at the same time.
        try MastodonDatabase.makeRole(cluster)
        return cluster
    }

    private struct Live {
        let place: TemporaryDirectory
        let name: String
        var envFile: BytePath { place.path / ".env.production" }
        var root: BytePath { place.path / "public" / "system" }

        init(_ name: String) throws {
            self.name = name
            place = try TemporaryDirectory()
            let cluster = try DoctorTests.cluster.get()
            _ = try MastodonDatabase(cluster, name: name, release: "4.6")
            let settings = """
                DB_HOST=\(cluster.socketDirectory)
                DB_PORT=\(cluster.port)
                DB_NAME=\(name)
                DB_USER=\(MastodonDatabase.role)
                DB_PASS='hush'
                REDIS_URL=redis://:hush@localhost:6380/1

                """
            try Disk.write(envFile, settings, mode: 0o640)
            var folder = place.path
            for part in ["public", "system", "accounts", "avatars", "000", "000", "001", "original"] {
                folder = folder / part
                try Disk.makeDirectory(folder)
            }
            try Disk.write(folder / "me.png", "x")
        }

        func run(
            _ options: [String] = [],
            environment: [String: String] = [:],
            wrapper: [String] = []
        ) throws -> Program.Result {
            var program = BinaryRunner.program(wrapper: wrapper)
            program.environment.merge(environment) { $1 }
            let start = ["doctor", "--web-user", "nobody", "--env-file"].map { BytePath($0) }
            return try program.run(start + [envFile] + options.map { BytePath($0) })
        }

        /// The line of a check.
        func line(_ name: String, _ result: Program.Result) -> String? {
            result.lines.first { $0.dropFirst(9).hasPrefix("\(name) ") }
        }
    }

    @Test("where nothing is wrong the exit code is 0; each line has a verdict and an origin; no secret is shown")
    func good() throws {
        let live = try Live("doctor_good")
        let result = try live.run()
        #expect(result.exitCode == 0, "\(result.text)")
        for name in ["settings", "secrets", "redis", "database", "connection", "rights", "media root", "web server"] {
            #expect(live.line(name, result)?.hasPrefix("ok") == true, "\(name): \(result.text)")
        }
        #expect(live.line("schema", result)?.contains("Mastodon 4.6") == true)
        #expect(live.line("settings", result)?.hasSuffix("(--env-file)") == true)
        #expect(live.line("database", result)?.contains("(DB_HOST in ") == true)
        #expect(live.line("media root", result)?.contains("(public/system beside ") == true)
        #expect(!result.text.contains("hush") && !result.errorText.contains("hush"))
        let json = try live.run(["--json"])
        #expect(json.exitCode == 0)
        #expect(json.lines.allSatisfy { $0.hasPrefix("{\"type\":\"check\",\"v\":1,\"name\":\"") })
        #expect(json.lines.count >= 15)
        #expect(!json.text.contains("hush"))
    }

    @Test(
        "the exit code is that of the first problem, which has a remedy",
        arguments: [
            (["MEDIASYNC_MEDIA_ROOT": "/no/such"], [], Int32(10), "media root"),
            (["MEDIASYNC_MEDIA_ROOT": "/proc"], [], 10, "media root"), (["DB_NAME": "none"], [], 12, "database"),
            (["DB_HOST": "/no/such"], [], 12, "database"), (["DB_NAME": "postgres"], [], 13, "schema"),
            (["DATABASE_URL": "mysql://hush"], [], 78, "database"), (["S3_ENABLED": "true"], [], 78, "media root"),
            ([:], ["prlimit", "--nofile=60:60"], 14, "descriptors"),
        ] as [([String: String], [String], Int32, String)]
    )
    func problems(environment: [String: String], wrapper: [String], code: Int32, name: String) throws {
        let live = try Live(
            "doctor_\(code)_\(environment.keys.first ?? "limit")_\(environment.values.first?.count ?? 0)"
        )
        let result = try live.run(environment: environment, wrapper: wrapper)
        #expect(result.exitCode == code, "\(result.text)")
        #expect(live.line(name, result)?.hasPrefix("problem") == true, "\(result.text)")
        #expect(result.text.contains("-> "))
        #expect(!result.text.contains("hush"))
        let json = try live.run(["--json"], environment: environment, wrapper: wrapper)
        #expect(json.text.contains("\"name\":\"\(name)\",\"verdict\":\"problem\""))
        #expect(json.text.contains("\"exit\":\(code)}"))
    }

    @Test("no settings at all are a problem of the configuration, and the rest is looked at all the same")
    func nothing() throws {
        let result = try BinaryRunner.program().run(["doctor", "--env-file", "/no/such/file"])
        #expect(result.exitCode == 78)
        #expect(result.lines.first?.hasPrefix("problem  settings") == true)
        #expect(result.text.contains("descriptors"))
    }

    @Test(
        "a role without rights, and a directory that the web server may not read",
        .enabled(if: Requirement.isRoot, "needs root")
    )
    func rights() throws {
        let live = try Live("doctor_rights")
        let cluster = try Self.cluster.get()
        try cluster.sql("CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader", database: live.name)
        try cluster.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", database: live.name)
        let reader = try live.run(environment: ["DB_USER": "reader"])
        #expect(reader.exitCode == 12)
        #expect(live.line("rights", reader)?.contains("reader may not change preview_cards, media_attachments") == true)
        try Disk.setMode(live.root / "accounts", 0o700)
        let closed = try live.run()
        #expect(closed.exitCode == 10)
        #expect(live.line("web server", closed)?.contains("nobody cannot read") == true)
    }

    @Test("--show-config tells each setting with its origin, secrets masked")
    func config() throws {
        let live = try Live("doctor_config")
        let result = try live.run(["--show-config"], environment: ["DB_PORT": "1", "PGSSLMODE": "require"])
        #expect(result.exitCode == 0)
        func line(_ name: String) -> [String] {
            result.lines.first { $0.hasPrefix("\(name) ") }?.split(separator: " ").map(String.init) ?? []
        }
        #expect(line("DB_NAME").prefix(3) == ["DB_NAME", "doctor_config", "(DB_NAME"])
        #expect(line("DB_PORT") == ["DB_PORT", "1", "($DB_PORT)"])
        #expect(line("DB_PASS").prefix(2) == ["DB_PASS", "..."])
        #expect(line("DB_SSLMODE") == ["DB_SSLMODE", "require", "($PGSSLMODE)"])
        #expect(line("REDIS_URL")[1] == "redis://:...@localhost:6380/1")
        #expect(result.text.contains("public/system beside"))
        #expect(!result.text.contains("hush"))
        let json = try live.run(["--show-config", "--json"])
        #expect(json.lines.contains { $0.contains("\"name\":\"DB_PASS\",\"value\":\"...\"") })
    }

    @Test(
        "through pgbouncer: told as a warning; lookup and usage work, restore is refused",
        .enabled(if: Requirement.hasPooler, "needs pgbouncer")
    )
    func pooler() throws {
        let live = try Live("doctor_pooler")
        let pooler = try ConnectionPooler(Self.cluster.get(), user: MastodonDatabase.role)
        let environment = ["DB_HOST": pooler.socketDirectory, "DB_PORT": "\(pooler.port)"]
        let result = try live.run(environment: environment)
        #expect(result.exitCode == 0, "\(result.text)")
        #expect(live.line("connection", result)?.hasPrefix("warning  connection") == true)
        #expect(result.text.contains("PREPARED_STATEMENTS=false"))
        var program = BinaryRunner.program()
        program.environment.merge(environment) { $1 }
        let file = BytePath("--env-file")
        #expect(try program.run([BytePath("status"), BytePath("--usage"), file, live.envFile]).exitCode == 0)
        let path = BytePath("accounts/avatars/000/000/001/original/me.png")
        #expect(try program.run([BytePath("lookup"), path, file, live.envFile]).exitCode == 3)
        let dropped = [BytePath("restore"), BytePath("--drop-previous"), BytePath("--yes"), file, live.envFile]
        let refused = try program.run(dropped)
        #expect(refused.exitCode == 12)
        #expect(refused.errorText.contains("pgbouncer"))
    }
}
