import Catalog
import Fetching
import MediaModel
import MediasyncTesting
import Pacing
import Postgres
import Running
import Storage
import Synchronization

@testable import Refreshing

/// One server for all tests of this bundle.
enum Fixture {
    private static let shared = Result {
        let cluster = try PostgresCluster()
        // Once, before several tests need it at the same time.
        try MastodonDatabase.makeRole(cluster)
        return cluster
    }
    static func cluster() throws -> PostgresCluster { try shared.get() }
}

/// Hears a run's events.
final class Ears: Sendable {
    private let heard = Mutex<[Event]>([])

    func hear(_ event: Event) { heard.withLock { $0.append(event) } }

    /// `fetched attachment 10`, one an item, sorted.
    var items: [String] {
        heard.withLock { $0 }.compactMap { event -> String? in
            guard case .item(let item) = event, let row = item.row else { return nil }
            if case .skipped(let reason) = item.outcome { return "\(reason.rawValue) \(row.kind) \(row.id)" }
            return "\(item.outcome.name) \(row.kind) \(row.id)"
        }.sorted()
    }

    /// The failures' reasons.
    var reasons: [String] {
        heard.withLock { $0 }.compactMap { event in
            guard case .item(let item) = event, case .failed(let error) = item.outcome else { return nil }
            return error.why
        }
    }

    var notices: [String] {
        heard.withLock { $0 }.compactMap { event in
            if case .notice(let notice) = event { notice.message } else { nil }
        }
    }
}

/// What a run remembers, in memory.
final class MemoryMemory: RefreshMemory {
    private let state = Mutex<[MediaReference: RefreshEnding.Kind]>([:])

    func gone(since moment: Int64) throws(SyncError) -> Set<MediaReference> { with(.gone) }
    func failed() throws(SyncError) -> Set<MediaReference> { with(.failed) }

    private func with(_ kind: RefreshEnding.Kind) -> Set<MediaReference> {
        state.withLock { state in Set(state.filter { $0.value == kind }.keys) }
    }

    func record(_ endings: [RefreshEnding], at moment: Int64) throws(SyncError) {
        state.withLock { state in
            for ending in endings { state[ending.media] = ending.kind == .fetched ? nil : ending.kind }
        }
    }
}

/// A database with rows whose files are there, missing, empty and of the wrong size, and their files in memory.
struct RefreshFixture {
    let name: String
    let store = MemoryMediaStore()
    let memory = MemoryMemory()
    let intents = MemoryIntents()

    init(_ name: String, release: String = "4.6") throws {
        self.name = name
        _ = try MastodonDatabase(Fixture.cluster(), name: name, release: release)
        try sql(Self.rows)
        for (path, text) in Self.files {
            let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
            store.add(BytePath(path), Array(text.utf8), at: moment)
        }
    }

    @discardableResult
    func sql(_ statements: String) throws -> String {
        try Fixture.cluster().sql(statements, database: name, user: MastodonDatabase.role)
    }

    var settings: ConnectionSettings {
        get throws {
            var settings = ConnectionSettings()
            settings.host = try Fixture.cluster().socketDirectory
            settings.port = String(try Fixture.cluster().port)
            settings.user = MastodonDatabase.role
            settings.database = name
            return settings
        }
    }

    /// Every row of a table as JSON, by number.
    func rows(_ table: String) throws -> [String: String] {
        let text = try sql("SELECT id, to_jsonb(t) FROM \(table) t ORDER BY id")
        return text.split(separator: "\n").reduce(into: [:]) { rows, line in
            let parts = line.split(separator: "|", maxSplits: 1)
            rows[String(parts[0])] = String(parts[1])
        }
    }

    /// Attachments of their own with good files, at these addresses.
    func add(_ urls: [String], firstID: Int = 1000, account: Int = 101, hasFiles: Bool = true) throws {
        let values = urls.enumerated().map { index, url in "(\(firstID + index), '\(url)')" }
        let name = hasFiles ? "'old.jpg', 'image/jpeg', 7, '2026-01-01', 1" : "NULL, NULL, NULL, NULL, NULL"
        try sql(
            """
            INSERT INTO media_attachments (id, account_id, remote_url, type, file_file_name, file_content_type,
                file_file_size, file_updated_at, file_storage_schema_version, created_at, updated_at)
            SELECT id, \(account), url, 0, \(name), '2026-01-01', '2026-01-01'
            FROM (VALUES \(values.joined(separator: ", "))) AS v (id, url)
            """
        )
        guard hasFiles else { return }
        for id in firstID..<firstID + urls.count {
            let folder = "cache/media_attachments/files/000/00\(id / 1000)/\(String(id).suffix(3))"
            let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
            store.add(BytePath("\(folder)/original/old.jpg"), Array("content".utf8), at: moment)
            store.add(BytePath("\(folder)/small/old.jpg"), Array("small".utf8), at: moment)
        }
    }

    static func everything(
        _ kinds: Set<MediaKind> = [.attachment, .thumbnail, .avatar, .header, .emoji]
    ) -> RefreshOptions {
        var options = RefreshOptions(scope: RemoteScope(kinds: kinds), interval: .all)
        options.reportsEveryItem = true
        options.pace.rate = 1000
        options.triesMax = 1
        return options
    }

