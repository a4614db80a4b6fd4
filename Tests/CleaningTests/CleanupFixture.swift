import Catalog
import MediaModel
import MediasyncTesting
import Postgres
import Running
import Storage

@testable import Cleaning

/// A database with rows of every age and oddity, and their files in memory.
struct CleanupFixture {
    let name: String
    let store = MemoryMediaStore()

    /// Old is 8 days, young is 6; the runs remove what is older than 7.
    init(_ name: String, release: String = "4.6") throws {
        self.name = name
        _ = try MastodonDatabase(Fixture.cluster(), name: name, release: release)
        try sql(Self.rows + (Self.hasQuotes(release) ? Self.quotes : ""))
        for path in Self.files {
            let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
            store.add(BytePath(path), Array("content".utf8), at: moment)
        }
    }

    /// Posts quote posts since 4.4.
    static func hasQuotes(_ release: String) -> Bool { release >= "4.4" }

    @discardableResult
    func sql(_ statements: String) throws -> String {
        try Fixture.cluster().sql(statements, database: name, user: MastodonDatabase.role)
    }

    /// Every row of a table as JSON, by number, but the columns named.
    func rows(_ table: String, without columns: [String] = []) throws -> [String: String] {
        let list = columns.map { "'\($0)'" }.joined(separator: ",")
        let text = try sql("SELECT id, to_jsonb(t) - ARRAY[\(list)]::text[] FROM \(table) t ORDER BY id")
        return text.split(separator: "\n").reduce(into: [:]) { rows, line in
            let parts = line.split(separator: "|", maxSplits: 1)
            rows[String(parts[0])] = String(parts[1])
        }
    }

    func run(
        store other: (any MediaStore)? = nil,
        intents: MemoryIntents = MemoryIntents(),
        settings: ConnectionSettings? = nil,
        jobs: Int = 4,
        change: (inout CleanupOptions) -> Void = { _ in }
    ) async throws -> (result: RunResult, ears: Ears) {
        var options = CleanupOptions(days: 7)
        options.limit = .percent(100)
        options.reportsEveryItem = true
        options.jobs = jobs
        change(&options)
        let ears = Ears()
        let engine = CleanupEngine(
            options: options,
            settings: try settings ?? Fixture.settings(name),
            store: other ?? store,
            intents: intents,
            processors: 2,
            control: RunControl(),
            sink: { ears.hear($0) }
        )
        return (await engine.run(), ears)
    }

