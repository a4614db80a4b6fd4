import Catalog
import Fetching
import MediaModel
import MediasyncTesting
import Pacing
import Postgres
import Running
import Storage
import Synchronization
import Testing

@testable import Refreshing

/// Runs against a real PostgreSQL with Mastodon's real schema; origin and decoder are made up.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct RefreshTests {
    @Test(
        "what is missing, empty or of the wrong size is fetched; what is present, local or rejected is not",
        arguments: [
            "4.6", "4.3", "4.2",
        ]
    )
    func selection(release: String) async throws {
        let fixture = try RefreshFixture("select_\(release.filter(\.isNumber))", release: release)
        let origin = FakeOrigin { .success(Array("jpeg of \($0)".utf8)) }
        let (result, ears, engine) = try await fixture.run(origin: origin)
        #expect(result.error == nil)
        #expect(result.exitStatus == .done)
        let base = RefreshFixture.base
        #expect(
            ears.items
                == [
                    "fetched attachment 10", "fetched attachment 12", "fetched attachment 13", "fetched attachment 16",
                    "fetched attachment \(base)", "fetched avatar 101", "fetched emoji 30", "fetched header 101",
                    "fetched thumbnail 13", "media rejected attachment 15", "media rejected avatar 103",
                    "unchanged attachment 11", "unchanged avatar 102",
                ].sorted()
        )
        let urls = ["m10", "m12", "m13", "m16", "m20", "a101", "h101", "e30"].map { "https://far.example/\($0)" }
        #expect(Set(origin.urls) == Set(urls + ["https://thumb.example/t13"]))
        #expect(origin.urls.count == 9)
        #expect(result.counts.fetched == 9)
        #expect(result.counts.unchanged == 2)
        #expect(result.counts.skipped == [.rejected: 2])
        let audit = try fixture.audit()
        // The rejected avatar was missing before.
        #expect(audit.missing == ["cache/accounts/avatars/000/000/103/original/c.png"])
        #expect(audit.orphans == [])
        #expect(fixture.intents.left == [])
        let table = engine.table().lines.first { $0.kind == "attachment" }?.tally
        #expect(table?.fetched == 5)
        // Everything is there now: nobody is asked.
        let second = FakeOrigin { _ in .failure(FetchFault(.connect, "nobody is asked")) }
        let again = try await fixture.run(origin: second)
        #expect(again.result.exitStatus == .done)
        #expect(again.result.counts.unchanged == 11)
        #expect(second.urls == [])
    }

    @Test("the rows have exactly the columns that Mastodon writes, and no other row changes")
    func columns() async throws {
        let fixture = try RefreshFixture("columns")
        let before = try fixture.rows("media_attachments")
        let local = try fixture.sql("SELECT to_jsonb(t) FROM accounts t WHERE id IN (100, 102, 103) ORDER BY id")
        _ = try await fixture.run()
        let after = try fixture.rows("media_attachments")
        for id in ["11", "14", "15"] { #expect(after[id] == before[id]) }
        #expect(try fixture.sql("SELECT to_jsonb(t) FROM accounts t WHERE id IN (100, 102, 103) ORDER BY id") == local)
        // Everything but these stays.
        let changed = """
            SELECT to_jsonb(t) - ARRAY['file_file_name','file_content_type','file_file_size','file_updated_at',
            'file_storage_schema_version','file_meta','type','blurhash','updated_at'] FROM media_attachments t WHERE id = 10
            """
        let rest = try fixture.sql(changed)
        let fresh = try RefreshFixture("columns_before")
        #expect(try fresh.sql(changed) == rest)
        let row = try fixture.sql(
            """
            SELECT file_file_name ~ '^[0-9a-f]{16}[.]jpeg$', file_content_type, file_file_size,
            file_updated_at > now() AT TIME ZONE 'utc' - interval '1 hour', file_storage_schema_version, file_meta, type,
            blurhash, updated_at > now() AT TIME ZONE 'utc' - interval '1 hour', created_at
            FROM media_attachments WHERE id = 10
            """
        )
        let meta = """
            {"focus":{"x":0.5,"y":-0.25},"original":{"width":640,"height":480,"size":"640x480",\
            "aspect":1.3333333333333333},"small":{"width":320,"height":240,"size":"320x240","aspect":1.3333333333333333}}
            """
        let size = "jpeg of https://far.example/m10".utf8.count
        #expect(row == "t|image/jpeg|\(size)|t|1|\(meta)|0|\(FakeDecoder.hash)|t|2026-01-01 00:00:00")
        // A thumbnail adds its size and colours to what the file wrote.
        let thumbnail = try fixture.sql(
            """
            SELECT thumbnail_file_name ~ '^[0-9a-f]{16}[.]jpeg$', thumbnail_storage_schema_version, file_meta->'small'->>'size',
            file_meta->'original'->>'size', file_meta->'colors'->>'accent', type FROM media_attachments WHERE id = 13
            """
        )
        #expect(thumbnail == "t|1|64x48|640x480|#ff0000|0")
        let avatar = try fixture.sql(
            """
            SELECT avatar_file_name ~ '^[0-9a-f]{16}[.]jpeg$', avatar_content_type, avatar_file_size,
            avatar_storage_schema_version, avatar_updated_at > now() AT TIME ZONE 'utc' - interval '1 hour',
            header_file_name ~ '^[0-9a-f]{16}[.]jpeg$', avatar_remote_url, last_webfingered_at IS NULL
            FROM accounts WHERE id = 101
            """
        )
        #expect(
            avatar == "t|image/jpeg|\("jpeg of https://far.example/a101".utf8.count)|1|t|t|https://far.example/a101|t"
        )
    }

    static let faults: [(FetchFault, outcome: String, isRemembered: Bool)] = [
        (FetchFault(.badURL, "x"), "failed", true), (FetchFault(.refusedAddress, "x"), "failed", true),
        (FetchFault(.resolve, "x"), "failed", true), (FetchFault(.connect, "x"), "failed", true),
        (FetchFault(.tls, "x"), "failed", true), (FetchFault(.noAnswer, "x"), "failed", true),
        (FetchFault(.timeout, "x"), "failed", true), (FetchFault(.tooLarge, "x"), "failed", true),
        (FetchFault(.cutShort, "x"), "failed", true), (FetchFault(.badRedirect, "x"), "failed", true),
        (FetchFault(.tooManyRedirects, "x"), "failed", true), (FetchFault(.protocolError, "x"), "failed", true),
        (FetchFault(.hiddenService, "x"), "failed", true), (FetchFault(.status(401), "x"), "failed", true),
        (FetchFault(.status(403), "x"), "failed", true), (FetchFault(.status(404), "x"), "gone", false),
        (FetchFault(.status(410), "x"), "gone", false), (FetchFault(.status(451), "x"), "failed", true),
        (FetchFault(.status(500), "x"), "failed", true),
        (FetchFault(.status(429), "x", retryAfter: .milliseconds(1)), "failed", true),
        (FetchFault(.status(503), "x", retryAfter: .milliseconds(1)), "failed", true),
    ]

    @Test("a fetch that fails leaves row and files as they were, and is remembered")
    func failures() async throws {
        let fixture = try RefreshFixture("failures")
        var options = RefreshFixture.everything([.attachment])
        options.scope.rows = [.attachment: [12]]
        options.force = true
        let before = try fixture.rows("media_attachments")
        let files = fixture.store.paths
        for (fault, outcome, isRemembered) in Self.faults {
            let (result, ears, _) = try await fixture.run(options, origin: FakeOrigin { _ in .failure(fault) })
            #expect(ears.items == ["\(outcome) attachment 12"], "\(fault)")
            #expect(result.exitStatus == (outcome == "gone" ? .done : .itemsFailed), "\(fault)")
            #expect(try fixture.rows("media_attachments") == before, "\(fault)")
            #expect(fixture.store.paths == files, "\(fault)")
            #expect(try fixture.memory.failed().isEmpty == !isRemembered, "\(fault)")
            #expect(try fixture.memory.gone(since: 0).isEmpty == isRemembered, "\(fault)")
        }
        // Bytes that are no media as well.
        let (result, ears, engine) = try await fixture.run(
            options,
            origin: FakeOrigin { _ in .success(Array("<svg>".utf8)) }
        )
        #expect(ears.items == ["failed attachment 12"])
        #expect(ears.reasons == ["it is no media"])
        #expect(engine.table().reasons.map(\.reason) == ["unknown type"])
        #expect(result.exitStatus == .itemsFailed)
        #expect(try fixture.rows("media_attachments") == before)
        #expect(fixture.store.paths == files)
        #expect(fixture.intents.left == [])
    }

    @Test("what is gone is not asked for again; what failed is, by itself or with --retry-failed")
    func memory() async throws {
        let fixture = try RefreshFixture("memory")
        let answers: FakeOrigin.Answer = { url in
            switch url.suffix(3) {
            case "m10": .failure(FetchFault(.status(410), "gone"))
            case "m12": .failure(FetchFault(.status(500), "broken"))
            default: .success(Array("jpeg".utf8))
            }
        }
        let options = RefreshFixture.everything([.attachment])
        _ = try await fixture.run(options, origin: FakeOrigin(answers))
        let second = FakeOrigin(answers)
        let (result, ears, _) = try await fixture.run(options, origin: second)
        #expect(second.urls == ["https://far.example/m12"])
        #expect(ears.items.contains("gone before attachment 10"))
        #expect(result.counts.skipped == [.goneBefore: 1, .rejected: 1])
        var retry = options
        retry.failedOnly = true
        let third = FakeOrigin { _ in .success(Array("jpeg".utf8)) }
        let last = try await fixture.run(retry, origin: third)
        #expect(third.urls == ["https://far.example/m12"])
        #expect(last.ears.items == ["fetched attachment 12"])
        #expect(try fixture.memory.failed() == [])
    }

    @Test("a row that changes while its file is fetched is left as it is, and the new files go")
    func superseded() async throws {
        let fixture = try RefreshFixture("superseded")
        let statements: [String: String] = [
            "m10": "UPDATE media_attachments SET remote_url = 'https://far.example/other' WHERE id = 10",
            "m12": "UPDATE media_attachments SET file_updated_at = '2026-02-02' WHERE id = 12",
            "m13":
                "UPDATE media_attachments SET file_file_name = 'proxy.jpg', file_content_type = 'image/jpeg' WHERE id = 13",
            "m16": "DELETE FROM media_attachments WHERE id = 16",
            "m20": "UPDATE media_attachments SET description = 'harmless' WHERE id = \(RefreshFixture.base)",
        ]
        let origin = FakeOrigin { [fixture] url in
            if let statement = statements[String(url.suffix(3))] { _ = try? fixture.sql(statement) }
            return .success(Array("jpeg".utf8))
        }
        let files = Set(fixture.store.paths)
        let (result, ears, _) = try await fixture.run(RefreshFixture.everything([.attachment]), origin: origin)
        #expect(result.error == nil)
        #expect(
            ears.items.filter { $0.hasPrefix("superseded") } == [10, 12, 13, 16].map { "superseded attachment \($0)" }
        )
        #expect(ears.items.contains("fetched attachment \(RefreshFixture.base)"))
        // The files of the one that was fetched are the only new ones.
        #expect(Set(fixture.store.paths).subtracting(files).count == 2)
        #expect(files.isSubset(of: Set(fixture.store.paths)))
        #expect(fixture.intents.left == [])
    }

    @Test("an avatar that is not at its address any more is looked for in its account's document, once")
    func movedAvatars() async throws {
        let fixture = try RefreshFixture("moved")
        let document = """
            {"id":"https://far.example/users/missing","type":"Person","icon":{"type":"Image","url":"https://far.example/new"},\
            "image":"https://far.example/h101"}
            """
        let origin = FakeOrigin { url in
            switch url {
            case "https://far.example/users/missing": .success(Array(document.utf8))
            case "https://far.example/new": .success(Array("jpeg".utf8))
            case "https://far.example/a101": .failure(FetchFault(.status(403), "stale"))
            default: .failure(FetchFault(.status(404), "gone"))
            }
        }
        let (result, ears, _) = try await fixture.run(RefreshFixture.everything([.avatar, .header]), origin: origin)
        #expect(result.error == nil)
        // The header's address is the same in the document: it is gone.
        #expect(ears.items.filter { $0.hasSuffix("101") } == ["fetched avatar 101", "gone header 101"])
        #expect(origin.urls.filter { $0.hasSuffix("/missing") }.count == 2)
        let row = try fixture.sql("SELECT avatar_remote_url, header_remote_url FROM accounts WHERE id = 101")
        #expect(row == "https://far.example/new|https://far.example/h101")
        // Without the look-up nobody is asked, and the row stays.
        let other = try RefreshFixture("unmoved")
        var options = RefreshFixture.everything([.avatar])
        options.looksUpActors = false
        let second = FakeOrigin { _ in .failure(FetchFault(.status(403), "stale")) }
        let unasked = try await other.run(options, origin: second)
        #expect(unasked.ears.items.contains("failed avatar 101"))
        #expect(second.urls == ["https://far.example/a101"])
    }

    @Test("a deadlock with another session is tried again, and costs nothing", .timeLimit(.minutes(2)))
    func deadlock() async throws {
        let fixture = try RefreshFixture("deadlock")
        try fixture.add((0..<40).map { "https://far.example/d\($0)" }, hasFiles: false)
        let other = try Connection(fixture.settings, application: "other")
        // It holds one row in the middle. The run changes some before it waits for that one, and then those are asked for.
        try other.execute("BEGIN; UPDATE media_attachments SET description = 'x' WHERE id = 1020")
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'deadlock' AND wait_event_type = 'Lock'"
        // On a thread of its own: this one waits for it, and the runner's others are with other tests.
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let run = Task(executorPreference: pool) { try await fixture.run(RefreshFixture.everything([.attachment])) }
        let isWaiting = RunningProgram.eventually { (try? fixture.sql(waits)) == "1" }
        try other.execute(
            "UPDATE media_attachments SET description = 'x' WHERE id BETWEEN 1000 AND 1039 AND id <> 1020; COMMIT"
        )
        let (result, ears, _) = try await run.value
        #expect(isWaiting)
        #expect(result.exitStatus == .done)
        #expect(ears.items.count { $0.hasPrefix("fetched attachment 10") && $0.count == 23 } == 40)
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'deadlock'"
        #expect(RunningProgram.eventually { (try? fixture.sql(deadlocks)).flatMap { Int($0) } ?? 0 > 0 })
        #expect(try fixture.audit().orphans == [])
    }

    @Test(
        "where the session that writes rows cannot be had, the run ends with the database's error and nothing changes",
        .timeLimit(.minutes(2))
    )
    func noSession() async throws {
        let fixture = try RefreshFixture("no_session")
        let before = try fixture.rows("media_attachments")
        let files = fixture.store.paths
        // Enough to look and to plan.
        try Fixture.cluster().sql("ALTER DATABASE no_session CONNECTION LIMIT 2")
        let (result, _, _) = try await fixture.run()
        #expect(result.error?.code == .database)
        try Fixture.cluster().sql("ALTER DATABASE no_session CONNECTION LIMIT -1")
        #expect(try fixture.rows("media_attachments") == before)
        #expect(fixture.store.paths.count <= files.count + 40)
        let (again, _, _) = try await fixture.run()
        #expect(again.exitStatus == .done)
        #expect(try fixture.audit().orphans == [])
        #expect(fixture.intents.left == [])
    }

    @Test(
        "through pgbouncer in transaction mode everything works but the database's lock, which is told",
        .enabled(if: Requirement.hasPooler, "needs pgbouncer")
    )
    func pooler() async throws {
        let fixture = try RefreshFixture("pooled")
        let pooler = try ConnectionPooler(Fixture.cluster(), user: MastodonDatabase.role)
        let (result, ears, _) = try await fixture.run(through: pooler)
        #expect(result.exitStatus == .done, "\(String(describing: result.error))")
        #expect(result.counts.fetched == 9)
        #expect(ears.notices.contains { $0.contains("connection pooler") })
        #expect(try fixture.audit().orphans == [])
    }

    @Test("with force the old files go after the row names the new ones, also where they lay outside of cache/")
    func force() async throws {
        let fixture = try RefreshFixture("force")
        var options = RefreshFixture.everything([.attachment])
        options.force = true
        options.scope.rows = [.attachment: [11, 16]]
        let (result, _, _) = try await fixture.run(options)
        #expect(result.counts.fetched == 2)
        #expect(result.counts.deleted == 4)
        let paths = fixture.store.paths.map(\.description).filter { $0.contains("/011/") || $0.contains("/016/") }
        #expect(paths.count == 4)
        #expect(paths.allSatisfy { $0.hasPrefix("cache/") && !$0.contains("m1") })
        #expect(try fixture.sql("SELECT file_storage_schema_version FROM media_attachments WHERE id = 16") == "1")
    }

    @Test("a sound's picture becomes its thumbnail, in the same change")
    func soundPicture() async throws {
        let fixture = try RefreshFixture("sound")
        var options = RefreshFixture.everything([.attachment])
        options.scope.rows = [.attachment: [10]]
        let origin = FakeOrigin { _ in .success(Array("mp3+picture".utf8)) }
        _ = try await fixture.run(options, origin: origin)
        let row = try fixture.sql(
            """
            SELECT file_content_type, type, file_meta::text, thumbnail_content_type, thumbnail_storage_schema_version,
            thumbnail_file_size FROM media_attachments WHERE id = 10
            """
        )
        let meta = """
            {"focus":{"x":0.5,"y":-0.25},"original":{"duration":1.5,"bitrate":128000},\
            "small":{"width":64,"height":64,"size":"64x64","aspect":1.0}}
            """
        #expect(row == "audio/mpeg|4|\(meta)|image/png|1|13")
        #expect(try fixture.audit().orphans.isEmpty)
    }

    @Test("intervals go by the numbers of attachments, and by who appears in the posts")
    func intervals() async throws {
        let fixture = try RefreshFixture("intervals")
        let moment: Int64 = 1_790_000_000
        let cases: [(RefreshOptions.Interval, [String])] = [
            (
                .between(since: moment - 1, before: nil),
                ["attachment \(RefreshFixture.base)", "avatar 101", "header 101"]
            ),
            (.between(since: moment + 1, before: nil), []),
            (
                .between(since: nil, before: moment - 1),
                ["attachment 10", "attachment 12", "attachment 13", "attachment 16", "thumbnail 13"]
            ),
            (.daysBeforeDump(1), ["attachment \(RefreshFixture.base)", "avatar 101", "header 101"]),
        ]
        for (interval, expected) in cases {
            var options = RefreshFixture.everything([.attachment, .thumbnail, .avatar, .header])
            options.interval = interval
            options.dryRun = true
            let origin = FakeOrigin { _ in .failure(FetchFault(.connect, "a dry run asks nobody")) }
            let (result, ears, _) = try await fixture.run(options, origin: origin)
            #expect(result.error == nil)
            #expect(ears.items.filter { $0.hasPrefix("fetched") } == expected.map { "fetched \($0)" }, "\(interval)")
            #expect(origin.urls == [])
        }
    }

    @Test("--since dump counts from what restore wrote at the database, else from the newest post, and says which")
    func dumpMoment() async throws {
        let fixture = try RefreshFixture("dump_moment")
        var options = RefreshFixture.everything([.attachment])
        options.interval = .daysBeforeDump(1)
        options.dryRun = true
        let newest = RefreshFixture.base
        // Mastodon serves again: its newest post is of another month.
        try fixture.sql(
            """
            INSERT INTO statuses (id, account_id, uri, local, text, created_at, updated_at)
            VALUES (\((1_795_000_000_000 << 16) + 5), 101, 'x:9', false, '', now(), now())
            """
        )
        let moved = try await fixture.run(options)
        #expect(moved.ears.items.filter { $0.hasPrefix("fetched") } == [])
        #expect(moved.ears.notices.contains { $0.hasPrefix("counted from the newest post, 2026-11-18") })
        func comment(_ text: String) async throws -> (items: [String], notices: [String]) {
            try fixture.sql("COMMENT ON DATABASE dump_moment IS '\(text)'")
            let ears = try await fixture.run(options).ears
            return (ears.items.filter { $0.hasPrefix("fetched") }, ears.notices)
        }
        let written = RestoredDump(madeAt: 1_790_000_100, source: .header).comment
        let found = try await comment(written)
        #expect(found.items == ["fetched attachment \(newest)"])
        #expect(found.notices.contains("counted from the dump that was restored, made 2026-09-21T14:15:00Z"))
        #expect(found.notices.contains { $0.contains("received since 2026-09-20T14:15:00Z") })
        // A clock of the future, and what somebody else wrote there.
        for text in [RestoredDump(madeAt: 4_000_000_000, source: .header).comment, "our server"] {
            let other = try await comment(text)
            #expect(other.items == [])
            #expect(other.notices.contains { $0.hasPrefix("counted from the newest post") })
        }
    }

    @Test("media of people who are followed here come first")
    func followed() async throws {
        let fixture = try RefreshFixture("followed")
        try fixture.sql(
            """
            INSERT INTO accounts (id, username, domain, avatar_remote_url, created_at, updated_at)
                SELECT n, 'u' || n, 'far.example', 'https://far.example/a' || n, now(), now() FROM generate_series(110, 129) n;
            INSERT INTO follows (account_id, target_account_id, created_at, updated_at)
                VALUES (100, 125, now(), now()), (100, 119, now(), now());
            """
        )
        var options = RefreshFixture.everything([.avatar])
        options.pace.inFlight = 1
        let origin = FakeOrigin { _ in .success(Array("jpeg".utf8)) }
        let (result, _, _) = try await fixture.run(options, origin: origin)
        #expect(result.exitStatus == .done)
        #expect(origin.urls.count == 21)
        #expect(Set(origin.urls.prefix(2)) == ["https://far.example/a119", "https://far.example/a125"])
    }

    @Test("accounts, domains with subdomains and posts select, and a misspelled account is told")
    func scopes() async throws {
        let fixture = try RefreshFixture("scopes")
        try fixture.sql(
            """
            INSERT INTO accounts (id, username, domain, avatar_remote_url, created_at, updated_at) VALUES
                (104, 'Sub', 'a.far.example', 'https://x.example/a104', now(), now()),
                (105, 'other', 'notfar.example', 'https://x.example/a105', now(), now());
            """
        )
        func chosen(_ change: (inout RemoteScope) -> Void) async throws -> [String] {
            var options = RefreshFixture.everything([.attachment, .avatar])
            change(&options.scope)
            options.dryRun = true
            let (result, ears, _) = try await fixture.run(options)
            if let error = result.error { return [error.code.name] }
            return ears.items.filter { $0.hasPrefix("fetched") }.map { String($0.dropFirst(8)) }
        }
        #expect(try await chosen { $0.accounts = [.init("@sub@A.far.example")!] } == ["avatar 104"])
        #expect(try await chosen { $0.domains = ["a.far.example"] } == ["avatar 104"])
        #expect(
            try await chosen { $0.domains = ["far.example"] }
                == [
                    "attachment 10", "attachment 12", "attachment 13", "attachment 16",
                    "attachment \(RefreshFixture.base)",
                    "avatar 101", "avatar 104",
                ].sorted()
        )
        #expect(try await chosen { $0.statuses = [RefreshFixture.base + 1] } == ["attachment \(RefreshFixture.base)"])
        #expect(try await chosen { $0.accounts = [.init("nobody@far.example")!] } == ["unusable"])
    }
}
