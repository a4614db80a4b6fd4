import Catalog
import MediaModel
import MediasyncTesting
import Running
import Storage
import Synchronization
import Testing

@testable import Cleaning

/// Local media come first in what `verify --store` tells, however long their rows take to be found.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct StoreOrderTests {
    private static let rowCount = 18_000

    /// Rows of which every thirtieth is local and all others are not; nobody has their files.
    private static func fill(_ name: String) throws {
        _ = try MastodonDatabase(Fixture.cluster(), name: name, release: "4.6")
        try Fixture.cluster().sql(
            """
            INSERT INTO media_attachments (id, remote_url, file_file_name, file_content_type, file_file_size,
                created_at, updated_at)
            SELECT n, CASE WHEN n % 30 = 0 THEN '' ELSE 'https://far.example/' || n END, n || '.png', 'image/png', 1,
                now(), now() FROM generate_series(1, \(rowCount)) n;
            INSERT INTO accounts (id, username, domain, avatar_file_name, avatar_content_type, avatar_file_size,
                created_at, updated_at)
            SELECT n, 'u' || n, CASE WHEN n % 2 = 1 THEN NULL ELSE 'far.example' END, 'a.png', 'image/png', 1, now(),
                now() FROM generate_series(1, 100) n
            """,
            database: name,
            user: MastodonDatabase.role
        )
    }

    /// A store in which the files of local rows and of the first remote ones are missing.
    private static func store(remoteMissing: Int) -> MemoryMediaStore {
        let store = MemoryMediaStore()
        let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
        for id in (remoteMissing + 1)...rowCount where id % 30 != 0 {
            let folder = "media_attachments/files/000/\(digits(id / 1000))/\(digits(id % 1000))"
            for style in ["original", "small"] { store.add(BytePath("\(folder)/\(style)/\(id).png"), [1], at: moment) }
        }
        return store
    }

    private static func digits(_ number: Int) -> String { String(String(1000 + number).dropFirst()) }

    private static func told(
        _ name: String,
        remoteMissing: Int,
        now: @escaping @Sendable () -> Int64,
        change: (inout StoreVerifyOptions) -> Void = { _ in }
    ) async throws -> (items: [String], counts: Counts, looks: Int) {
        var options = StoreVerifyOptions()
        // One worker: what is looked at first is told first.
        options.jobs = 1
        change(&options)
        let ears = Ears()
        let store = CountingStore(store(remoteMissing: remoteMissing))
        let engine = StoreVerifyEngine(
            options: options,
            settings: try Fixture.settings(name),
            store: store,
            processors: 2,
            control: RunControl(),
            now: now,
            sink: { ears.hear($0) }
        )
        let result = await engine.run()
        #expect(result.exitStatus == .differences)
        return (ears.items, result.counts, store[.look])
    }

    private static func isLocal(_ item: String) -> Bool { item.hasSuffix(" local") }

    @Test(
        "whether all is read in one go, is left to local rows after a while or at once, or is told too much: the same is told",
        arguments: [50, 3000]
    )
    func sameOrder(remoteMissing: Int) async throws {
        let name = "order_\(remoteMissing)"
        try Self.fill(name)
        let together = try await Self.told(name, remoteMissing: remoteMissing) { 0 }
        let ticks = Atomic(Int64(0))
        // A second a page: the window closes in the middle of the rows.
        let left = try await Self.told(name, remoteMissing: remoteMissing) {
            ticks.wrappingAdd(1_000_000_000, ordering: .relaxed).newValue
        }
        let hours = Atomic(Int64(0))
        let apart = try await Self.told(name, remoteMissing: remoteMissing) {
            hours.wrappingAdd(3_600_000_000_000, ordering: .relaxed).newValue
        }
        for run in [together, left, apart] {
            let firstRemote = try #require(run.items.firstIndex { !Self.isLocal($0) })
            #expect(run.items[firstRemote...].allSatisfy { !Self.isLocal($0) })
            // Both files of a local attachment, and 50 avatars.
            #expect(firstRemote == 2 * Self.rowCount / 30 + 50)
            #expect(run.looks == 2 * Self.rowCount + 100)
            #expect(run.counts.seen == run.looks)
            #expect(run.counts.different == run.items.count)
        }
        #expect(left.items == apart.items)
        #expect(together.items == apart.items)
    }

    @Test("a half by itself, and a run that tells every file, read their rows as before")
    func others() async throws {
        try Self.fill("order_others")
        let remote = try await Self.told("order_others", remoteMissing: 50, now: { 0 }) { $0.remote = true }
        #expect(remote.items.allSatisfy { !Self.isLocal($0) })
        #expect(remote.looks == 2 * (Self.rowCount - Self.rowCount / 30) + 50)
        let every = try await Self.told("order_others", remoteMissing: 50, now: { 0 }) { $0.reportsEveryItem = true }
        #expect(every.items.count == 2 * Self.rowCount + 100)
        let firstRemote = try #require(every.items.firstIndex { !Self.isLocal($0) })
        #expect(every.items[firstRemote...].allSatisfy { !Self.isLocal($0) })
    }
}
