import Caches
import MediaModel
import MediasyncTesting
import Testing

@Suite struct CacheSettingsTests {
    struct Case: Sendable {
        let values: [String: String]
        let place: CacheSettings.Place
        var database = 0
        var user: String?
        var namespace = "cache"
    }

    @Test(
        "Mastodon's variables say where the cache is",
        arguments: [
            Case(values: [:], place: .tcp(host: "localhost", port: 6379)),
            Case(
                values: ["REDIS_HOST": "redis", "REDIS_PORT": "6380", "REDIS_DB": "3"],
                place: .tcp(host: "redis", port: 6380),
                database: 3
            ),
            Case(values: ["REDIS_HOST": "/run/redis.sock"], place: .socket(path: "/run/redis.sock")),
            Case(
                values: ["REDIS_URL": "redis://a:b@h:1/2", "REDIS_HOST": "x"],
                place: .tcp(host: "h", port: 1),
                database: 2,
                user: "a"
            ),
            Case(values: ["REDIS_URL": "redis://:p%40ss@[::1]:7"], place: .tcp(host: "::1", port: 7)),
            Case(values: ["REDIS_URL": "redis://[::1]"], place: .tcp(host: "::1", port: 6379)),
            Case(values: ["REDIS_URL": "unix:///run/r.sock?db=4"], place: .socket(path: "/run/r.sock"), database: 4),
            Case(values: ["REDIS_URL": "unix:/run/r.sock"], place: .socket(path: "/run/r.sock")),
            Case(values: ["REDIS_HOST": "a", "CACHE_REDIS_HOST": "b"], place: .tcp(host: "b", port: 6379)),
            Case(
                values: ["REDIS_URL": "redis://a", "CACHE_REDIS_URL": "redis://c:9"],
                place: .tcp(host: "c", port: 9)
            ),
            Case(
                values: ["REDIS_NAMESPACE": "ours"],
                place: .tcp(host: "localhost", port: 6379),
                namespace: "ours_cache"
            ),
        ]
    )
    func variables(example: Case) throws {
        let settings = try CacheSettings(mastodon: { example.values[$0] })
        #expect(settings.place == example.place)
        #expect(settings.database == example.database)
        #expect(settings.user == example.user)
        #expect(settings.namespace == example.namespace)
    }

    @Test(
        "what cannot be used is refused without its password",
        arguments: [
            ["REDIS_URL": "rediss://:hunter2@h"], ["REDIS_URL": "http://:hunter2@h"],
            ["REDIS_URL": "redis://:hunter2@h:x"],
            ["REDIS_URL": "redis://:hunter2@h/x"], ["REDIS_PORT": "0"], ["REDIS_DB": "x"], ["REDIS_SENTINELS": "a"],
            ["REDIS_URL": "hunter2"], ["REDIS_URL": "redis:hunter2"], ["REDIS_URL": "unix:hunter2"],
        ]
    )
    func refused(values: [String: String]) {
        let error = #expect(throws: SyncError.self) { _ = try CacheSettings(mastodon: { values[$0] }) }
        #expect(error.map { "\($0)" }?.contains("hunter2") == false)
    }

    @Test("a password is in no description")
    func secret() throws {
        let settings = try CacheSettings(url: "redis://user:hunter2@h")
        var text = ""
        dump(settings, to: &text)
        #expect(!"\(settings) \(String(reflecting: settings)) \(text)".contains("hunter2"))
    }
}

@Suite(.enabled(if: Requirement.hasRedis, "needs redis-tools"))
struct CacheTests {
    private func settings(_ server: RedisServer) -> CacheSettings { CacheSettings(place: .socket(path: server.socket)) }

    @Test("stale keys go, all others stay")
    func delete() throws {
        let server = try RedisServer()
        for key in [
            "cache:fan-out/7", "cache:v3:statuses/7", "cache:emoji:blob:example.com", "fan-out/7", "cache:fan-out/70",
        ] {
            _ = try server.command("SET", key, "x")
        }
        let connection = try CacheConnection(settings(server))
        let keys = CacheKey.status(7) + CacheKey.emoji("Blob", domain: "Example.com") + CacheKey.status(8)
        #expect(try connection.delete(keys) == 3)
        #expect(try connection.delete([]) == 0)
        let left = try server.command("KEYS", "*").split(separator: "\n").sorted()
        #expect(left == ["cache:fan-out/70", "fan-out/7"])
    }

