package import MediaModel
internal import Postgres

extension CatalogReader {
    /// Characters of a URL that are read: longer ones are none that anybody fetches.
    package static let urlCharactersMax = 4096
    /// Bytes of `file_meta` that are read: Mastodon writes some hundred.
    private static let metaBytesMax = 65_536

    /// The next rows of other servers in a scope, by number, as a first look needs them: without what guards them.
    package func remotePage(
        _ table: CatalogTable,
        _ scope: RemoteScope,
        after: Int64? = nil,
        limit: Int = pageRows
    ) throws(SyncError) -> (rows: [RemoteRow], next: Int64?) {
        let (condition, parameters) = scope.condition(table, first: 3)
        let rows = try query(
            table,
            "\(remoteSelect(table, isFull: false)) WHERE t.id > $1 AND \(condition) ORDER BY t.id LIMIT $2",
            [.integer(after ?? Int64.min), .integer(Int64(limit))] + parameters
        )
        let read = rows.map { remoteRow(table, scope, $0, isFull: false) }
        return (read, rows.count < limit ? nil : read.last?.id)
    }

    /// The rows of these numbers that are still there and still of another server, with all that guards them.
    package func remoteRows(_ table: CatalogTable, ids: [Int64]) throws(SyncError) -> [Int64: RemoteRow] {
        let rows = try query(
            table,
            "\(remoteSelect(table, isFull: true)) WHERE t.id = ANY ($1::bigint[]) AND (\(table.isRemote))",
            [.integers(ids)]
        )
        let scope = RemoteScope(kinds: Set(table.kinds))
        var found: [Int64: RemoteRow] = [:]
        for row in rows {
            let read = remoteRow(table, scope, row, isFull: true)
            found[read.id] = read
        }
        return found
    }

    /// The next accounts, by number, that appear in posts of the scope's interval: their authors, the authors of what they
    /// boost, and who is mentioned.
    package func accountsSeen(
        _ scope: RemoteScope,
        after: Int64? = nil,
        limit: Int = 50_000
    ) throws(SyncError) -> [Int64] {
        let numbers = scope.numbers
        var interval = "true"
        if let after = numbers.after { interval += " AND s.id > \(after)" }
        if let through = numbers.through { interval += " AND s.id <= \(through)" }
        let rows = try query(
            .accounts,
            """
            SELECT id FROM (
            SELECT s.account_id FROM public.statuses s WHERE \(interval)
            UNION SELECT o.account_id FROM public.statuses s JOIN public.statuses o ON o.id = s.reblog_of_id WHERE \(interval)
            UNION SELECT m.account_id FROM public.statuses s JOIN public.mentions m ON m.status_id = s.id WHERE \(interval)
            ) AS seen (id) WHERE id > $1 ORDER BY id LIMIT $2
            """,
            [.integer(after ?? Int64.min), .integer(Int64(limit))]
        )
        return rows.compactMap { $0.integer(0) }
    }

    /// The number of an account of another server; nil where there is none.
    package func hasAccount(_ name: RemoteScope.AccountName) throws(SyncError) -> Bool {
        let rows = try query(
            .accounts,
            """
            SELECT 1 FROM public.accounts WHERE pg_catalog.lower(username) = $1 AND pg_catalog.lower(domain) = $2 LIMIT 1
            """,
            [.text(name.user), .text(name.domain)]
        )
        return rows.count > 0
    }

    // MARK: Statements

    /// Columns: id, domain, followed, account, URI, status, shortcode, meta; then of each attachment its URL, name, type,
    /// size, version, time.
    private func remoteSelect(_ table: CatalogTable, isFull: Bool) -> String {
        let isMedia = table == .mediaAttachments
        let account = table == .accounts ? "t" : "a"
        let followed = "EXISTS (SELECT FROM public.follows f WHERE f.target_account_id = \(account).id)"
        var columns = [
            "t.id", table == .customEmojis ? "t.domain" : "\(account).domain",
            table == .customEmojis ? "false" : followed,
            isMedia ? "t.account_id" : table == .accounts ? "t.id" : "NULL",
            isFull && table != .customEmojis ? "\(account).uri" : "NULL",
            isFull && isMedia ? "t.status_id" : "NULL",
            isFull && table == .customEmojis ? "t.shortcode" : "NULL",
            isFull && isMedia
                ? """
                CASE WHEN pg_catalog.octet_length(t.file_meta::text) <= \(Self.metaBytesMax) THEN t.file_meta::text END
                """ : "NULL",
        ]
        for attachment in table.attachments {
            columns.append(
                attachment.remoteURL.map { "pg_catalog.left(t.\($0), \(Self.urlCharactersMax + 1))" } ?? "NULL"
            )
            columns += [
                "pg_catalog.left(t.\(attachment.fileName), 256)", "pg_catalog.left(t.\(attachment.contentType), 256)",
                "t.\(attachment.fileSize)", hasVersion(attachment) ? "t.\(attachment.storageVersion)" : "0",
                isFull ? "t.\(attachment.updatedAt)" : "NULL",
            ]
        }
        let join = isMedia ? " LEFT JOIN public.accounts a ON a.id = t.account_id" : ""
        return "SELECT \(columns.joined(separator: ", ")) FROM \(SQL.qualified("public", table.rawValue)) t\(join)"
    }

    private func remoteRow(
        _ table: CatalogTable,
        _ scope: RemoteScope,
        _ row: Rows.Row,
        isFull: Bool
    ) -> RemoteRow {
        let id = row[0].integer ?? 0
        var media: [RemoteMedia] = []
        for (index, attachment) in table.attachments.enumerated() where scope.kinds.contains(attachment.kind) {
            let first = 8 + 6 * index
            var one = RemoteMedia(kind: attachment.kind, rowID: id, url: row[first].text ?? "")
            if let name = row[first + 1].bytes, !name.allSatisfy(Self.isBlank) {
                one.stored = StoredMedia(
                    kind: attachment.kind,
                    rowID: id,
                    isRemote: true,
                    fileName: name,
                    contentType: row[first + 2].text,
                    byteCount: row[first + 3].integer,
                    storageVersion: row[first + 4].integer ?? 0
                )
            }
            one.domain = row[1].text
            one.accountID = row[3].integer
            if isFull {
                one.accountURI = row[4].text
                one.statusID = row[5].integer
                one.shortcode = row[6].text
                one.meta = row[7].text
                one.storedAt = row[first + 5].text
            }
            media.append(one)
        }
        return RemoteRow(id: id, media: media, isFollowed: row[2].bytes?.first == UInt8(ascii: "t"))
    }
}
