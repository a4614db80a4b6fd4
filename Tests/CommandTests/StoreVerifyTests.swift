import MediaModel
import MediasyncTesting
import Testing

/// `mediasync verify --store`, from outside: settings are found in Mastodon's env file, media beside it.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct StoreVerifyTests {
    static let cluster = Result {
        let cluster = try PostgresCluster()
        // Once, before several tests need it at the same time.
        try MastodonDatabase.makeRole(cluster)
        return cluster
    }

    /// A live directory with settings, a database of 4.6 with two avatars, and the file of one of them.
    struct Live {
        let place: TemporaryDirectory
        var envFile: BytePath { place.path / ".env.production" }

        init(_ name: String) throws {
            place = try TemporaryDirectory()
            let cluster = try StoreVerifyTests.cluster.get()
            let database = try MastodonDatabase(cluster, name: name, release: "4.6")
            let settings = """
                LOCAL_DOMAIN=local.example
                DB_HOST=\(cluster.socketDirectory)
                DB_PORT=\(cluster.port)
                DB_NAME=\(database.name)
                DB_USER=\(MastodonDatabase.role)
                DB_PASS='secret'

                """
            try Disk.write(place.path / ".env.production", settings)
            let rows = """
                INSERT INTO accounts (id, username, domain, avatar_file_name, avatar_content_type, avatar_file_size,
                    avatar_updated_at, avatar_storage_schema_version, created_at, updated_at) VALUES
                    (1, 'admin', NULL, 'me.png', 'image/png', 10, '2020-01-01', 1, now(), now()),
                    (2, 'far', 'far.example', 'far.png', 'image/png', 20, '2020-01-01', 1, now(), now());
                """
            try cluster.sql(rows, database: name, user: MastodonDatabase.role)
            var folder = place.path
            for part in ["public", "system", "accounts", "avatars", "000", "000", "001", "original"] {
                folder = folder / part
                try Disk.makeDirectory(folder)
            }
            try Disk.write(folder / "me.png", [UInt8](repeating: 7, count: 10))
            try Disk.makeDirectory(place.path / "public" / "system" / "media_attachments")
        }

        func verify(_ options: [String], environment: [String: String] = [:]) throws -> Program.Result {
            var program = BinaryRunner.program()
            program.environment.merge(environment) { $1 }
            return try program.run(["verify", "--store", "--env-file"], envFile, options: options)
        }
    }

    @Test("what is missing is listed, the table shows both halves, and the exit code is 4")
    func text() throws {
        let live = try Live("verify_text")
        let result = try live.verify([])
        #expect(result.exitCode == 4)
        #expect(result.lines.first == "missing         cache/accounts/avatars/000/000/002/original/far.png")
        #expect(result.lines.contains { $0.hasPrefix("local avatars") })
        #expect(result.lines.contains { $0.hasPrefix("remote avatars") })
        #expect(result.text.contains("1 entry differs, exit 4."))
        #expect(!result.text.contains("secret") && !result.errorText.contains("secret"))
    }

    @Test("as JSON, an item names its row, and the table comes before the summary")
    func json() throws {
        let live = try Live("verify_json")
        let result = try live.verify(["--json"])
        #expect(result.exitCode == 4)
        let item = result.lines.first { $0.contains("\"type\":\"item\"") } ?? ""
        for part in ["\"record\":\"avatar\"", "\"id\":\"2\"", "\"local\":false", "\"changes\":[\"new\"]"] {
            #expect(item.contains(part))
        }
        let types = result.lines.compactMap { $0.split(separator: "\"").dropFirst(3).first.map(String.init) }
        #expect(types.suffix(3) == ["media", "media", "summary"])
        #expect(types.first == "start")
    }

    @Test("local media alone are whole here; kinds, days and another root are taken")
    func options() throws {
        let live = try Live("verify_options")
        #expect(try live.verify(["--only", "local"]).exitCode == 0)
        #expect(try live.verify(["--only", "headers"]).exitCode == 0)
        let days = try live.verify(["--days", "1"])
        #expect(days.exitCode == 0)
        #expect(days.errorText.contains("media of the last 1 day: since 20"))
        let elsewhere = try live.verify(["--only", "local,avatars", "--media-root", "/tmp"])
        #expect(elsewhere.exitCode == 4)
        #expect(elsewhere.errorText.contains("the media root does not look like one"))
    }

    @Test("--types finds a file that is no picture")
    func types() throws {
        let live = try Live("verify_types")
        #expect(try live.verify(["--only", "local"]).exitCode == 0)
        let result = try live.verify(["--only", "local", "--types"])
        #expect(result.exitCode == 4)
        #expect(result.lines.first == "type            accounts/avatars/000/000/001/original/me.png")
    }

    @Test("lookup tells whose a file is by its URL; exit code 3 where no row knows it, 64 where it is no media file")
    func lookup() throws {
        let live = try Live("lookup_command")
        let program = BinaryRunner.program()
        let url = "https://local.example/system/accounts/avatars/000/000/001/original/me.png"
        let local = try program.run(["lookup", url, "--env-file"], live.envFile, options: [])
        #expect(local.exitCode == 0)
        #expect(local.lines.contains("row      local avatar 1"))
        #expect(local.lines.contains("account  @admin"))
        #expect(local.lines.contains("         https://local.example/@admin"))
        let remote = "cache/accounts/avatars/000/000/002/original/far.png"
        let json = try program.run(["lookup", remote, "--json", "--env-file"], live.envFile, options: [])
        #expect(json.text.contains("\"found\":true,\"current\":true,\"local\":false"))
        #expect(json.text.contains("\"account\":\"far@far.example\""))
        let nobody = "accounts/avatars/000/000/009/original/x.png"
        #expect(try program.run(["lookup", nobody, "--env-file"], live.envFile, options: []).exitCode == 3)
        #expect(try program.run(["lookup", "/etc/passwd", "--env-file"], live.envFile, options: []).exitCode == 64)
    }

    @Test("status --usage shows rows and files by kind and place")
    func usage() throws {
        let live = try Live("usage_command")
        let program = BinaryRunner.program()
        let result = try program.run(["status", "--usage", "--env-file"], live.envFile, options: [])
        #expect(result.exitCode == 0)
        #expect(result.lines.contains { $0.hasPrefix("avatars") && $0.contains("10 B") })
        #expect(result.lines.contains { $0.hasPrefix("cache/avatars") && $0.hasSuffix("-20 B") })
        let json = try program.run(["status", "--usage", "--json", "--env-file"], live.envFile, options: [])
        #expect(json.lines.count == 2)
        #expect(json.lines.allSatisfy { $0.hasPrefix("{\"type\":\"usage\",\"v\":1,\"kind\":\"avatar\"") })
        #expect(try program.run(["status", "--usage", "--list"]).exitCode == 64)
    }

    @Test("the environment wins over the file, and wrong places have exit codes of their own")
    func places() throws {
        let live = try Live("verify_places")
        #expect(try live.verify([], environment: ["DB_NAME": "no_such_database"]).exitCode == 12)
        #expect(try live.verify([], environment: ["DB_NAME": "postgres"]).exitCode == 13)
        #expect(try live.verify(["--media-root", "/no/such/root"]).exitCode == 10)
        let storage = try live.verify([], environment: ["S3_ENABLED": "true"])
        #expect(storage.exitCode == 78)
        #expect(storage.errorText.contains("object storage"))
        let root = try live.verify([], environment: ["PAPERCLIP_ROOT_PATH": ":rails_root/public/system"])
        #expect(root.exitCode == 4)
        let missing = try BinaryRunner.program().run(["verify", "--store", "--env-file", "/no/such/file"])
        #expect(missing.exitCode == 78)
    }

    @Test(
        "options that contradict are refused",
        arguments: [
            ["verify", "--store", "a", "b"], ["verify", "--store", "--xattrs"], ["verify", "--store", "--days", "-1"],
            ["verify", "--store", "--exclude", "x"], ["verify", "--days", "1", "a", "b"],
            ["verify", "--types", "a", "b"], ["verify", "--deep", "a", "b"],
            ["verify", "--store", "--only", "pictures"], ["verify", "--store", "--only", "local,remote"],
            ["verify", "--only", "avatars", "/tmp", "/tmp"], ["copy", "--only", "avatars", "/tmp", "/tmp/x"],
        ]
    )
    func contradictions(arguments: [String]) throws {
        #expect(try BinaryRunner.program().run(arguments).exitCode == 64)
    }
}

extension Program {
    fileprivate func run(_ arguments: [String], _ path: BytePath, options: [String]) throws -> Result {
        try run(arguments.map { BytePath($0) } + [path] + options.map { BytePath($0) })
    }
}