    @Test("thousands of keys go in batches, and bytes of any kind are part of a key")
    func many() throws {
        let server = try RedisServer()
        let connection = try CacheConnection(settings(server))
        var expected = 0
        for id in stride(from: Int64(0), to: 2000, by: 100) {
            _ = try server.command("SET", "cache:fan-out/\(id)", "x")
            expected += 1
        }
        _ = try server.command("SET", "cache:emoji:a b\r\n:\u{E9}.example", "x")
        let keys = (0..<2000).flatMap { CacheKey.status($0) } + CacheKey.emoji("a b\r\n", domain: "\u{E9}.example")
        #expect(try connection.delete(keys) == expected + 1)
        #expect(try server.command("DBSIZE") == "0\n")
    }

    @Test("the database and the password of the settings are used")
    func databaseAndPassword() throws {
        let server = try RedisServer(["--requirepass", "hunter2"])
        _ = try server.command("-a", "hunter2", "--no-auth-warning", "-n", "3", "SET", "cache:fan-out/1", "x")
        #expect(throws: CacheFault.self) { _ = try CacheConnection(settings(server)) }
        var url = try CacheSettings(url: "redis://:hunter2@localhost/3")
        url.place = .socket(path: server.socket)
        #expect(try CacheConnection(url).delete(CacheKey.status(1)) == 1)
        var wrong = try CacheSettings(url: "redis://:hunter3@localhost/3")
        wrong.place = .socket(path: server.socket)
        #expect(throws: CacheFault.self) { _ = try CacheConnection(wrong) }
    }

    @Test("a server that is gone costs one warning, and is used again when it is back")
    func gone() throws {
        let server = try RedisServer()
        var warnings: [SyncError] = []
        let cleaner = CacheCleaner(settings(server)) { warnings.append($0) }
        cleaner.delete(CacheKey.status(1), now: 0)
        #expect(warnings.isEmpty)
        server.stop()
        for second in 1...20 { cleaner.delete(CacheKey.status(2), now: Int64(second) * 1_000_000_000) }
        #expect(warnings.count == 1)
        #expect(cleaner.missed == 40)
        try server.start()
        _ = try server.command("SET", "cache:fan-out/3", "x")
        cleaner.delete(CacheKey.status(3), now: 20_000_000_000)
        #expect(cleaner.deleted == 0)
        cleaner.delete(CacheKey.status(3), now: 60_000_000_000)
        #expect(cleaner.deleted == 1)
        #expect(warnings.count == 1)
    }

    @Test("a server that does not answer is not waited for", .timeLimit(.minutes(1)))
    func silent() throws {
        // An origin of web pages never answers a Redis command that has no end of a head.
        let origin = try OriginServer { _ in .steps([.hang]) }
        let settings = CacheSettings(place: .tcp(host: "127.0.0.1", port: origin.port))
        #expect(throws: CacheFault.self) { _ = try CacheConnection(settings, timeout: .milliseconds(200)) }
        let nobody = CacheSettings(place: .socket(path: "/nonexistent/socket"))
        #expect(throws: CacheFault.self) { _ = try CacheConnection(nobody) }
    }
}

@Suite(.enabled(if: Requirement.hasRedis, "needs redis-tools"))
struct CacheSaveTests {
    @Test("a save is asked for, ends, and is found under the name that the server tells")
    func save() throws {
        let server = try RedisServer(["--dbfilename", "of-mastodon.rdb"])
        _ = try server.command("set", "key", "value")
        let connection = try CacheConnection(CacheSettings(place: .socket(path: server.socket)))
        let file = try #require(connection.savedFile())
        #expect(file.lastComponent == BytePath("of-mastodon.rdb") && !Disk.exists(file))
        try connection.beginSave()
        #expect(RunningProgram.eventually { (try? connection.saveState().isSaving) == false })
        #expect(try connection.saveState().isOK)
        #expect(try Disk.read(file).starts(with: "REDIS".utf8))
    }

    @Test("a server that does not tell, and one that cannot save")
    func refusals() throws {
        let server = try RedisServer(["--rename-command", "CONFIG", "", "--rename-command", "BGSAVE", ""])
        let connection = try CacheConnection(CacheSettings(place: .socket(path: server.socket)))
        #expect(connection.savedFile() == nil)
        #expect(throws: CacheFault.self) { try connection.beginSave() }
        #expect(try !connection.saveState().isSaving)
    }
}
