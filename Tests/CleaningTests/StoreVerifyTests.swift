import Catalog
import Imaging
import MediaModel
import MediasyncTesting
import Postgres
import Running
import Storage
import Synchronization
import Testing

@testable import Cleaning

@Suite struct StoreVerdictTests {
    private static func verdict(_ kind: EntryKind?, _ size: Int64, row: Int64?, style: MediaStyle) -> StoreVerdict {
        let never = Timestamp(seconds: 0, nanoseconds: 0)
        let entry = StoreEntry(kind: kind, size: size, modificationTime: never)
        return StoreVerdict(isOriginal: style == .original, byteCount: row, found: entry)
    }

    @Test(
        "a file is good, empty, of another size, or no file; only the original's size is in the row",
        arguments: [
            (EntryKind.file, 10, 10, "original", StoreVerdict.good(10)), (.file, 11, 10, "original", .otherSize(11)),
            (.file, 11, 10, "small", .good(11)), (.file, 0, 10, "original", .empty), (.file, 0, 10, "small", .empty),
            (.file, 0, 0, "original", .empty), (.file, 5, nil, "original", .good(5)),
            (.directory, 10, 10, "original", .otherKind(.directory)), (.symlink, 10, 10, "small", .otherKind(.symlink)),
        ] as [(EntryKind, Int64, Int64?, String, StoreVerdict)]
    )
    func verdicts(kind: EntryKind, size: Int64, row: Int64?, style: String, expected: StoreVerdict) {
        #expect(Self.verdict(kind, size, row: row, style: MediaStyle(style)) == expected)
    }

    @Test("what is not there is missing")
    func missing() {
        #expect(StoreVerdict(isOriginal: true, byteCount: nil, found: nil) == .missing)
    }
}