    private static let rows = """
        CREATE FUNCTION pg_temp.ago(days int) RETURNS timestamp LANGUAGE sql
            AS $$ SELECT (now() AT TIME ZONE 'utc') - days * interval '1 day' $$;
        INSERT INTO accounts (id, username, domain, avatar_file_name, avatar_content_type, avatar_file_size,
            avatar_updated_at, avatar_storage_schema_version, avatar_remote_url, header_file_name, header_content_type,
            header_file_size, header_updated_at, header_storage_schema_version, header_remote_url, last_webfingered_at,
            created_at, updated_at)
        SELECT id, 'user' || id, domain, CASE WHEN avatar THEN 'a' || id || '.gif' END,
            CASE WHEN avatar THEN 'image/gif' END, CASE WHEN avatar THEN 7 END, CASE WHEN avatar THEN now() END, 1,
            'https://far.example/a', CASE WHEN header THEN 'h' || id || '.png' END,
            CASE WHEN header THEN 'image/png' END, CASE WHEN header THEN 7 END, CASE WHEN header THEN now() END, 1,
            'https://far.example/h', CASE WHEN fingered > 0 THEN pg_temp.ago(fingered) END, pg_temp.ago(900),
            pg_temp.ago(updated)
        FROM (VALUES
            (100, NULL, true, true, 8, 8),              -- of this server
            (101, 'far.example', true, true, 8, 8),     -- old
            (102, 'far.example', true, true, 0, 8),     -- never asked for
            (103, 'far.example', true, true, 8, 6),     -- changed lately
            (104, 'far.example', true, true, 6, 8),     -- asked for lately
            (105, 'far.example', true, true, 8, 8),     -- followed from here
            (106, 'far.example', true, true, 8, 8),     -- follows somebody here
            (107, 'far.example', true, false, 8, 8),    -- without header
            (108, 'far.example', false, false, 8, 8)    -- without pictures
        ) AS v (id, domain, avatar, header, fingered, updated);
        INSERT INTO follows (account_id, target_account_id, created_at, updated_at) VALUES
            (100, 105, now(), now()), (106, 100, now(), now());

        INSERT INTO statuses (id, account_id, uri, local, in_reply_to_id, reblog_of_id, deleted_at, text, created_at,
            updated_at) VALUES
            (21, 101, 'x:21', false, NULL, NULL, NULL, '', now(), now()),
            (22, 101, 'x:22', false, NULL, NULL, NULL, '', now(), now()),
            (23, 101, 'x:23', false, NULL, NULL, NULL, '', now(), now()),
            (24, 101, 'x:24', false, NULL, NULL, NULL, '', now(), now()),
            (25, 101, 'x:25', false, NULL, NULL, NULL, '', now(), now()),
            (26, 101, 'x:26', false, NULL, NULL, NULL, '', now(), now()),
            (27, 101, 'x:27', false, NULL, NULL, NULL, '', now(), now()),
            (28, 101, 'x:28', false, NULL, NULL, NULL, '', now(), now()),
            (31, 100, NULL, NULL, 23, NULL, NULL, '', now(), now()),        -- answers 23 from here
            (32, 100, 'x:32', true, NULL, 24, NULL, '', now(), now()),      -- boosts 24 from here
            (33, 101, 'x:33', false, 25, NULL, NULL, '', now(), now()),     -- answers 25 from elsewhere
            (34, 100, NULL, true, 26, NULL, now(), '', now(), now()),       -- answered 26, deleted
            (35, 100, NULL, true, NULL, NULL, NULL, '', now(), now());
        INSERT INTO favourites (account_id, status_id, created_at, updated_at) VALUES
            (100, 21, now(), now()), (101, 25, now(), now());
        INSERT INTO bookmarks (account_id, status_id, created_at, updated_at) VALUES (100, 22, now(), now());

        INSERT INTO media_attachments (id, account_id, status_id, remote_url, file_file_name, file_content_type,
            file_file_size, file_updated_at, file_storage_schema_version, thumbnail_file_name, thumbnail_content_type,
            thumbnail_file_size, thumbnail_updated_at, file_meta, blurhash, description, type, created_at, updated_at)
        SELECT id, account, status, url, file, type, CASE WHEN file <> '' THEN 7 END,
            CASE WHEN file <> '' THEN pg_temp.ago(9) END, version, thumbnail,
            CASE WHEN thumbnail <> '' THEN 'image/png' END, CASE WHEN thumbnail <> '' THEN 7 END,
            CASE WHEN thumbnail <> '' THEN pg_temp.ago(9) END, '{"original": {"width": 1}}', 'LEHV6n', 'words', 0,
            pg_temp.ago(age), pg_temp.ago(age)
        FROM (VALUES
            (10, 101, 21, 'https://f/1', 'i10.jpg', 'image/jpeg', 1, NULL, 8),      -- old, favourited here
            (11, 101, 25, 'https://f/1', 'i11.jpg', 'image/jpeg', 1, NULL, 6),      -- young
            (12, 100, NULL, '', 'i12.jpg', 'image/jpeg', 1, NULL, 99),              -- of this server
            (13, 101, 25, 'https://f/1', NULL, NULL, 1, 't13.png', 8),              -- only a thumbnail
            (14, 101, 25, 'https://f/1', 'v14.mp4', 'video/mp4', 1, 't14.png', 8),  -- old, with thumbnail
            (15, NULL, NULL, 'https://f/1', 'i15.jpg', 'image/jpeg', NULL, NULL, 8), -- without account, outside cache/
            (16, 101, 25, 'https://f/1', '', 'image/jpeg', 1, NULL, 8),             -- blank
            (17, 101, 25, 'https://f/1', '../../etc', 'image/jpeg', 1, NULL, 8),    -- hostile
            (18, 101, 22, 'https://f/1', 's18.mp3', 'audio/mpeg', 1, NULL, 8),      -- bookmarked here
            (19, 101, 23, 'https://f/1', 'i19.jpg', 'image/jpeg', 1, NULL, 8),      -- answered from here
            (20, 101, 24, 'https://f/1', 'i20.jpg', 'image/jpeg', 1, NULL, 8),      -- boosted from here
            (21, 101, 26, 'https://f/1', 'i21.jpg', 'image/jpeg', 1, NULL, 8),      -- answered by a deleted post
            (22, 101, 27, 'https://f/1', 'i22.jpg', 'image/jpeg', 1, NULL, 8),      -- quoted from here (4.4)
            (23, 101, 28, 'https://f/1', 'i23.jpg', 'image/jpeg', 1, NULL, 8)       -- quotes a post from here (4.4)
        ) AS v (id, account, status, url, file, type, version, thumbnail, age);

        INSERT INTO preview_cards (id, url, type, image_file_name, image_content_type, image_file_size,
            image_updated_at, image_storage_schema_version, width, height, blurhash, title, created_at, updated_at)
        SELECT id, 'https://p.example/' || id, type, file, CASE WHEN file <> '' THEN 'image/png' END,
            CASE WHEN file <> '' THEN 7 END, CASE WHEN file <> '' THEN now() END, 1, 40, 30, 'LEHV6n', 'title',
            pg_temp.ago(900), pg_temp.ago(age)
        FROM (VALUES (40, 0, 'c40.png', 8), (41, 0, 'c41.png', 6), (42, 0, NULL, 8), (43, 1, 'c43.png', 8))
            AS v (id, type, file, age);

        """

