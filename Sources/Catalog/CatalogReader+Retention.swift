package import MediaModel
internal import Postgres

extension CatalogReader {
    /// How many attachments a retention takes, and how many are stored of the same kinds by other servers' rows.
    package func count(_ retention: Retention, _ table: CatalogTable) throws(SyncError) -> (taken: Int, stored: Int) {
        let attachments = retention.attachments(of: table)
        guard !attachments.isEmpty else { return (0, 0) }
        let stored = attachments.map { "t.\($0.fileName) <> ''" }.joined(separator: " OR ")
        let rows = try query(
            table,
            """
            SELECT count(*) FILTER (WHERE \(retention.condition(table, schema))), count(*)
            FROM \(SQL.qualified("public", table.rawValue)) t WHERE (\(table.isRemote)) AND (\(stored))
            """,
            []
        )
        return (Int(rows[0][0].integer ?? 0), Int(rows[0][1].integer ?? 0))
    }

    /// The next rows that a retention takes, by number. Of each row only what it loses is told.
    package func page(
        _ retention: Retention,
        _ table: CatalogTable,
        after: Int64? = nil,
        limit: Int = pageRows
    ) throws(SyncError) -> CatalogPage {
        guard let query = pageQuery(retention, table) else { return CatalogPage(rows: [], next: nil) }
        return try page(query, after: after, limit: limit)
    }

    /// All pages of what a retention takes.
    package func pages(_ retention: Retention, _ table: CatalogTable) -> CatalogPages {
        CatalogPages(self, pageQuery(retention, table), limit: CatalogPages.pageRows)
    }

    private func pageQuery(_ retention: Retention, _ table: CatalogTable) -> CatalogPageQuery? {
        let attachments = retention.attachments(of: table)
        guard !attachments.isEmpty else { return nil }
        let condition = retention.condition(table, schema)
        return CatalogPageQuery(
            table: table,
            attachments: attachments,
            statement: "\(select(table, attachments)) t WHERE id > $1 AND \(condition) ORDER BY id LIMIT $2"
        )
    }

    /// Takes the files out of rows: the four columns of each attachment become NULL and the row's time of change is now;
    /// nothing else changes. A row is changed only while it still names the same files in the same place and is still
    /// taken by the retention. One transaction, which is on the server's disk when this returns.
    /// - Parameters:
    ///   - rows: as `page` told them.
    ///   - beforeCommit: called once the rows are changed and before that is committed.
    /// - Returns: the numbers of the rows that were changed. The others changed or went meanwhile.
    package func clear(
        _ retention: Retention,
        _ table: CatalogTable,
        _ rows: [CatalogRow],
        beforeCommit: () -> Void = {}
    ) throws(SyncError) -> Set<Int64> {
        let attachments = retention.attachments(of: table)
        guard !attachments.isEmpty, !rows.isEmpty else { return [] }
        let statement = clearStatement(retention, table, attachments)
        let parameters = Self.clearParameters(attachments, rows)
        var tries = 0
        while true {
            do throws(DatabaseFault) {
                return try connection.transaction { () throws(DatabaseFault) -> Set<Int64> in
                    // The files go as soon as this is committed, also where the server commits to memory by default.
                    try connection.execute("SET LOCAL synchronous_commit = on")
                    let cleared = try connection.query(statement, parameters).compactMap { $0.integer(0) }
                    beforeCommit()
                    return Set(cleared)
                }
            } catch {
                tries += 1
                guard error.kind == .conflict, tries < Self.conflictTries else {
                    throw error.syncError("cannot update \(table.rawValue)")
                }
            }
        }
    }

    /// A statement that got in another session's way is rolled back by the server after a second: a few tries suffice.
    private static let conflictTries = 5

    private func clearStatement(
        _ retention: Retention,
        _ table: CatalogTable,
        _ attachments: [CatalogTable.Attachment]
    ) -> String {
        var sets = ["updated_at = (pg_catalog.clock_timestamp() AT TIME ZONE 'UTC')"]
        var guards: [String] = []
        var arrays = ["$1::bigint[]"]
        var names = ["id"]
        for (index, attachment) in attachments.enumerated() {
            let (name, version) = ("name\(index)", "version\(index)")
            names += [name, version]
            arrays += ["$\(2 * index + 2)::text[]", "$\(2 * index + 3)::bigint[]"]
            for column in [attachment.fileName, attachment.contentType, attachment.fileSize, attachment.updatedAt] {
                sets.append("\(column) = CASE WHEN v.\(name) IS NULL THEN t.\(column) END")
            }
            let blank = "pg_catalog.btrim(coalesce(t.\(attachment.fileName), ''), E' \\t\\n\\r\\f\\x0b') = ''"
            guards.append("CASE WHEN v.\(name) IS NULL THEN \(blank) ELSE t.\(attachment.fileName) = v.\(name) END")
            if hasVersion(attachment) {
                guards.append("(v.\(name) IS NULL OR coalesce(t.\(attachment.storageVersion), 0) = v.\(version))")
            }
        }
        return """
            UPDATE \(SQL.qualified("public", table.rawValue)) t SET \(sets.joined(separator: ", "))
            FROM unnest(\(arrays.joined(separator: ", "))) AS v (\(names.joined(separator: ", ")))
            WHERE t.id = v.id AND \(guards.joined(separator: " AND "))
            AND \(retention.condition(table, schema)) RETURNING t.id
            """
    }

    /// Numbers, then of each attachment the names (NULL for none) and storage versions.
    private static func clearParameters(
        _ attachments: [CatalogTable.Attachment],
        _ rows: [CatalogRow]
    ) -> [Parameter] {
        var parameters: [Parameter] = [.integers(rows.map(\.id))]
        for attachment in attachments {
            let media = rows.map { row in row.media.first { $0.kind == attachment.kind } }
            parameters.append(.texts(media.map { $0.map { String(decoding: $0.fileName, as: UTF8.self) } }))
            parameters.append(.integers(media.map { $0?.storageVersion ?? 0 }))
        }
        return parameters
    }
}
