package import MediaModel

/// Which rows lose their files: remote media older than some days. The selection is Mastodon's own, of `preview_cards
/// remove`, `media remove`, and `media remove --prune-profiles` and `--remove-headers`.
package struct Retention: Sendable {
    /// What loses its files: attachments go with their thumbnails.
    package var kinds: Set<MediaKind>
    package var limit: AgeLimit
    /// Of preview cards only those of plain links.
    package var linksOnly = false
    /// Keep attachments of posts that somebody here took note of: favourite, bookmark, reply, boost, quote.
    package var keepsInteracted = false
    /// Pictures of accounts that somebody here follows, or that follow somebody here, go as well.
    package var includesFollows = false

    package init(kinds: Set<MediaKind>, limit: AgeLimit) {
        self.kinds = kinds
        self.limit = limit
    }

    /// The tables with rows to look at.
    package var tables: [CatalogTable] {
        [CatalogTable.previewCards, .mediaAttachments, .accounts].filter { !attachments(of: $0).isEmpty }
    }

    /// What rows of a table lose.
    func attachments(of table: CatalogTable) -> [CatalogTable.Attachment] {
        switch table {
        case .mediaAttachments: kinds.contains(.attachment) ? table.attachments : []
        case .previewCards, .accounts: table.attachments.filter { kinds.contains($0.kind) }
        // Nothing of these grows old.
        case .customEmojis, .siteUploads, .backups: []
        }
    }

    /// SQL: whether a row, called `t`, is old enough and has something to lose. It is asked twice: when rows are chosen, and
    /// by the statement that changes them.
    func condition(_ table: CatalogTable, _ schema: CatalogSchema) -> String {
        let moment = CatalogReader.moment(limit)
        var all: [String] = ["(\(table.isRemote))"]
        switch table {
        case .previewCards:
            all += ["t.image_file_name <> ''", "t.updated_at < \(moment)"]
            if linksOnly { all.append("t.type = 0") }
        case .mediaAttachments:
            all += ["t.file_file_name <> ''", "t.created_at <= \(moment)"]
            if keepsInteracted { all += Self.untouched(schema) }
        case .accounts:
            let stored = attachments(of: table).map { "t.\($0.fileName) <> ''" }
            all += ["t.last_webfingered_at <= \(moment)", "t.updated_at <= \(moment)"]
            all.append("(" + stored.joined(separator: " OR ") + ")")
            if !includesFollows {
                all += ["account_id", "target_account_id"].map {
                    "NOT EXISTS (SELECT FROM public.follows f WHERE f.\($0) = t.id)"
                }
            }
        case .customEmojis, .siteUploads, .backups: all.append("false")
        }
        return all.joined(separator: " AND ")
    }

    /// SQL: nobody here took note of the attachment's post. A post is of this server where it says so or has no URI, and
    /// counts while it is not deleted.
    private static func untouched(_ schema: CatalogSchema) -> [String] {
        let localStatus = "(s.local OR s.uri IS NULL) AND s.deleted_at IS NULL"
        var rows = [
            """
            SELECT FROM public.favourites f JOIN public.accounts a ON a.id = f.account_id
            WHERE f.status_id = t.status_id AND a.domain IS NULL
            """,
            "SELECT FROM public.bookmarks b WHERE b.status_id = t.status_id",
            "SELECT FROM public.statuses s WHERE s.in_reply_to_id = t.status_id AND \(localStatus)",
            "SELECT FROM public.statuses s WHERE s.reblog_of_id = t.status_id AND \(localStatus)",
        ]
        if schema.hasQuotes {
            rows += [("quoted_status_id", "status_id"), ("status_id", "quoted_status_id")].map { own, other in
                """
                SELECT FROM public.quotes q JOIN public.statuses s ON s.id = q.\(other)
                WHERE q.\(own) = t.status_id AND \(localStatus)
                """
            }
        }
        return rows.map { "NOT EXISTS (\($0))" }
    }
}
