import MediaModel
import MediasyncTesting
import Postgres

@testable import Catalog

/// One server for all tests of this bundle; databases with the real schema of several versions of Mastodon.
enum Fixture {
    static let needed = "needs PostgreSQL's server programs and setpriv"

    private static let shared = Result {
        let cluster = try PostgresCluster()
        // Once, before several tests need it at the same time.
        try MastodonDatabase.makeRole(cluster)
        return cluster
    }
    static func cluster() throws -> PostgresCluster { try shared.get() }

    static func connect(_ database: MastodonDatabase) throws -> Connection {
        var settings = ConnectionSettings()
        settings.host = database.cluster.socketDirectory
        settings.port = String(database.cluster.port)
        settings.user = MastodonDatabase.role
        settings.database = database.name
        return try Connection(settings, application: "mediasync test")
    }

    /// A database of this release with rows of every kind and oddity.
    static func filled(_ release: String, name: String) throws -> MastodonDatabase {
        let database = try MastodonDatabase(cluster(), name: name, release: release)
        try cluster().sql(
            rows + (release.hasPrefix("4.6") ? rowsSince46 : ""),
            database: name,
            user: MastodonDatabase.role
        )
        return database
    }

    /// Rows that every version takes. Snowflakes of 2026-11-23T00:00:00Z begin with 117662810112000000.
    private static let rows = """
        INSERT INTO accounts (id, username, domain, avatar_file_name, avatar_content_type, avatar_file_size,
            avatar_updated_at, avatar_storage_schema_version, header_file_name, header_content_type, header_file_size,
            header_updated_at, header_storage_schema_version, created_at, updated_at) VALUES
            (-99, 'local.example', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, now(), now()),
            (1, 'admin', NULL, 'me.png', 'image/png', 10, '2026-11-20', 1, NULL, NULL, NULL, NULL, NULL, now(), now()),
            (2, 'old', 'far.example', 'f.gif', 'image/gif', 20, '2019-01-01', NULL, 'h.jpg', 'image/jpeg', 30,
                '2026-11-22', 1, now(), now()),
            (109876543210987654, 'blank', 'far.example', ' \t', 'image/png', 5, now(), 1, '', NULL, NULL, NULL, 1,
                now(), now());
        INSERT INTO media_attachments (id, account_id, remote_url, file_file_name, file_content_type, file_file_size,
            file_updated_at, file_storage_schema_version, thumbnail_file_name, thumbnail_content_type,
            thumbnail_file_size, thumbnail_updated_at, created_at, updated_at) VALUES
            (1234, 2, 'https://far.example/x', 'x.gif', 'image/gif', 100, '2019-01-01', NULL, NULL, NULL, NULL, NULL,
                '2019-01-01', '2019-01-01'),
            (1235, 1, '', 'up.jpeg', 'image/jpeg', 101, '2020-01-01', 1, NULL, NULL, NULL, NULL, '2020-01-01', now()),
            (1236, NULL, ' ', 'blankurl.jpeg', 'image/jpeg', NULL, '2020-01-01', 1, NULL, NULL, NULL, NULL,
                '2020-01-01', now()),
            (117662810112000001, 2, 'https://far.example/s', 's.mp3', 'audio/mpeg', 102, now(), 1, 't.png', 'image/png',
                7, now(), '2026-11-23', now()),
            (117662810112000002, 2, 'https://far.example/n', NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL,
                '2026-11-23', now()),
            (117662810112000003, 2, 'https://far.example/e', '../../evil', 'image/png', 103, now(), 1, NULL, NULL, NULL,
                NULL, '2026-11-23', now());
        INSERT INTO preview_cards (id, url, image_file_name, image_content_type, image_file_size, image_updated_at,
            image_storage_schema_version, created_at, updated_at) VALUES
            (5, 'https://p.example/1', 'c.webp', 'image/webp', 50, '2026-11-22', 1, now(), now()),
            (6, 'https://p.example/2', NULL, NULL, NULL, NULL, 1, now(), now());
        INSERT INTO custom_emojis (id, shortcode, domain, image_file_name, image_content_type, image_file_size,
            image_updated_at, image_storage_schema_version, created_at, updated_at) VALUES
            (7, 'blob', NULL, 'e.gif', 'image/gif', 60, '2024-01-01', 1, now(), now()),
            (8, 'blob', 'far.example', 'r.png', 'image/png', 61, '2024-01-01', 1, now(), now());
        INSERT INTO site_uploads (id, var, file_file_name, file_content_type, file_file_size, created_at, updated_at)
            VALUES (3, 'thumbnail', 'site.png', 'image/png', 70, now(), now());
        INSERT INTO users (id, email, account_id, created_at, updated_at) VALUES (1, 'a@b', 1, now(), now());
        INSERT INTO backups (id, user_id, dump_file_name, dump_content_type, dump_file_size, created_at, updated_at)
            VALUES (4, 1, 'archive.zip', 'application/zip', 5000000000, now(), now());
        INSERT INTO domain_blocks (domain, severity, reject_media, created_at, updated_at) VALUES
            ('bad.example', 1, true, now(), now()), ('ok.bad.example', 0, false, now(), now());

        """

    private static let rowsSince46 = """
        UPDATE media_attachments SET thumbnail_storage_schema_version = 1 WHERE id = 117662810112000001;
        """
}