    func run(
        _ options: RefreshOptions = RefreshFixture.everything(),
        through pooler: ConnectionPooler? = nil,
        store other: (any MediaStore)? = nil,
        intents log: (any IntentLog)? = nil,
        control: RunControl = RunControl(),
        origin: any MediaFetching = FakeOrigin { .success(Array("jpeg of \($0)".utf8)) }
    ) async throws -> (result: RunResult, ears: Ears, engine: RefreshEngine) {
        let ears = Ears()
        var settings = try settings
        if let pooler {
            settings.host = pooler.socketDirectory
            settings.port = String(pooler.port)
        }
        let engine = RefreshEngine(
            options: options,
            parts: RefreshEngine.Parts(
                settings: settings,
                store: other ?? store,
                modes: StoreModes(),
                intents: log ?? intents,
                memory: memory,
                fetcher: origin,
                processor: FakeDecoder()
            ),
            decoders: 2,
            control: control,
            sink: { ears.hear($0) }
        )
        return (await engine.run(), ears, engine)
    }

    /// What rows name and the store lacks, and what the store has and no row names; both must be empty but for what was
    /// broken before.
    func audit() throws -> (missing: Set<String>, orphans: Set<String>) {
        let connection = try Connection(settings, application: "audit")
        let reader = try CatalogReader(connection)
        var named: Set<BytePath> = []
        for table in CatalogTable.allCases {
            let page = try reader.page(table)
            for media in page.rows.flatMap(\.media) {
                named.formUnion(media.styles.compactMap { media.path(of: $0) })
            }
        }
        let present = Set(store.paths)
        return (
            Set(named.subtracting(present).map(\.description)), Set(present.subtracting(named).map(\.description))
        )
    }

    /// Snowflakes of the second 1,790,000,000.
    static let base: Int64 = 1_790_000_000_000 << 16

    private static let rows = """
        INSERT INTO accounts (id, username, domain, uri, avatar_file_name, avatar_content_type, avatar_file_size,
            avatar_updated_at, avatar_storage_schema_version, avatar_remote_url, header_remote_url, created_at, updated_at)
        VALUES
            (100, 'local', NULL, '', 'a.png', 'image/png', 7, '2026-01-01', 1, '', '', now(), '2026-01-01'),
            (101, 'missing', 'far.example', 'https://far.example/users/missing', 'a.png', 'image/png', 7,
                '2026-01-01 01:02:03.456789', 1, 'https://far.example/a101', 'https://far.example/h101', now(), '2026-01-01'),
            (102, 'present', 'far.example', 'https://far.example/users/present', 'b.png', 'image/png', 7,
                '2026-01-01', 1, 'https://far.example/a102', '', now(), '2026-01-01'),
            (103, 'rejected', 'bad.example', 'https://bad.example/users/x', 'c.png', 'image/png', 7, '2026-01-01', 1,
                'https://bad.example/a103', '', now(), '2026-01-01');
        INSERT INTO domain_blocks (domain, severity, reject_media, created_at, updated_at)
            VALUES ('bad.example', 0, true, now(), now());
        INSERT INTO statuses (id, account_id, uri, local, text, created_at, updated_at)
            VALUES (\(base + 1), 101, 'x:1', false, '', now(), now());
        INSERT INTO media_attachments (id, account_id, status_id, remote_url, thumbnail_remote_url, type, file_file_name,
            file_content_type, file_file_size, file_updated_at, file_storage_schema_version, file_meta, blurhash,
            created_at, updated_at)
        SELECT id, account, status, url, thumbnail, 0, name, CASE WHEN name IS NOT NULL THEN 'image/jpeg' END, size,
            CASE WHEN name IS NOT NULL THEN timestamp '2026-01-01' END, version, meta::json, 'OLD', '2026-01-01', '2026-01-01'
        FROM (VALUES
            (10, 101, NULL, 'https://far.example/m10', NULL, 'm10.jpg', 7, 1, '{"focus":{"x":0.5,"y":-0.25}}'),
            (11, 101, NULL, 'https://far.example/m11', NULL, 'm11.jpg', 7, 1, NULL),
            (12, 101, NULL, 'https://far.example/m12', NULL, 'm12.jpg', 7, 1, NULL),
            (13, 101, NULL, 'https://far.example/m13', 'https://thumb.example/t13', NULL, NULL, 0, NULL),
            (14, 100, NULL, '', NULL, 'm14.jpg', 7, NULL, NULL),
            (15, 103, NULL, 'https://far.example/m15', NULL, NULL, NULL, NULL, NULL),
            (16, 102, NULL, 'https://far.example/m16', NULL, 'm16.jpg', 7, 0, NULL),
            (\(base), 101, \(base + 1), 'https://far.example/m20', NULL, NULL, NULL, 1, NULL)
        ) AS v (id, account, status, url, thumbnail, name, size, version, meta);
        INSERT INTO custom_emojis (id, shortcode, domain, image_remote_url, created_at, updated_at)
            VALUES (30, 'blob', 'far.example', 'https://far.example/e30', now(), '2026-01-01'),
                   (31, 'own', NULL, NULL, now(), '2026-01-01');
        """

    private static let files: [(String, String)] = [
        ("accounts/avatars/000/000/100/original/a.png", "content"),
        ("cache/accounts/avatars/000/000/102/original/b.png", "content"),
        // 11 is there, 12 has an empty small variant, 16 lies outside of cache/ and has the wrong size.
        ("cache/media_attachments/files/000/000/011/original/m11.jpg", "content"),
        ("cache/media_attachments/files/000/000/011/small/m11.jpg", "small"),
        ("cache/media_attachments/files/000/000/012/original/m12.jpg", "content"),
        ("cache/media_attachments/files/000/000/012/small/m12.jpg", ""),
        ("media_attachments/files/000/000/016/original/m16.jpg", "cont"),
        ("media_attachments/files/000/000/016/small/m16.jpg", "small"),
        ("media_attachments/files/000/000/014/original/m14.jpg", "content"),
        ("media_attachments/files/000/000/014/small/m14.jpg", "small"),
    ]
}