/// `verify --store` on the real schema in a real server, with files in memory.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct StoreVerifyTests {
    private static let releases = ["4.2", "4.3", "4.6"]

    /// What the rows below name, file by file, with the size of the original.
    private static let files: [(path: String, size: Int)] = [
        ("accounts/avatars/000/000/001/original/me.png", 10),
        ("cache/accounts/avatars/000/000/002/original/far.gif", 20),
        ("cache/accounts/avatars/000/000/002/static/far.png", 3),
        ("cache/accounts/headers/000/000/002/original/far.jpg", 30),
        ("media_attachments/files/000/001/235/original/up.jpeg", 101),
        ("media_attachments/files/000/001/235/small/up.jpeg", 5),
        ("cache/media_attachments/files/117/662/810/112/000/001/original/v.mp4", 102),
        ("cache/media_attachments/files/117/662/810/112/000/001/small/v.png", 6),
        ("media_attachments/thumbnails/117/662/810/112/000/001/original/t.png", 7),
        ("cache/preview_cards/images/000/000/005/original/c.webp", 50),
        ("cache/custom_emojis/images/000/000/008/original/r.png", 61),
        ("cache/custom_emojis/images/000/000/008/static/r.png", 9),
        ("site_uploads/files/000/000/003/original/site.png", 70),
    ]

    private static let rows = """
        INSERT INTO accounts (id, username, domain, avatar_file_name, avatar_content_type, avatar_file_size,
            avatar_updated_at, avatar_storage_schema_version, header_file_name, header_content_type, header_file_size,
            header_updated_at, header_storage_schema_version, created_at, updated_at) VALUES
            (1, 'admin', NULL, 'me.png', 'image/png', 10, '2020-01-01', 1, NULL, NULL, NULL, NULL, NULL, now(), now()),
            (2, 'far', 'far.example', 'far.gif', 'image/gif', 20, '2020-01-01', 1, 'far.jpg', 'image/jpeg', 30,
                '2020-01-01', 1, now(), now());
        INSERT INTO media_attachments (id, account_id, remote_url, file_file_name, file_content_type, file_file_size,
            file_updated_at, file_storage_schema_version, thumbnail_file_name, thumbnail_content_type,
            thumbnail_file_size, thumbnail_updated_at, created_at, updated_at) VALUES
            (1235, 1, '', 'up.jpeg', 'image/jpeg', 101, '2020-01-01', 1, NULL, NULL, NULL, NULL, '2020-01-01', now()),
            (117662810112000001, 2, 'https://far.example/v', 'v.mp4', 'video/mp4', 102, now(), 1, 't.png', 'image/png',
                7, now(), '2026-11-23', now());
        INSERT INTO preview_cards (id, url, image_file_name, image_content_type, image_file_size, image_updated_at,
            image_storage_schema_version, created_at, updated_at) VALUES
            (5, 'https://p.example/1', 'c.webp', 'image/webp', 50, '2020-01-01', 1, now(), now());
        INSERT INTO custom_emojis (id, shortcode, domain, image_file_name, image_content_type, image_file_size,
            image_updated_at, image_storage_schema_version, created_at, updated_at) VALUES
            (8, 'blob', 'far.example', 'r.png', 'image/png', 61, '2020-01-01', 1, now(), now());
        INSERT INTO site_uploads (id, var, file_file_name, file_content_type, file_file_size, created_at, updated_at)
            VALUES (3, 'thumbnail', 'site.png', 'image/png', 70, now(), now());
        """

    private static func database(_ name: String, release: String) throws -> MastodonDatabase {
        let database = try MastodonDatabase(Fixture.cluster(), name: name, release: release)
        try Fixture.cluster().sql(rows, database: name, user: MastodonDatabase.role)
        return database
    }

    private static func store(without left: [String] = []) -> MemoryMediaStore {
        let store = MemoryMediaStore()
        for file in files where !left.contains(file.path) {
            let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
            store.add(BytePath(file.path), [UInt8](repeating: 1, count: file.size), at: moment)
        }
        return store
    }

    private static func verify(
        _ database: String,
        _ store: any MediaStore,
        decoder: (any MediaDecoding)? = nil,
        jobs: Int = 4,
        control: RunControl = RunControl(),
        change: (inout StoreVerifyOptions) -> Void = { _ in }
    ) async throws -> (result: RunResult, engine: StoreVerifyEngine, ears: Ears) {
        var options = StoreVerifyOptions()
        options.jobs = jobs
        change(&options)
        let ears = Ears()
        let engine = StoreVerifyEngine(
            options: options,
            settings: try Fixture.settings(database),
            store: store,
            decoder: decoder,
            processors: 2,
            control: control,
            sink: { ears.hear($0) }
        )
        return (await engine.run(), engine, ears)
    }

    @Test(
        "a store that holds everything is good, and every file was looked at once",
        arguments: MastodonDatabase.releases
    )
    func good(release: String) async throws {
        _ = try Self.database("good_\(release)", release: release)
        let store = CountingStore(Self.store())
        let run = try await Self.verify("good_\(release)", store)
        #expect(run.result.exitStatus == .done)
        #expect(run.ears.items.isEmpty)
        #expect(run.ears.notices.isEmpty)
        #expect(run.result.counts.seen == Self.files.count)
        #expect(run.result.counts.unchanged == Self.files.count)
        #expect(run.result.counts.bytesSeen == Int64(Self.files.reduce(0) { $0 + $1.size }))
        #expect(store[.look] == Self.files.count)
        #expect(store[.publish] + store[.remove] + store[.contents] == 0)
    }

    @Test("each missing file is told once, with its row, and the exit code is 4", arguments: StoreVerifyTests.releases)
    func missing(release: String) async throws {
        _ = try Self.database("missing_\(release)", release: release)
        for (path, _) in Self.files {
            let run = try await Self.verify("missing_\(release)", Self.store(without: [path]))
            #expect(run.result.exitStatus == .differences)
            #expect(run.ears.items.count == 1)
            #expect(run.ears.items.first?.hasPrefix("missing \(path) ") == true)
            #expect(run.engine.table().reduce(0) { $0 + $1.tally.missing } == 1)
        }
    }

    /// The first bytes of a file of this name.
    private static func head(_ path: String) -> [UInt8] {
        switch path.split(separator: ".").last {
        case "png": [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        case "jpg", "jpeg": [0xFF, 0xD8, 0xFF]
        case "gif": Array("GIF89a".utf8)
        case "mp4": Array("\0\0\0 ftypisom".utf8)
        default: Array("RIFF....WEBP".utf8)
        }
    }

    @Test("with --types files are opened: what is of another type than its row says is told, and nothing else")
    func types() async throws {
        _ = try Self.database("types", release: "4.6")
        try Fixture.cluster().sql("UPDATE site_uploads SET file_content_type = 'image/x-unknown'", database: "types")
        let store = MemoryMediaStore()
        let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
        func fill(_ other: [String: [UInt8]]) {
            for file in Self.files {
                let head = other[file.path] ?? Self.head(file.path)
                let rest = [UInt8](repeating: 1, count: max(0, file.size - head.count))
                // Rows say nothing of the size of other variants.
                let isOriginal = file.path.contains("/original/")
                store.add(BytePath(file.path), isOriginal ? Array((head + rest).prefix(file.size)) : head, at: moment)
            }
        }
        // A thumbnail of seven bytes is too short for its signature: the row is made to say so.
        try Fixture.cluster().sql(
            "UPDATE media_attachments SET thumbnail_file_size = 8 WHERE id > 1235",
            database: "types"
        )
        fill([:])
        store.add(BytePath(Self.thumbnail), Self.head("t.png"), at: moment)
        let counting = CountingStore(store)
        let good = try await Self.verify("types", counting) { $0.checksTypes = true }
        #expect(good.result.exitStatus == .done, "\(good.ears.items)")
        // The type of the site's picture is not known: it is not opened.
        #expect(counting[.contents] == Self.files.count - 1)
        let page = Array("<html><head><title>".utf8)
        // A still GIF's small variant is the GIF itself.
        let wrong = [
            "media_attachments/files/000/001/235/original/up.jpeg": page,
            "cache/media_attachments/files/117/662/810/112/000/001/small/v.png": Self.head("x.jpeg"),
            "cache/accounts/avatars/000/000/002/static/far.png": Self.head("x.gif"),
            "site_uploads/files/000/000/003/original/site.png": page,
        ]
        fill(wrong)
        store.add(BytePath(Self.thumbnail), Self.head("t.png"), at: moment)
        let run = try await Self.verify("types", store) { $0.checksTypes = true }
        #expect(run.result.exitStatus == .differences)
        #expect(
            run.ears.items.sorted() == [
                "type cache/media_attachments/files/117/662/810/112/000/001/small/v.png attachment 117662810112000001 remote",
                "type media_attachments/files/000/001/235/original/up.jpeg attachment 1235 local",
            ]
        )
        #expect(run.engine.table().reduce(0) { $0 + $1.tally.different } == 2)
        #expect(try await Self.verify("types", store).result.exitStatus == .done)
    }

    private static let thumbnail = "media_attachments/thumbnails/117/662/810/112/000/001/original/t.png"

    @Test("with files, what no row names or expects there is told as extra, by kind and half; what is young is not")
    func unnamed() async throws {
        _ = try Self.database("unnamed", release: "4.6")
        let store = Self.store()
        let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
        let orphan = "cache/preview_cards/images/000/000/006/original/x.png"
        let misplaced = "accounts/avatars/000/000/002/original/far.gif"
        for path in [orphan, misplaced, "cache/README"] { store.add(BytePath(path), [1], at: moment) }
        let young = "media_attachments/files/000/000/009/original/new.png"
        store.add(BytePath(young), [1], at: Timestamp(seconds: 1_790_000_001, nanoseconds: 0))
        let run = try await Self.verify("unnamed", store) { $0.unnamedBefore = 1_790_000_001 }
        #expect(run.result.exitStatus == .differences)
        let told = ["extra \(misplaced) avatar 2 local", "extra \(orphan) card 6 remote"]
        #expect(run.ears.items.sorted() == told.sorted())
        #expect(run.ears.notices.map(\.message) == ["not recognized: cache/README"])
        #expect(run.result.counts.seen == Self.files.count + 2)
        let half = try await Self.verify("unnamed", store) { options in
            options.unnamedBefore = 1_790_000_001
            options.remote = true
            options.kinds = [.card]
        }
        #expect(half.ears.items == ["extra \(orphan) card 6 remote"])
        #expect(try await Self.verify("unnamed", store).result.exitStatus == .done)
    }

    @Test("with --types a file that cannot be opened is a failure, told by name")
    func unreadable() async throws {
        _ = try Self.database("unreadable", release: "4.6")
        let faulty = FaultyStore(Self.store(), failing: .contents, with: .denied)
        let run = try await Self.verify("unreadable", faulty, jobs: 1) { $0.checksTypes = true }
        #expect(run.result.counts.failed == 1)
        #expect(run.ears.items.filter { $0.hasPrefix("failed ") }.count == 1)
    }

    /// Decodes nothing: what ends in a 9 is damaged. With a limit it waits, after so many files, until it is shut down.
    private final class TailDecoder: MediaDecoding {
        private let count = Atomic(0)
        var calls: Int { count.load(ordering: .relaxed) }
        private let limit: Int
        private let isOver = Atomic(false)
        private let control: RunControl?

        init(stopping control: RunControl? = nil, after limit: Int = Int.max) {
            self.control = control
            self.limit = limit
        }

        func check(_ descriptor: Int32, bytes: Int64) throws(ProcessingFault) {
            if count.wrappingAdd(1, ordering: .relaxed).newValue > limit {
                control?.stop(SyncError(.interrupted, "stopped by SIGINT"))
                while !isOver.load(ordering: .relaxed) { Host.sleep(nanoseconds: 1_000_000) }
                throw ProcessingFault(.stopped, "the run was stopped")
            }
            var last: [UInt8] = [0]
            let fault = last.withUnsafeMutableBytes { buffer -> FileFault? in
                do throws(FileFault) {
                    _ = try OpenFile.read(descriptor: descriptor, into: buffer, at: bytes - 1)
                    return nil
                } catch { return error }
            }
            if fault != nil { throw ProcessingFault(.unreadable, "it cannot be read") }
            if last == [9] { throw ProcessingFault(.truncated, "the end is missing") }
        }

        func shutDown() { isOver.store(true, ordering: .relaxed) }
    }

    /// A store whose files have the right types, in full length.
    private static func typedStore(damaged: String? = nil) -> MemoryMediaStore {
        let store = MemoryMediaStore()
        for file in files where file.path != thumbnail {
            let head = head(file.path)
            let isOriginal = file.path.contains("/original/")
            var bytes = isOriginal ? Array((head + [UInt8](repeating: 1, count: file.size)).prefix(file.size)) : head
            if file.path == damaged { bytes[bytes.count - 1] = 9 }
            store.add(BytePath(file.path), bytes, at: Timestamp(seconds: 1_790_000_000, nanoseconds: 0))
        }
        return store
    }

    @Test("with a decoder, what is whole by name, size and type is decoded, and what is damaged is told")
    func deep() async throws {
        _ = try Self.database("deep", release: "4.6")
        try Fixture.cluster().sql(
            "UPDATE media_attachments SET thumbnail_file_name = NULL; UPDATE site_uploads SET file_content_type = 'x/y'",
            database: "deep"
        )
        let good = TailDecoder()
        let whole = try await Self.verify("deep", Self.typedStore(), decoder: good)
        #expect(whole.result.exitStatus == .done, "\(whole.ears.items)")
        // All but the thumbnail, which has no name any more, and the picture of a type that is not known.
        #expect(good.calls == Self.files.count - 2)
        let path = "cache/accounts/headers/000/000/002/original/far.jpg"
        let run = try await Self.verify("deep", Self.typedStore(damaged: path), decoder: TailDecoder())
        #expect(run.result.exitStatus == .differences)
        #expect(run.ears.items == ["undecodable \(path) header 2 remote"])
        #expect(run.engine.table().first { $0.kind == "header" }?.tally.different == 1)
        // What is of another type is told as that, and not decoded.
        let other = Self.typedStore()
        let gif = "cache/accounts/avatars/000/000/002/original/far.gif"
        other.add(BytePath(gif), [UInt8](repeating: 9, count: 20), at: Timestamp(seconds: 0, nanoseconds: 0))
        let wrong = try await Self.verify("deep", other, decoder: TailDecoder())
        #expect(wrong.ears.items == ["type \(gif) avatar 2 remote"])
    }

    @Test("a run that is stopped while files are decoded ends, and its account balances")
    func deepStopped() async throws {
        _ = try Self.database("deep_stopped", release: "4.6")
        try Fixture.cluster().sql(
            "UPDATE media_attachments SET thumbnail_file_name = NULL",
            database: "deep_stopped"
        )
        let control = RunControl()
        let decoder = TailDecoder(stopping: control, after: 3)
        let run = try await Self.verify(
            "deep_stopped",
            Self.typedStore(),
            decoder: decoder,
            jobs: 1,
            control: control
        )
        #expect(run.result.exitStatus == .interrupted)
        #expect(run.result.counts.balances)
        #expect(run.result.counts.seen == 3)
    }

    @Test("empty files, other sizes and what is no file are told apart; local media come first")
    func differences() async throws {
        _ = try Self.database("differences", release: "4.3")
        let place = try TemporaryDirectory()
        let local = try LocalMediaStore(place.path)
        let changed = [
            "accounts/avatars/000/000/001/original/me.png": 0,
            "cache/accounts/headers/000/000/002/original/far.jpg": 31,
            "media_attachments/files/000/001/235/small/up.jpeg": 99,
        ]
        for file in Self.files {
            let size = changed[file.path] ?? file.size
            try local.publish([UInt8](repeating: 1, count: size), at: BytePath(file.path), modes: StoreModes())
        }
        let card = place.path / "cache/preview_cards/images/000/000/005/original/c.webp"
        try Disk.remove(card)
        try Disk.makeLink(card, to: BytePath("/etc/passwd"))
        // One worker: the order of the rows is the order of what is told.
        let run = try await Self.verify("differences", local, jobs: 1)
        #expect(
            run.ears.items == [
                "empty accounts/avatars/000/000/001/original/me.png avatar 1 local",
                "size cache/accounts/headers/000/000/002/original/far.jpg header 2 remote",
                "kind cache/preview_cards/images/000/000/005/original/c.webp card 5 remote",
            ]
        )
        #expect(run.result.counts.different == 3)
        let avatar = run.engine.table().first { $0.kind == "avatar" && $0.isLocal }?.tally
        #expect(avatar?.rows == 1)
        #expect(avatar?.files == 1)
        #expect(avatar?.empty == 1)
        #expect(avatar?.bytesInRows == 10)
        #expect(avatar?.bytesOnDisk == 0)
        let header = run.engine.table().first { $0.kind == "header" }?.tally
        #expect(header?.different == 1)
        #expect(header?.bytesOnDisk == 31)
    }

    @Test("halves, kinds and days choose rows")
    func selection() async throws {
        _ = try Self.database("selection", release: "4.3")
        let empty = MemoryMediaStore()
        let local = try await Self.verify("selection", empty) { $0.remote = false }
        #expect(local.result.counts.seen == 4)
        #expect(local.ears.items.allSatisfy { $0.hasSuffix(" local") })
        let emoji = try await Self.verify("selection", empty) { $0.kinds = [.emoji] }
        #expect(emoji.result.counts.seen == 2)
        // Only the video and its thumbnail were stored just now; its number is of 2026.
        let recent = try await Self.verify("selection", empty) { options in
            options.days = 2000
            options.kinds = [.attachment, .thumbnail]
        }
        #expect(recent.result.counts.seen == 3)
        let none = try await Self.verify("selection", empty) { options in
            options.days = 0.001
            options.kinds = [.avatar, .header, .card, .emoji]
        }
        #expect(none.result.counts.seen == 0)
        #expect(none.ears.notices.contains { $0.message.hasPrefix("media of the last 0.001 days: since 20") })
    }

    @Test("a directory that is no media root is warned of, not only told as missing files")
    func wrongRoot() async throws {
        _ = try Self.database("wrong_root", release: "4.3")
        let empty = try await Self.verify("wrong_root", MemoryMediaStore())
        #expect(empty.ears.notices.map(\.message) == ["the media root is empty"])
        let other = MemoryMediaStore()
        other.add(BytePath("usr/bin/env"), [1], at: Timestamp(seconds: 0, nanoseconds: 0))
        let run = try await Self.verify("wrong_root", other)
        #expect(run.ears.notices.map(\.message) == ["the media root does not look like one"])
        #expect(run.result.counts.different == Self.files.count)
    }

    @Test("a row whose name is no file name is a failure of its own, escaped, and no path is made of it")
    func hostileRow() async throws {
        let database = try Self.database("hostile", release: "4.3")
        try Fixture.cluster().sql(
            "UPDATE accounts SET avatar_file_name = E'../../x\\n' || repeat('y', 100000) WHERE id = 1",
            database: database.name
        )
        let store = CountingStore(Self.store())
        let run = try await Self.verify("hostile", store)
        #expect(run.ears.items == ["failed avatar 1 avatar 1 local"])
        #expect(run.result.exitStatus == .itemsFailed)
        #expect(store[.look] == Self.files.count - 1)
    }

    @Test("a file that cannot be looked at fails alone; no descriptors left ends the run")
    func faults() async throws {
        _ = try Self.database("faults", release: "4.3")
        let denied = FaultyStore(Self.store(), failing: .look, after: 3, with: .denied)
        let run = try await Self.verify("faults", denied)
        #expect(run.result.exitStatus == .itemsFailed)
        #expect(run.result.counts.failed == 1)
        #expect(run.result.counts.unchanged == Self.files.count - 1)
        let exhausted = FaultyStore(Self.store(), failing: .look, after: 3, with: .noDescriptors)
        let ended = try await Self.verify("faults", exhausted)
        #expect(ended.result.exitStatus == .exhausted)
    }

    @Test("a database that is not there, or not Mastodon's, ends the run with its own exit code")
    func noDatabase() async throws {
        let nothing = try await Self.verify("no_such_database", Self.store())
        #expect(nothing.result.exitStatus == .databaseUnreachable)
        _ = try MastodonDatabase(Fixture.cluster(), name: "other", release: nil)
        let other = try await Self.verify("other", Self.store())
        #expect(other.result.exitStatus == .schemaUnknown)
    }

    @Test("a run that is stopped ends, with the reason")
    func stopped() async throws {
        let database = try Self.database("stopped", release: "4.3")
        // More rows than wait in the queue.
        let values = "SELECT n, 'https://p.example/x' || n, 'c.webp', 'image/webp', 50, now(), now()"
        try Fixture.cluster().sql(
            """
            INSERT INTO preview_cards (id, url, image_file_name, image_content_type, image_file_size, created_at,
                updated_at) \(values) FROM generate_series(100, 30000) n
            """,
            database: database.name
        )
        let control = RunControl()
        control.stop(SyncError(.interrupted, "stopped by SIGINT"))
        let run = try await Self.verify("stopped", Self.store(), jobs: 1, control: control)
        #expect(run.result.exitStatus == .interrupted)
    }
}
