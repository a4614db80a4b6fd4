import MediaModel
import Testing

@testable import Catalog

@Suite struct CatalogSchemaTests {
    /// Columns of Mastodon 3.5, as far as they are used.
    private static let old: [String: Set<String>] = {
        func stored(_ prefix: String, version: Bool = true) -> Set<String> {
            let all =
                ["file_name", "content_type", "file_size", "updated_at"] + (version ? ["storage_schema_version"] : [])
            return Set(all.map { "\(prefix)_\($0)" })
        }
        return [
            "media_attachments": stored("file").union(stored("thumbnail", version: false)).union([
                "id", "account_id", "status_id", "scheduled_status_id", "remote_url", "thumbnail_remote_url",
                "file_meta",
                "type", "blurhash", "created_at", "updated_at",
            ]),
            "accounts": stored("avatar").union(stored("header")).union([
                "id", "username", "domain", "uri", "url", "avatar_remote_url", "header_remote_url",
                "last_webfingered_at",
                "updated_at",
            ]),
            "preview_cards": stored("image").union(["id", "url", "type", "updated_at"]),
            "custom_emojis": stored("image").union(["id", "shortcode", "domain", "image_remote_url", "updated_at"]),
            "site_uploads": stored("file", version: false).union(["id", "var"]),
            "backups": stored("dump", version: false).union(["id", "user_id"]),
            "statuses": ["id", "account_id", "uri", "url", "local", "in_reply_to_id", "reblog_of_id", "deleted_at"],
            "users": ["id", "account_id"],
            "domain_blocks": ["domain", "severity", "reject_media"],
            "follows": ["account_id", "target_account_id"],
            "mentions": ["account_id", "status_id"],
            "favourites": ["account_id", "status_id"],
            "bookmarks": ["status_id"],
            "schema_migrations": ["version"],
        ]
    }()

    @Test("what later versions have is told by their columns")
    func features() throws {
        let old = try CatalogSchema(columns: Self.old)
        #expect(!old.hasThumbnailVersion)
        #expect(!old.hasQuotes)
        var columns = Self.old
        columns["media_attachments"]?.insert("thumbnail_storage_schema_version")
        columns["quotes"] = ["id", "status_id", "quoted_status_id", "state"]
        columns["media_attachments"]?.insert("a_column_of_a_fork")
        let new = try CatalogSchema(columns: columns)
        #expect(new.hasThumbnailVersion)
        #expect(new.hasQuotes)
    }

    @Test("every column that is used is needed: without any one of them the schema is refused, and it is named")
    func missingColumns() {
        for (table, names) in Self.old {
            for name in names {
                var columns = Self.old
                columns[table]?.remove(name)
                let error = #expect(throws: SyncError.self) { try CatalogSchema(columns: columns) }
                #expect(error?.code.exitStatus == .schemaUnknown)
                #expect(error?.why == "missing: column \(table).\(name)")
            }
            var columns = Self.old
            columns[table] = nil
            let error = #expect(throws: SyncError.self) { try CatalogSchema(columns: columns) }
            #expect(error?.why == "missing: table \(table)")
        }
    }

    @Test("another program's database is called that")
    func otherDatabase() {
        let error = #expect(throws: SyncError.self) { try CatalogSchema(columns: ["users": ["id"]]) }
        #expect(error?.what == "this is no database of Mastodon")
        #expect(error?.code == .schema)
    }
}