    private static let quotes = """
        INSERT INTO quotes (account_id, status_id, quoted_status_id, quoted_account_id, state, created_at, updated_at)
        VALUES (100, 35, 27, 101, 1, now(), now()), (101, 28, 35, 100, 1, now(), now());
        """

    /// The files of the rows above, by Mastodon's rules.
    private static let files: [String] = {
        var files: [String] = []
        for id in ["100"] { files += ["accounts/avatars/000/000/\(id)/original/a\(id).gif"] }
        for id in 101...107 {
            files.append("cache/accounts/avatars/000/000/\(id)/original/a\(id).gif")
            files.append("cache/accounts/avatars/000/000/\(id)/static/a\(id).png")
            if id < 107 { files.append("cache/accounts/headers/000/000/\(id)/original/h\(id).png") }
        }
        for id in [10, 11, 19, 20, 21, 22, 23] {
            files.append("cache/media_attachments/files/000/000/0\(id)/original/i\(id).jpg")
            files.append("cache/media_attachments/files/000/000/0\(id)/small/i\(id).jpg")
        }
        files += [
            "media_attachments/files/000/000/012/original/i12.jpg", "media_attachments/files/000/000/012/small/i12.jpg",
            "media_attachments/files/000/000/015/original/i15.jpg", "media_attachments/files/000/000/015/small/i15.jpg",
            "media_attachments/thumbnails/000/000/013/original/t13.png",
            "media_attachments/thumbnails/000/000/014/original/t14.png",
            "cache/media_attachments/files/000/000/014/original/v14.mp4",
            "cache/media_attachments/files/000/000/014/small/v14.png",
            "cache/media_attachments/files/000/000/018/original/s18.mp3",
        ]
        return files + [40, 41, 43].map { "cache/preview_cards/images/000/000/0\($0)/original/c\($0).png" }
    }()
}
