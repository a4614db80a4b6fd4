package import MediaModel
package import Postgres

/// Reads Mastodon's rows: pages by primary key and batches by number. Each call is one statement that is over when it
/// returns: no cursor, no transaction, no setting, no statement with a name, so that a pooler may stand between.
package struct CatalogReader {
    /// Rows a page: enough that the way to the server does not count, few enough to hold several.
    package static let pageRows = 4000

    let connection: Connection
    /// The session that is read by.
    package var session: Connection { connection }
    package let schema: CatalogSchema

    /// - Throws: an error with the code `schema` where the tables are not Mastodon's.
    package init(_ connection: Connection) throws(SyncError) {
        schema = try CatalogSchema(connection)
        self.connection = connection
    }

    /// Which rows of a table are read.
    package struct Scope: Sendable {
        /// Nil for both.
        package var remote: Bool?
        /// What the rows must have a file of; rows without any of them are left out.
        package var kinds: Set<MediaKind>
        /// Only what came to this server since this moment: attachments by their number, which tells it, as Mastodon's
        /// own `media refresh --days` does; everything else by the time its file was stored.
        package var since: AgeLimit?

        package init(kinds: Set<MediaKind> = Set(MediaKind.allCases), remote: Bool? = nil, since: AgeLimit? = nil) {
            self.kinds = kinds
            self.remote = remote
            self.since = since
        }
    }

    // MARK: Reading

    /// The next page of rows that have files, by number.
    /// - Parameter after: the last page's `next`; nil for the first.
    package func page(
        _ table: CatalogTable,
        _ scope: Scope = Scope(),
        after: Int64? = nil,
        limit: Int = pageRows
    ) throws(SyncError) -> CatalogPage {
        guard let query = pageQuery(table, scope) else { return CatalogPage(rows: [], next: nil) }
        return try page(query, after: after, limit: limit)
    }

    /// All pages of a table's rows that have files.
    package func pages(
        _ table: CatalogTable,
        _ scope: Scope = Scope(),
        limit: Int = CatalogPages.pageRows
    ) -> CatalogPages {
        CatalogPages(self, pageQuery(table, scope), limit: limit)
    }

    /// What the rows of a table have files of, by pages that grow.
    /// - Parameters:
    ///   - after: rows up to this number are passed over.
    ///   - first: rows of the first page, which is to be here soon.
    ///   - limit: rows of the largest one.
    package func mediaPages(
        _ table: CatalogTable,
        _ scope: Scope = Scope(),
        after: Int64? = nil,
        first: Int,
        limit: Int
    ) -> MediaPages {
        MediaPages(self, selection(table, scope), after: after, first: first, limit: limit)
    }

    private func pageQuery(_ table: CatalogTable, _ scope: Scope) -> CatalogPageQuery? {
        selection(table, scope)?.pageQuery
    }

    private func selection(_ table: CatalogTable, _ scope: Scope) -> CatalogSelection? {
        let attachments = table.attachments.filter { scope.kinds.contains($0.kind) }
        guard !attachments.isEmpty else { return nil }
        var conditions: [String] = []
        var first = Int64.min
        if let remote = scope.remote { conditions.append("(\(table.isRemote)) = \(remote)") }
        if let since = scope.since {
            if table == .mediaAttachments {
                first = Snowflake.lowestID(secondsSince1970: since.secondsSince1970)
            } else {
                let moment = Self.moment(since)
                let newer = attachments.map { "\(SQL.identifier($0.updatedAt)) >= \(moment)" }
                conditions.append("(" + newer.joined(separator: " OR ") + ")")
            }
        }
        conditions.append("(" + attachments.map { Self.isStored($0) }.joined(separator: " OR ") + ")")
        return CatalogSelection(
            table: table,
            attachments: attachments,
            select: select(table, attachments, isRemote: scope.remote),
            condition: conditions.joined(separator: " AND "),
            first: first
        )
    }

    /// One page of a query, asked for and waited for.
    func page(_ query: CatalogPageQuery, after: Int64?, limit: Int) throws(SyncError) -> CatalogPage {
        let rows = try self.query(query.table, query.statement, query.parameters(after: after, limit: limit))
        return page(query, rows, limit: limit)
    }

    func page(_ query: CatalogPageQuery, _ rows: Rows, limit: Int) -> CatalogPage {
        var read: [CatalogRow] = []
        read.reserveCapacity(rows.count)
        for index in 0..<rows.count {
            let row = self.row(query.table, query.attachments, rows[index])
            if !row.media.isEmpty { read.append(row) }
        }
        return CatalogPage(rows: read, next: rows.count < limit ? nil : query.last(of: rows))
    }

    /// The rows of these numbers that are still there, with or without files, by number.
    package func rows(_ table: CatalogTable, ids: [Int64]) throws(SyncError) -> [Int64: CatalogRow] {
        let attachments = table.attachments
        let rows = try query(
            table,
            "\(select(table, attachments)) WHERE id = ANY ($1::bigint[])",
            [.integers(ids)]
        )
        var found: [Int64: CatalogRow] = [:]
        for row in rows {
            let read = self.row(table, attachments, row)
            found[read.id] = read
        }
        return found
    }

    /// The server's clock, which stamps the rows: microseconds since 1970.
    package func now() throws(SyncError) -> Int64 {
        do throws(DatabaseFault) {
            let statement = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint"
            if let now = try connection.query(statement).only?.integer { return now }
            throw DatabaseFault(kind: .other, message: "no answer")
        } catch {
            throw error.syncError("cannot ask the database for the time")
        }
    }

    /// The blocks of domains.
    package func domainRules() throws(SyncError) -> DomainRules {
        do throws(DatabaseFault) {
            let rows = try connection.query("SELECT domain, severity = 1, reject_media FROM public.domain_blocks")
            return DomainRules(
                rows.map {
                    DomainRules.Block(
                        domain: $0[0].text ?? "",
                        isSuspended: $0[1].boolean ?? false,
                        rejectsMedia: $0[2].boolean ?? false
                    )
                }
            )
        } catch {
            throw error.syncError("cannot read domain_blocks")
        }
    }

    // MARK: Statements

    /// SQL: a moment as the columns have it: UTC without saying so.
    static func moment(_ limit: AgeLimit) -> String {
        "(timestamp '1970-01-01' + \(limit.microsecondsSince1970) * interval '1 microsecond')"
    }

    private static func isStored(_ attachment: CatalogTable.Attachment) -> String {
        "\(SQL.identifier(attachment.fileName)) <> ''"
    }

    /// Whether this database has the attachment's storage version.
    func hasVersion(_ attachment: CatalogTable.Attachment) -> Bool {
        switch attachment.hasVersion {
        case .always: true
        case .sometimes: schema.hasThumbnailVersion
        case .never: false
        }
    }

    /// SQL: a text cut to more than any file name or type has: a row can hold a gigabyte, and there are thousands in memory.
    /// What is cut is too long for a file name, and stays it. The cast counts characters only where there are more than 256
    /// bytes; `left` counts those of every text.
    private static func limited(_ column: String) -> String {
        "\(SQL.identifier(column))::pg_catalog.varchar(256)"
    }

    /// - Parameter isRemote: what is known of all rows, which is not asked again for each.
    func select(
        _ table: CatalogTable,
        _ attachments: [CatalogTable.Attachment],
        isRemote: Bool? = nil
    ) -> String {
        let columns = attachments.flatMap { attachment -> [String] in
            return [
                Self.limited(attachment.fileName), Self.limited(attachment.contentType),
                SQL.identifier(attachment.fileSize),
            ]
                + [hasVersion(attachment) ? SQL.identifier(attachment.storageVersion) : "0"]
        }
        return
            "SELECT id, \(isRemote.map { "\($0)" } ?? table.isRemote), \(columns.joined(separator: ", "))"
            + " FROM \(SQL.qualified("public", table.rawValue))"
    }

    func query(
        _ table: CatalogTable,
        _ statement: String,
        _ parameters: [Parameter]
    ) throws(SyncError) -> Rows {
        do throws(DatabaseFault) {
            return try connection.query(statement, parameters)
        } catch {
            throw error.syncError("cannot read \(table.rawValue)")
        }
    }

    func row(_ table: CatalogTable, _ attachments: [CatalogTable.Attachment], _ row: Rows.Row) -> CatalogRow {
        var media: [StoredMedia] = []
        append(attachments, row, to: &media)
        return CatalogRow(table: table, id: row.integer(0) ?? 0, isRemote: row.isTrue(1), media: media)
    }

    /// Adds what a row has files of.
    func append(_ attachments: [CatalogTable.Attachment], _ row: Rows.Row, to media: inout [StoredMedia]) {
        let id = row.integer(0) ?? 0
        let isRemote = row.isTrue(1)
        for (index, attachment) in attachments.enumerated() {
            let first = 2 + 4 * index
            // Most attachments have no thumbnail, and many accounts no header.
            guard !row.isNull(first), let name = row[first].bytes, !name.allSatisfy(Self.isBlank) else { continue }
            media.append(
                StoredMedia(
                    kind: attachment.kind,
                    rowID: id,
                    isRemote: isRemote,
                    fileName: name,
                    contentType: row.text(first + 1),
                    byteCount: row.integer(first + 2),
                    storageVersion: row.integer(first + 3) ?? 0
                )
            )
        }
    }

    /// Rails counts a text of blanks as none.
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
