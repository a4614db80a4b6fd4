import Catalog
import MediaModel
import MediasyncTesting
import Running
import Storage
import Testing

@testable import Cleaning

@Suite struct OrphanVerdictTests {
    private static let row = CatalogRow(
        table: .mediaAttachments,
        id: 5,
        isRemote: true,
        media: [
            StoredMedia(
                kind: .attachment,
                rowID: 5,
                isRemote: true,
                fileName: Array("v.mp4".utf8),
                contentType: "video/mp4",
                storageVersion: 1
            )
        ]
    )

    @Test(
        "a file is its row's by number, kind and name; in another folder it is misplaced",
        arguments: [
            ("cache/media_attachments/files/000/000/005/original/v.mp4", OrphanVerdict.named),
            ("cache/media_attachments/files/000/000/005/small/v.png", .named),
            ("media_attachments/files/000/000/005/original/v.mp4", .misplaced),
            ("cache/media_attachments/files/000/000/005/small/v.mp4", .misplaced),
            ("cache/media_attachments/files/cache/000/000/005/original/v.mp4", .misplaced),
            ("cache/media_attachments/files/000/000/005/original/old.mp4", .orphan),
            ("cache/media_attachments/files/000/000/005/original/v.jpg", .orphan),
            ("cache/media_attachments/thumbnails/000/000/005/original/v.mp4", .orphan),
        ]
    )
    func verdicts(path: String, expected: OrphanVerdict) throws {
        let place = BytePath(path)
        let media = try #require(MediaPath(passingCacheFolders: place))
        #expect(OrphanVerdict(of: media, at: place, row: Self.row) == expected)
        #expect(OrphanVerdict(of: media, at: place, row: nil) == .orphan)
    }
}

