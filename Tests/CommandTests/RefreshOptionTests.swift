import MediaModel
import MediasyncTesting
import Synchronization
import Testing

/// Each option of `refresh`, by what the server is asked.
@Suite(
    .enabled(
        if: Requirement.hasPostgres && Requirement.has("ffmpeg"),
        "needs PostgreSQL's server programs, setpriv and ffmpeg"
    )
)
struct RefreshOptionTests {
    // MARK: Pace

    @Test(
        "-j bounds all transfers, --per-host those from one host",
        arguments: [["-j", "3", "--per-host", "32"], ["--per-host", "3"]]
    )
    func transfers(options: [String]) throws {
        let crowd = OriginCrowd()
        let picture = try RefreshLive.picture.get()
        let live = try RefreshLive("ropt_many_\(options.count)", attachments: 30) { _ in
            crowd.during("", .body(picture))
        }
        let result = try live.run(["--all", "--rate", "5000"] + options)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(live.origin.log.count == 30)
        #expect(crowd.most() <= 3)
    }

    @Test("--rate spreads requests to one host, --bwlimit what all of them bring")
    func rates() throws {
        let live = try RefreshLive("ropt_rate", attachments: 12)
        let result = try live.run(["--all", "--rate", "600/m", "--per-host", "32"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        let times = live.origin.log.map(\.request.at)
        // Eleven gaps of a tenth of a second.
        #expect((times.max() ?? 0) - (times.min() ?? 0) > 0.7)
        let bytes = try RefreshLive.picture.get().count * 12
        let limited = try live.run(RefreshLive.options + ["--force", "--bwlimit", "\(bytes / 2)"])
        #expect(limited.exitCode == 0, "\(limited.errorText)")
        #expect(limited.seconds > 1.2)
    }

    @Test("--timeout ends a transfer that trickles on; other transfers are none the worse")
    func timeout() throws {
        let picture = try RefreshLive.picture.get()
        let live = try RefreshLive("ropt_timeout", attachments: 6) { request in
            guard request.path == "/m1" else { return .body(picture) }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
            return .steps([.text(head), .trickle([UInt8](repeating: 0xFF, count: 100_000), everySeconds: 0.05)])
        }
        let running = try BinaryRunner.program().start(live.arguments(RefreshLive.options + ["--timeout", "1"]))
        let isEnded = RunningProgram.eventually {
            live.origin.log.contains { $0.request.path == "/m1" && $0.endedAt.isFinite }
        }
        #expect(isEnded, "within 20 seconds, and Mastodon's own limit is 30")
        #expect(RunningProgram.eventually { (try? live.audit().named) == 5 })
        running.send(2)
        #expect(running.wait().exitCode == 130)
    }

    @Test("--max-duration ends a run cleanly with exit code 5; the next run goes on")
    func duration() throws {
        let picture = try RefreshLive.picture.get()
        let isSlow = Atomic<Bool>(true)
        let live = try RefreshLive("ropt_duration", attachments: 20) { request in
            let number = Int(request.path.dropFirst(2)) ?? 0
            return number % 2 == 0 && isSlow.load(ordering: .relaxed) ? .steps([.hang]) : .body(picture)
        }
        let result = try live.run(RefreshLive.options + ["--max-duration", "2s"])
        #expect(result.exitCode == 5, "\(result.errorText)")
        #expect(result.errorText.contains("--max-duration"))
        #expect(result.seconds > 1.9)
        let named = try live.audit()
        #expect(named.broken == [] && named.orphans == [])
        isSlow.store(false, ordering: .relaxed)
        live.origin.forget()
        #expect(try live.run().exitCode == 0)
        #expect(live.origin.log.count == 20 - named.named)
        #expect(try live.audit().named == 20)
    }

    // MARK: Selection

    /// Old and new attachments of accounts of two domains, an avatar and an emoji.
    private func selectable(_ name: String) throws -> RefreshLive {
        let picture = try RefreshLive.picture.get()
        let place = try TemporaryDirectory()
        let options = ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=40x40:rate=1", "-frames:v", "1", "-y"]
        try Program("ffmpeg").check(options, place.path / "emoji.png")
        let emoji = try Disk.read(place.path / "emoji.png")
        let live = try RefreshLive(name, attachments: 1) { request in .body(request.path == "/emoji" ? emoji : picture)
        }
        func id(_ age: String) -> String {
            "((extract(epoch FROM now() - interval '\(age)') * 1000)::bigint << 16)"
        }
        try live.sql(
            """
            INSERT INTO accounts (id, username, domain, uri, avatar_remote_url, created_at, updated_at) VALUES
                (2, 'Sub', 'sub.far.example', '', '\(live.origin.url("/avatar"))', now(), now()),
                (3, 'other', 'other.example', '', NULL, now(), now());
            INSERT INTO statuses (id, account_id, uri, local, text, created_at, updated_at)
                VALUES (77, 3, 'x:77', false, '', now(), now());
            INSERT INTO media_attachments (id, account_id, status_id, remote_url, type, created_at, updated_at) VALUES
                (\(id("12 hours")), 3, NULL, '\(live.origin.url("/recent"))', 0, now(), now()),
                (\(id("3 days")), 3, NULL, '\(live.origin.url("/old"))', 0, now(), now()),
                (50, 2, NULL, '\(live.origin.url("/sub"))', 0, now(), now()),
                (51, 3, 77, '\(live.origin.url("/post"))', 0, now(), now());
            INSERT INTO custom_emojis (id, shortcode, domain, image_remote_url, created_at, updated_at)
                VALUES (9, 'blob', 'far.example', '\(live.origin.url("/emoji"))', now(), now());
            """
        )
        return live
    }

    @Test("every way to select asks for what it says, and for nothing else")
    func selection() throws {
        let live = try selectable("ropt_select")
        func moment(_ age: String) throws -> String {
            try live.sql(
                "SELECT to_char(now() AT TIME ZONE 'utc' - interval '\(age)', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
            )
        }
        let cases: [([String], Set<String>)] = [
            (["--status", "77"], ["/post"]),
            (["--account", "far@far.example"], ["/m1"]),
            (["--account", "@SUB@Sub.Far.Example"], ["/sub", "/avatar"]),
            (
                ["--account", "far@far.example", "--account", "sub@sub.far.example", "--only", "attachments"],
                ["/m1", "/sub"]
            ),
            (["--domain", "far.example", "--only", "attachments"], ["/m1", "/sub"]),
            (["--domain", "SUB.far.example"], ["/sub", "/avatar"]),
            (["--domain", "far.example", "--only", "emoji"], ["/emoji"]),
            (["--days", "1"], ["/recent"]), (["--days", "0.1"], []), (["--days", "7"], ["/recent", "/old"]),
            (["--since", try moment("5 days"), "--before", try moment("1 day")], ["/old"]),
            (["--days", "3", "--before", try moment("1 day")], ["/old"]),
            (["--before", try moment("2 days"), "--only", "attachments"], ["/old", "/m1", "/sub", "/post"]),
            (["--all", "--only", "avatars"], ["/avatar"]), (["--all", "--only", "emoji"], ["/emoji"]),
            (["--all"], ["/m1", "/sub", "/post", "/recent", "/old", "/avatar"]),
        ]
        for (options, expected) in cases {
            live.origin.forget()
            let dry = try live.run(options + ["--force", "-n"])
            #expect(dry.exitCode == 0, "\(options): \(dry.errorText)")
            #expect(live.origin.log.isEmpty, "\(options)")
            let result = try live.run(options + ["--force", "--rate", "5000"])
            #expect(result.exitCode == 0, "\(options): \(result.errorText)")
            #expect(Set(live.origin.log.map(\.request.path)) == expected, "\(options)")
            #expect(live.origin.log.count == expected.count, "\(options)")
        }
        let unknown = try live.run(["--account", "nobody@far.example"])
        #expect(unknown.exitCode == 10)
        #expect(unknown.errorText.contains("nobody@far.example"))
    }

    @Test("--cleanup first removes what is older than the same days, then fetches what is newer")
    func cleanup() throws {
        let live = try selectable("ropt_cleanup")
        #expect(try live.run().exitCode == 0)
        try live.sql(
            "UPDATE media_attachments SET created_at = now() AT TIME ZONE 'utc' - interval '3 days' WHERE id = 1"
        )
        try live.sql("UPDATE media_attachments SET file_file_name = NULL WHERE remote_url LIKE '%/recent'")
        live.origin.forget()
        let dry = try live.run(["--days", "1", "--cleanup", "-n"])
        #expect(dry.exitCode == 0, "\(dry.errorText)")
        #expect(try live.sql("SELECT count(*) FROM media_attachments WHERE file_file_name IS NULL") == "1")
        let result = try live.run(["--days", "1", "--cleanup"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(live.origin.log.map(\.request.path) == ["/recent"])
        let gone = try live.sql("SELECT id FROM media_attachments WHERE file_file_name IS NULL")
        #expect(gone == "1")
    }

    @Test(
        "an avatar's new address is asked of its account's server, signed; --no-actor-lookup asks nobody",
        .enabled(if: Requirement.hasOpenSSL, "needs openssl")
    )
    func lookup() throws {
        let picture = try RefreshLive.picture.get()
        let live = try RefreshLive("ropt_lookup", attachments: 0) { request in
            guard request.path == "/users/far" else {
                return request.path == "/stale" ? .status(403) : .body(picture, type: "image/jpeg")
            }
            let base = "http://\(request.headers["host"] ?? "")"
            let document = """
                {"id":"\(base)/users/far","type":"Person","icon":{"type":"Image","url":"\(base)/new"}}
                """
            return .body(Array(document.utf8), type: "application/activity+json")
        }
        let key = try Program("openssl").check(["genrsa", "-traditional", "2048"]).text
        try live.sql(
            """
            UPDATE accounts SET uri = '\(live.origin.url("/users/far"))', avatar_remote_url = '\(live.origin.url("/stale"))';
            INSERT INTO accounts (id, username, domain, private_key, created_at, updated_at)
                VALUES (-99, 'my.example', NULL, '\(key)', now(), now());
            """
        )
        let unasked = try live.run(RefreshLive.options + ["--no-actor-lookup"])
        #expect(unasked.exitCode == 3)
        #expect(live.origin.log.map(\.request.path) == ["/stale"])
        live.origin.forget()
        let result = try live.run()
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(live.origin.log.map(\.request.path) == ["/stale", "/users/far", "/new"])
        let signature = live.origin.log[1].request.headers["signature"] ?? ""
        #expect(signature.contains("keyId=\"https://my.example/actor#main-key\""))
        #expect(try live.sql("SELECT avatar_remote_url FROM accounts WHERE id = 1") == live.origin.url("/new"))
    }

    // MARK: What is seen

    @Test("SIGUSR1 tells how far a run is; SIGINT ends it; its record says what failed")
    func progress() throws {
        let picture = try RefreshLive.picture.get()
        let live = try RefreshLive("ropt_progress", attachments: 12) { request in
            switch request.path {
            case "/m1": .status(403)
            case "/m2": .steps([.hang])
            default: .body(picture)
            }
        }
        var program = BinaryRunner.program()
        program.environment["MEDIASYNC_STATE"] = (live.place.path / "state").description
        let running = try program.start(live.arguments(RefreshLive.options))
        #expect(RunningProgram.eventually { (try? live.audit().named) == 10 })
        let isTold = RunningProgram.eventually {
            running.send(10)
            return running.errorsSoFar.contains(" notice refresh stage=fetch ")
        }
        #expect(isTold, "\(running.errorsSoFar)")
        #expect(running.errorsSoFar.contains("total=12"))
        running.send(2)
        #expect(running.wait().exitCode == 130)
        let errors = try program.run(["status", "--errors"])
        #expect(errors.text.contains("status 403"), "\(errors.text)")
        #expect(errors.text.contains("/m1"))
        let lines = try program.run(["status", "--errors", "--json"])
        #expect(lines.exitCode == 0)
        #expect(lines.lines.allSatisfy { $0.hasPrefix("{\"type\":\"") && $0.hasSuffix("}") })
    }

    @Test(
        "with Redis the stale keys of changed rows are deleted and no others; without it one line says for how long pages may be old",
        .enabled(if: Requirement.hasRedis, "needs redis-tools")
    )
    func caches() throws {
        let live = try RefreshLive("ropt_caches", attachments: 3)
        try live.sql(
            """
            INSERT INTO statuses (id, account_id, uri, local, text, created_at, updated_at)
                SELECT n, 1, 'x:' || n, false, '', now(), now() FROM generate_series(201, 203) n;
            UPDATE media_attachments SET status_id = 200 + id;
            """
        )
        let redis = try RedisServer()
        func client(_ arguments: [String]) throws -> String {
            try Program("redis-cli").check(["-s", redis.socket] + arguments).text
        }
        for key in ["cache:fan-out/201", "cache:v3:statuses/202", "cache:fan-out/999", "feed:home:1"] {
            _ = try client(["set", key, "x"])
        }
        var program = BinaryRunner.program()
        program.environment["REDIS_URL"] = "unix://\(redis.socket)"
        let result = try program.run(live.arguments(RefreshLive.options))
        #expect(result.exitCode == 0, "\(result.errorText)")
        let left = try client(["keys", "*"]).split(separator: "\n").sorted()
        #expect(left == ["cache:fan-out/999", "feed:home:1"])
        redis.stop()
        let without = try program.run(live.arguments(RefreshLive.options + ["--force"]))
        #expect(without.exitCode == 0, "\(without.errorText)")
        #expect(without.errorText.components(separatedBy: "ten minutes").count == 2, "\(without.errorText)")
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
