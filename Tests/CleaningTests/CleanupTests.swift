import Catalog
import MediaModel
import MediasyncTesting
import Running
import Storage
import Synchronization
import Testing

@testable import Cleaning

/// `cleanup` on the real schema of several versions, in a real server.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct CleanupTests {
    private static let releases = ["4.2", "4.3", "4.6"]
    private static let others = MastodonDatabase.releases.filter { !releases.contains($0) }

    /// One way to call it, and the rows that lose their files.
    struct Mode: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout CleanupOptions) -> Void
        let table: String
        /// Prefixes of the columns that become NULL.
        let prefixes: [String]
        let taken: [Int]
        /// Where the row with the hostile name is among the chosen ones.
        var failed = 0
        var withQuotes: [Int]?
    }

    private static let media = [10, 14, 15, 18, 19, 20, 21, 22, 23]

    static let modes: [Mode] = [
        Mode(
            testDescription: "cards",
            change: { $0.kinds = [.card] },
            table: "preview_cards",
            prefixes: ["image"],
            taken: [40, 43]
        ),
        Mode(
            testDescription: "cards of links",
            change: {
                $0.kinds = [.card]
                $0.linksOnly = true
            },
            table: "preview_cards",
            prefixes: ["image"],
            taken: [40]
        ),
        Mode(
            testDescription: "attachments",
            change: { $0.kinds = [.attachment] },
            table: "media_attachments",
            prefixes: ["file", "thumbnail"],
            taken: media,
            failed: 1
        ),
        Mode(
            testDescription: "attachments, keeping those somebody here took note of",
            change: {
                $0.kinds = [.attachment]
                $0.keepsInteracted = true
            },
            table: "media_attachments",
            prefixes: ["file", "thumbnail"],
            taken: [14, 15, 21, 22, 23],
            failed: 1,
            withQuotes: [14, 15, 21]
        ),
        Mode(
            testDescription: "avatars and headers",
            change: { $0.kinds = [.avatar, .header] },
            table: "accounts",
            prefixes: ["avatar", "header"],
            taken: [101, 107]
        ),
        Mode(
            testDescription: "headers",
            change: { $0.kinds = [.header] },
            table: "accounts",
            prefixes: ["header"],
            taken: [101]
        ),
        Mode(
            testDescription: "headers, follows included",
            change: {
                $0.kinds = [.header]
                $0.includesFollows = true
            },
            table: "accounts",
            prefixes: ["header"],
            taken: [101, 105, 106]
        ),
    ]

    @Test(
        "the rows that Mastodon's commands take lose exactly four columns of each attachment",
        arguments: releases,
        modes
    )
    func columns(release: String, mode: Mode) async throws {
        try await checkColumns(release, mode)
    }

    @Test(
        "the same on other releases and forks, for media that are kept because of quotes, and for accounts",
        arguments: others,
        modes.filter { $0.withQuotes != nil || $0.prefixes.count == 2 && $0.table == "accounts" }
    )
    func columnsElsewhere(release: String, mode: Mode) async throws {
        try await checkColumns(release, mode)
    }

    private func checkColumns(_ release: String, _ mode: Mode) async throws {
        let index = Self.modes.firstIndex { $0.testDescription == mode.testDescription } ?? 0
        let fixture = try CleanupFixture("columns_\(release)_\(index)", release: release)
        let tables = ["accounts", "media_attachments", "preview_cards"]
        let columns = mode.prefixes.flatMap { prefix in
            ["file_name", "content_type", "file_size", "updated_at"].map { "\(prefix)_\($0)" }
        }
        let before = try tables.map { try fixture.rows($0) }
        let rest = try fixture.rows(mode.table, without: columns + ["updated_at"])
        let run = try await fixture.run(change: mode.change)
        let taken = CleanupFixture.hasQuotes(release) ? mode.withQuotes ?? mode.taken : mode.taken
        #expect(run.result.counts.updated == taken.count)
        #expect(run.result.counts.failed == mode.failed)
        #expect(run.result.exitStatus == (mode.failed > 0 ? .itemsFailed : .done))
        // Nothing but those columns changed, in no row.
        #expect(try fixture.rows(mode.table, without: columns + ["updated_at"]) == rest)
        for (table, old) in zip(tables, before) {
            let new = try fixture.rows(table)
            let changed = new.filter { old[$0.key] != $0.value }.compactMap { Int($0.key) }
            #expect(changed.sorted() == (table == mode.table ? taken : []), "\(table)")
        }
        // In those that changed all of them are NULL, and the time of change is now.
        let isNull = columns.map { "\($0) IS NULL" }.joined(separator: " AND ")
        let isNow =
            "updated_at BETWEEN (now() AT TIME ZONE 'utc') - interval '5 minutes' AND (now() AT TIME ZONE 'utc')"
        let list = taken.map(String.init).joined(separator: ",")
        let cleared = try fixture.sql(
            "SELECT string_agg(id::text, ',' ORDER BY id) FROM \(mode.table) WHERE id IN (\(list)) AND \(isNull) AND \(isNow)"
        )
        #expect(cleared == list)
    }

    @Test(
        "the files of cleared rows go, with the directories they leave empty; all others stay",
        arguments: MastodonDatabase.releases
    )
    func files(release: String) async throws {
        let fixture = try CleanupFixture("files_\(release)", release: release)
        let intents = MemoryIntents()
        let before = fixture.store.paths.map(\.description)
        let run = try await fixture.run(intents: intents) { $0.kinds = [.card, .attachment, .avatar, .header] }
        let thumbnail = "media_attachments/thumbnails/000/000/014/original/t14.png"
        let gone = before.filter { path in
            let numbers = Self.media.map { "/0\($0)/" } + ["/040/", "/043/", "/101/", "/107/"]
            return numbers.contains { path.contains($0) } && (path.hasPrefix("cache/") || path.contains("/015/"))
                || path == thumbnail
        }
        #expect(fixture.store.paths.map(\.description) == before.filter { !gone.contains($0) })
        #expect(run.result.counts.deleted == gone.count)
        #expect(run.result.counts.bytesDeleted == Int64(7 * gone.count))
        #expect(intents.left.isEmpty)
        #expect(try fixture.store.look(BytePath("cache/preview_cards/images/000/000/040")) == nil)
        // A second run has nothing to do but to name the row that it leaves alone.
        let again = try await fixture.run { $0.kinds = [.card, .attachment, .avatar, .header] }
        #expect(again.result.counts.updated == 0)
        #expect(again.result.counts.deleted == 0)
        #expect(again.result.counts.seen == 1)
    }

    @Test("what is to happen is said in words and in UTC before it begins, by the database's clock")
    func interval() async throws {
        let fixture = try CleanupFixture("interval")
        let ask = "SELECT to_char(now() AT TIME ZONE 'utc' - interval '7 days', 'YYYY-MM-DD\"T\"HH24:')"
        let before = try fixture.sql(ask)
        let run = try await fixture.run()
        let after = try fixture.sql(ask)
        let message = run.ears.notices.first?.message ?? ""
        #expect(message.hasPrefix("remote attachments, remote preview cards older than 7 days: before 20"))
        #expect(message.contains(before) || message.contains(after))
    }

    @Test("a dry run counts the same and changes nothing, in the database, on the disk, in the intents")
    func dryRun() async throws {
        let fixture = try CleanupFixture("dry_run")
        let intents = MemoryIntents()
        let rows = try fixture.rows("media_attachments")
        let paths = fixture.store.paths
        let dry = try await fixture.run(intents: intents) { $0.dryRun = true }
        #expect(try fixture.rows("media_attachments") == rows)
        #expect(fixture.store.paths == paths)
        #expect(intents.opened == 0)
        let real = try await fixture.run()
        #expect(dry.result.counts == real.result.counts)
        #expect(dry.ears.items.sorted() == real.ears.items.sorted())
    }

    @Test("more than the limit is refused before anything is changed, with both numbers")
    func limit() async throws {
        let fixture = try CleanupFixture("limit")
        let rows = try fixture.rows("preview_cards")
        // Two of the three stored cards are old.
        for limit in [CleanupOptions.Limit.count(1), .percent(50), .percent(66)] {
            let run = try await fixture.run { options in
                options.kinds = [.card]
                options.limit = limit
            }
            #expect(run.result.exitStatus == .limitReached)
            #expect(run.result.error?.what.hasPrefix("2 of 3 rows would lose their files (67%)") == true)
        }
        #expect(try fixture.rows("preview_cards") == rows)
        let run = try await fixture.run { options in
            options.kinds = [.card]
            options.limit = .count(2)
        }
        #expect(run.result.exitStatus == .done)
    }

    @Test("rows keep their files where the media root looks unmounted")
    func unmounted() async throws {
        let fixture = try CleanupFixture("unmounted")
        let rows = try fixture.rows("preview_cards")
        let other = MemoryMediaStore()
        other.add(BytePath("lost+found/x"), [1], at: Timestamp(seconds: 1_790_000_000, nanoseconds: 0))
        for store in [MemoryMediaStore(), other] {
            let run = try await fixture.run(store: store) { $0.kinds = [.card] }
            #expect(run.result.exitStatus == .refused)
        }
        #expect(try fixture.rows("preview_cards") == rows)
    }

    @Test("a row that another session changes or deletes between reading and writing is left alone, and its files too")
    func superseded() async throws {
        let fixture = try CleanupFixture("superseded")
        let name = fixture.name
        // The server fetched a card's picture anew, and deleted another card.
        let new = BytePath("cache/preview_cards/images/000/000/040/original/new.png")
        fixture.store.add(new, [1], at: Timestamp(seconds: 1_790_000_000, nanoseconds: 0))
        let intents = MemoryIntents { (_) throws(SyncError) in
            let statements = """
                UPDATE preview_cards SET image_file_name = 'new.png' WHERE id = 40; DELETE FROM preview_cards WHERE id = 43
                """
            do { try Fixture.cluster().sql(statements, database: name) } catch {
                throw SyncError(.unexpected, "\(error)")
            }
        }
        let before = fixture.store.paths
        let run = try await fixture.run(intents: intents) { $0.kinds = [.card] }
        #expect(run.result.exitStatus == .done)
        #expect(run.result.counts.updated == 0)
        #expect(run.result.counts.unchanged == 2)
        #expect(run.ears.notices.contains { $0.message.hasPrefix("2 rows changed or went") })
        #expect(fixture.store.paths == before)
        #expect(try fixture.sql("SELECT image_file_name FROM preview_cards WHERE id = 40") == "new.png")
    }

    @Test("rows that became young meanwhile are left alone, although their names are the same")
    func becameYoung() async throws {
        let fixture = try CleanupFixture("became_young")
        let name = fixture.name
        let intents = MemoryIntents { (_) throws(SyncError) in
            let statement = "UPDATE accounts SET last_webfingered_at = now() AT TIME ZONE 'utc' WHERE id = 101"
            do { try Fixture.cluster().sql(statement, database: name) } catch {
                throw SyncError(.unexpected, "\(error)")
            }
        }
        let run = try await fixture.run(intents: intents) { $0.kinds = [.header] }
        #expect(run.result.counts.updated == 0)
        #expect(try fixture.sql("SELECT header_file_name FROM accounts WHERE id = 101") == "h101.png")
    }

    @Test("a lost connection ends the run with rows and files whole; the next run goes on")
    func lostConnection() async throws {
        let fixture = try CleanupFixture("lost_connection")
        let name = fixture.name
        let intents = MemoryIntents { (_) throws(SyncError) in
            let statement = """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = '\(name)' AND application_name = 'mediasync cleanup'
                """
            do { try Fixture.cluster().sql(statement) } catch { throw SyncError(.unexpected, "\(error)") }
        }
        let paths = fixture.store.paths
        let run = try await fixture.run(intents: intents) { $0.kinds = [.card] }
        #expect(run.result.exitStatus == .databaseUnreachable)
        #expect(fixture.store.paths == paths)
        #expect(intents.left.count == 2)
        let calm = MemoryIntents()
        for intent in [intents.left] { _ = try calm.open(intent) }
        let next = try await fixture.run(intents: calm) { $0.kinds = [.card] }
        #expect(next.result.exitStatus == .done)
        #expect(next.result.counts.updated == 2)
        #expect(calm.left.isEmpty)
    }

    @Test("files that could not be removed are named, and the next run removes them")
    func fileFaults() async throws {
        let fixture = try CleanupFixture("file_faults")
        let intents = MemoryIntents()
        let denied = FaultyStore(fixture.store, failing: .remove, with: .denied)
        let run = try await fixture.run(store: denied, intents: intents, jobs: 1) { $0.kinds = [.card] }
        #expect(run.result.exitStatus == .itemsFailed)
        #expect(run.result.counts.updated == 2)
        #expect(run.result.counts.deleteFailed == 1)
        #expect(run.result.counts.deleted == 1)
        #expect(intents.left.count == 2)
        let next = try await fixture.run(intents: intents) { $0.kinds = [.card] }
        #expect(next.result.exitStatus == .done)
        #expect(next.result.counts.deleted == 1)
        #expect(intents.left.isEmpty)
        #expect(fixture.store.paths.filter { $0.description.contains("preview_cards") }.count == 1)
    }

    @Test("open intents of a dead run: files go where no row names them, and stay where one does")
    func recovery() async throws {
        let fixture = try CleanupFixture("recovery")
        let intents = MemoryIntents()
        func path(_ id: Int, _ name: String) -> BytePath {
            BytePath("cache/preview_cards/images/000/000/0\(id)/original/\(name)")
        }
        // 41 was written down and not changed; 42 was changed, its file still lies there; 99 is gone altogether.
        fixture.store.add(path(42, "c42.png"), [1], at: Timestamp(seconds: 1_790_000_000, nanoseconds: 0))
        fixture.store.add(path(99, "c99.png"), [1], at: Timestamp(seconds: 1_790_000_000, nanoseconds: 0))
        let open = [(41, "c41.png"), (42, "c42.png"), (99, "c99.png"), (98, "never.png")].map { id, name in
            RemovalIntent(table: "preview_cards", id: Int64(id), paths: [path(id, name)])
        }
        _ = try intents.open(open)
        let run = try await fixture.run(intents: intents) { $0.kinds = [.header] }
        #expect(run.result.exitStatus == .done)
        #expect(try fixture.store.look(path(41, "c41.png")) != nil)
        #expect(try fixture.store.look(path(42, "c42.png")) == nil)
        #expect(try fixture.store.look(path(99, "c99.png")) == nil)
        #expect(intents.left.isEmpty)
        #expect(run.ears.items.filter { $0.contains("preview_cards") }.count == 2)
    }

    @Test("one run at a time for each database")
    func lock() async throws {
        let fixture = try CleanupFixture("lock")
        let inner = Mutex<SyncError.Code?>(nil)
        let blocked = MemoryIntents { (_) throws(SyncError) in
            // While the run is between reading and writing.
            let statement = "SELECT pg_try_advisory_lock(7882817126551222638)"
            let answer = try? Fixture.cluster().sql(statement, database: fixture.name)
            inner.withLock { $0 = answer == "f" ? .locked : nil }
        }
        _ = try await fixture.run(intents: blocked) { $0.kinds = [.card] }
        #expect(inner.withLock { $0 } == .locked)
        let settings = try Fixture.settings(fixture.name)
        let holder = try LockHolder(settings)
        let run = try await fixture.run { $0.kinds = [.header] }
        #expect(run.result.exitStatus == .locked)
        try holder.release()
        #expect(try await fixture.run { $0.kinds = [.header] }.result.exitStatus == .done)
    }

    @Test("thousands of rows go by batches, over several pages")
    func many() async throws {
        let fixture = try CleanupFixture("many")
        try fixture.sql(
            """
            INSERT INTO preview_cards (id, url, image_file_name, image_content_type, image_file_size,
                image_storage_schema_version, created_at, updated_at)
            SELECT n, 'https://p.example/' || n, 'c.png', 'image/png', 1, 1, '2020-01-01', '2020-01-01'
            FROM generate_series(1000, 10499) n
            """
        )
        let intents = MemoryIntents()
        let run = try await fixture.run(intents: intents) { $0.kinds = [.card] }
        #expect(run.result.exitStatus == .done)
        #expect(run.result.counts.updated == 9502)
        #expect(intents.opened == 9502)
        #expect(intents.left.isEmpty)
        #expect(try fixture.sql("SELECT count(*) FROM preview_cards WHERE image_file_name IS NOT NULL") == "1")
    }
}
