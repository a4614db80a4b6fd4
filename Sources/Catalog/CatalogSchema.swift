package import MediaModel
package import Postgres

/// What a database has of Mastodon's tables. Decided by the columns that are there, not by a version's number: forks and
/// unreleased builds have numbers of their own.
package struct CatalogSchema: Sendable, Equatable {
    /// Tables that are read or asked beside those with files, and the columns used.
    private static let others: [(table: String, columns: [String])] = [
        ("statuses", ["id", "account_id", "uri", "url", "local", "in_reply_to_id", "reblog_of_id", "deleted_at"]),
        ("users", ["id", "account_id"]),
        ("domain_blocks", ["domain", "severity", "reject_media"]),
        ("follows", ["account_id", "target_account_id"]),
        ("mentions", ["account_id", "status_id"]),
        ("favourites", ["account_id", "status_id"]),
        ("bookmarks", ["status_id"]),
        ("schema_migrations", ["version"]),
    ]

    /// Since 4.6 the thumbnails of remote attachments can lie below `cache/`.
    package let hasThumbnailVersion: Bool
    /// Since 4.4 posts quote posts.
    package let hasQuotes: Bool

    /// - Parameter columns: by table, what the database has.
    /// - Throws: an error with the code `schema` that names what is missing.
    package init(columns: [String: Set<String>]) throws(SyncError) {
        var missing: [String] = []
        let tables = CatalogTable.allCases.map { (table: $0.rawValue, columns: $0.neededColumns) } + Self.others
        for (table, needed) in tables {
            guard let present = columns[table] else {
                missing.append("table \(table)")
                continue
            }
            missing += needed.filter { !present.contains($0) }.map { "column \(table).\($0)" }
        }
        guard missing.isEmpty else { throw Self.unknown(missing) }
        let thumbnailVersion = CatalogTable.mediaAttachments.attachments.first { $0.hasVersion == .sometimes }
        hasThumbnailVersion =
            thumbnailVersion.map {
                columns[CatalogTable.mediaAttachments.rawValue]?.contains($0.storageVersion) == true
            }
            ?? false
        let quoteColumns: Set<String> = ["status_id", "quoted_status_id"]
        hasQuotes = columns["quotes"].map { quoteColumns.isSubset(of: $0) } ?? false
    }

    /// What Mastodon writes as the storage version of a new file; 0 where this database has no such column.
    package func newStorageVersion(of kind: MediaKind) -> Int64 {
        switch kind {
        case .thumbnail: hasThumbnailVersion ? 1 : 0
        case .upload, .backup: 0
        case .attachment, .avatar, .header, .card, .emoji: 1
        }
    }

    private static func unknown(_ missing: [String]) -> SyncError {
        if missing.contains("table media_attachments"), missing.contains("table statuses") {
            return SyncError(
                .schema,
                "this is no database of Mastodon",
                why: "it has no table media_attachments and no table statuses",
                hint: "check DB_NAME, or --env-file; nothing was changed"
            )
        }
        let shown = missing.prefix(8).joined(separator: ", ")
        let rest = missing.count > 8 ? " and \(missing.count - 8) more" : ""
        return SyncError(
            .schema,
            "the database's schema is not known",
            why: "missing: \(shown)\(rest)",
            hint: "Mastodon 3.5 to 4.6 is known: run its migrations, or update mediasync; nothing was changed"
        )
    }

    /// Asks the database. One statement, no state of the session.
    package init(_ connection: Connection) throws(SyncError) {
        let rows: Rows
        do throws(DatabaseFault) {
            rows = try connection.query(
                """
                SELECT c.relname, a.attname FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                WHERE c.relkind IN ('r', 'p') AND c.relname = ANY ($1::text[])
                """,
                [.texts(CatalogTable.allCases.map(\.rawValue) + Self.others.map(\.table) + ["quotes"])]
            )
        } catch {
            throw error.syncError("cannot read the database's schema")
        }
        var columns: [String: Set<String>] = [:]
        for row in rows {
            guard let table = row[0].text, let column = row[1].text else { continue }
            columns[table, default: []].insert(column)
        }
        try self.init(columns: columns)
    }
}