/// `cleanup --orphans` on a real database, with files in memory.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct OrphanTests {
    private static let now: Int64 = 1_790_000_000

    private static let kept = [
        "cache/accounts/avatars/000/000/002/original/far.gif", "cache/accounts/avatars/000/000/002/static/far.png",
        "site_uploads/files/000/000/003/@1x/site.png", "site_uploads/files/000/000/003/original/site.jpeg",
    ]
    private static let misplaced = ["accounts/avatars/000/000/002/original/far.gif"]
    private static let unknown = ["README", "cache/tmp/upload", "accounts/avatars/2/original/far.gif"]
    private static let orphans = [
        // Another name, no row, an attachment that the row does not have.
        "cache/accounts/avatars/000/000/002/original/older.gif",
        "cache/media_attachments/files/109/876/543/210/987/654/original/x.jpg",
        "cache/accounts/headers/000/000/002/original/h.png",
    ]

    private static func fixture(_ name: String) throws -> MemoryMediaStore {
        _ = try MastodonDatabase(Fixture.cluster(), name: name, release: "4.6")
        let rows = """
            INSERT INTO accounts (id, username, domain, avatar_file_name, avatar_content_type, avatar_file_size,
                avatar_storage_schema_version, created_at, updated_at) VALUES
                (2, 'far', 'far.example', 'far.gif', 'image/gif', 7, 1, now(), now());
            INSERT INTO site_uploads (id, var, file_file_name, file_content_type, file_file_size, created_at, updated_at)
                VALUES (3, 'thumbnail', 'site.jpeg', 'image/jpeg', 7, now(), now());
            """
        try Fixture.cluster().sql(rows, database: name)
        let store = MemoryMediaStore()
        for path in kept + misplaced + unknown + orphans {
            store.add(BytePath(path), Array("content".utf8), at: Timestamp(seconds: now - 3600, nanoseconds: 0))
        }
        return store
    }

    private static func run(
        _ name: String,
        _ store: any MediaStore,
        change: (inout OrphanOptions) -> Void = { _ in }
    ) async throws -> (result: RunResult, ears: Ears) {
        var options = OrphanOptions()
        options.reportsEveryItem = true
        change(&options)
        let ears = Ears()
        let engine = OrphanEngine(
            options: options,
            settings: try Fixture.settings(name),
            store: store,
            startedAt: now,
            control: RunControl(),
            sink: { ears.hear($0) }
        )
        return (await engine.run(), ears)
    }

    @Test("files without a row go; what is somebody's, misplaced or unknown stays, and the latter is told")
    func removing() async throws {
        let store = try Self.fixture("orphans")
        let dry = try await Self.run("orphans", store) { $0.dryRun = true }
        #expect(store.paths.count == Self.kept.count + Self.misplaced.count + Self.unknown.count + Self.orphans.count)
        let run = try await Self.run("orphans", store)
        #expect(run.result.exitStatus == .done)
        #expect(store.paths.map(\.description) == (Self.kept + Self.misplaced + Self.unknown).sorted())
        #expect(run.result.counts.deleted == Self.orphans.count)
        #expect(run.result.counts.bytesDeleted == Int64(7 * Self.orphans.count))
        #expect(run.ears.items.sorted() == Self.orphans.map { "deleted \($0)" }.sorted())
        #expect(dry.ears.items.sorted() == run.ears.items.sorted())
        let told = run.ears.notices.map(\.message).sorted()
        let places = Self.misplaced.map { "kept, in a folder where its row does not expect it: \($0)" }
        #expect(told == (Self.unknown.map { "kept, not recognized: \($0)" } + places).sorted())
    }

    @Test("a file younger than an hour is left alone: its row may come")
    func young() async throws {
        let store = try Self.fixture("young")
        let young = BytePath("cache/accounts/avatars/000/000/002/original/new.gif")
        store.add(young, [1], at: Timestamp(seconds: Self.now - 3599, nanoseconds: 0))
        let run = try await Self.run("young", store) { $0.limit = .percent(100) }
        #expect(try store.look(young) != nil)
        #expect(run.result.counts.deleted == Self.orphans.count)
    }

    @Test("more than the limit is refused before anything is removed")
    func limit() async throws {
        let store = try Self.fixture("orphan_limit")
        let paths = store.paths
        let run = try await Self.run("orphan_limit", store) { $0.limit = .count(2) }
        #expect(run.result.exitStatus == .limitReached)
        #expect(run.result.error?.what.hasPrefix("3 of 11 files have no row (27%)") == true)
        #expect(store.paths == paths)
        // A database of another server: nearly everything would be an orphan.
        try Fixture.cluster().sql("DELETE FROM accounts; DELETE FROM site_uploads", database: "orphan_limit")
        #expect(try await Self.run("orphan_limit", store).result.exitStatus == .limitReached)
        #expect(store.paths == paths)
    }

    @Test("a lost connection ends the run; what was removed had no row, and the next run removes the rest")
    func lostConnection() async throws {
        let store = try Self.fixture("orphan_lost")
        let moment = Timestamp(seconds: Self.now - 3600, nanoseconds: 0)
        // Three look-ups and a bit, all in one directory.
        for number in 0..<1600 {
            store.add(BytePath("cache/preview_cards/images/000/000/007/original/\(number).png"), [1], at: moment)
        }
        let hooked = HookedStore(store) {
            let statement = """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = 'orphan_lost' AND application_name = 'mediasync cleanup'
                """
            do { try Fixture.cluster().sql(statement) } catch { Issue.record("\(error)") }
        }
        let run = try await Self.run("orphan_lost", hooked) { options in
            options.limit = .percent(100)
            options.jobs = 1
        }
        #expect(run.result.exitStatus == .databaseUnreachable)
        #expect(run.result.counts.deleted > 0)
        #expect(run.result.counts.deleted < 1600)
        for path in Self.kept { #expect(try store.look(BytePath(path)) != nil) }
        let next = try await Self.run("orphan_lost", store) { $0.limit = .percent(100) }
        #expect(next.result.exitStatus == .done)
        #expect(store.paths.map(\.description) == (Self.kept + Self.misplaced + Self.unknown).sorted())
    }

    @Test("a prefix and a path to start after limit the search")
    func part() async throws {
        let store = try Self.fixture("orphan_part")
        let run = try await Self.run("orphan_part", store) { options in
            options.prefix = BytePath("cache/accounts")
            options.startAfter = BytePath("cache/accounts/avatars/~")
            options.limit = .percent(100)
        }
        #expect(run.ears.items == ["deleted cache/accounts/headers/000/000/002/original/h.png"])
    }

    @Test("a file that cannot be removed is named and the others go; another database ends the run")
    func faults() async throws {
        let store = try Self.fixture("orphan_faults")
        let faulty = FaultyStore(store, failing: .remove, with: .denied)
        let run = try await Self.run("orphan_faults", faulty)
        #expect(run.result.exitStatus == .itemsFailed)
        #expect(run.result.counts.deleteFailed == 1)
        #expect(run.result.counts.deleted == Self.orphans.count - 1)
        #expect(try await Self.run("postgres", store).result.exitStatus == .schemaUnknown)
    }
}
