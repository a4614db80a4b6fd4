package import MediaModel
internal import Postgres

extension CatalogReader {
    /// Makes rows name new files: the columns that Mastodon writes after a download, and no others. A row is changed only
    /// while it says what was read: the same URL, file, time and place. One transaction, which is on the server's disk when
    /// this returns.
    /// - Parameters:
    ///   - replacements: of one kind, each row once.
    ///   - beforeCommit: called when the rows are changed, and nobody else sees it yet.
    /// - Returns: the numbers of the rows that were changed. The others changed or went meanwhile.
    package func replace(
        _ kind: MediaKind,
        with replacements: [FileReplacement],
        beforeCommit: () -> Void = {}
    ) throws(SyncError) -> Set<Int64> {
        let table = CatalogTable(of: kind)
        guard !replacements.isEmpty, let attachment = table.attachments.first(where: { $0.kind == kind }),
            let url = attachment.remoteURL
        else { return [] }
        let statement = replaceStatement(table, attachment, url: url)
        let parameters = Self.replaceParameters(replacements)
        return try persistently("cannot update \(table.rawValue)") { () throws(DatabaseFault) in
            try connection.transaction { () throws(DatabaseFault) -> Set<Int64> in
                // The old files go as soon as this is committed, also where the server commits to memory by default.
                try connection.execute("SET LOCAL synchronous_commit = on")
                let changed = Set(try connection.query(statement, parameters).compactMap { $0.integer(0) })
                beforeCommit()
                return changed
            }
        }
    }

    /// Gives an account's picture another address, if it still has the one that was read.
    /// - Returns: false where the row changed or went.
    package func move(_ media: RemoteMedia, to url: String) throws(SyncError) -> Bool {
        let table = CatalogTable(of: media.kind)
        guard let column = table.attachments.first(where: { $0.kind == media.kind })?.remoteURL else { return false }
        return try persistently("cannot update \(table.rawValue)") { () throws(DatabaseFault) in
            try connection.query(
                """
                UPDATE \(SQL.qualified("public", table.rawValue)) SET \(column) = $1, updated_at = \(Self.now)
                WHERE id = $2 AND \(column) = $3 RETURNING id
                """,
                [.text(url), .integer(media.rowID), .text(media.url)]
            ).count > 0
        }
    }

    /// SQL: the server's clock as the columns have it.
    private static let now = "(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC')"

    /// A statement that got in another session's way is rolled back by the server after a second: a few tries suffice.
    private static let conflictTries = 5

    private func persistently<Result>(
        _ what: String,
        _ body: () throws(DatabaseFault) -> Result
    ) throws(SyncError) -> Result {
        var tries = 0
        while true {
            do throws(DatabaseFault) {
                return try body()
            } catch {
                tries += 1
                guard error.kind == .conflict, tries < Self.conflictTries else { throw error.syncError(what) }
            }
        }
    }

    private func replaceStatement(_ table: CatalogTable, _ attachment: CatalogTable.Attachment, url: String) -> String {
        var sets = [
            "\(attachment.fileName) = v.name", "\(attachment.contentType) = v.type", "\(attachment.fileSize) = v.size",
            "\(attachment.updatedAt) = \(Self.now)", "updated_at = \(Self.now)",
        ]
        if hasVersion(attachment) { sets.append("\(attachment.storageVersion) = 1") }
        if table == .mediaAttachments {
            sets += [
                "file_meta = coalesce(v.meta::json, t.file_meta)", "blurhash = coalesce(v.hash, t.blurhash)",
                "type = coalesce(v.media, t.type)",
            ]
        }
        if attachment.kind == .attachment, let picture = table.attachments.first(where: { $0.kind == .thumbnail }) {
            let columns = [(picture.fileName, "pname"), (picture.contentType, "ptype"), (picture.fileSize, "psize")]
            sets += columns.map { "\($0) = CASE WHEN v.pname IS NULL THEN t.\($0) ELSE v.\($1) END" }
            sets.append(
                "\(picture.updatedAt) = CASE WHEN v.pname IS NULL THEN t.\(picture.updatedAt) ELSE \(Self.now) END"
            )
            if hasVersion(picture) {
                sets.append(
                    "\(picture.storageVersion) = CASE WHEN v.pname IS NULL THEN t.\(picture.storageVersion) ELSE 1 END"
                )
            }
        }
        let blank = "pg_catalog.btrim(coalesce(t.\(attachment.fileName), ''), E' \\t\\n\\r\\f\\x0b') = ''"
        var guards = [
            "t.id = v.id", "(\(table.isRemote))", "t.\(url) = v.url",
            "CASE WHEN v.old IS NULL THEN \(blank) ELSE t.\(attachment.fileName) = v.old END",
            "t.\(attachment.updatedAt) IS NOT DISTINCT FROM v.at::timestamp",
        ]
        if hasVersion(attachment) {
            guards.append("(v.old IS NULL OR coalesce(t.\(attachment.storageVersion), 0) = v.version)")
        }
        return """
            UPDATE \(SQL.qualified("public", table.rawValue)) t SET \(sets.joined(separator: ", "))
            FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
            $9::text[], $10::text[], $11::int[], $12::text[], $13::text[], $14::bigint[])
            AS v (id, url, old, at, version, name, type, size, meta, hash, media, pname, ptype, psize)
            WHERE \(guards.joined(separator: " AND ")) RETURNING t.id
            """
    }

    private static func replaceParameters(_ all: [FileReplacement]) -> [Parameter] {
        let names = all.map { $0.row.stored.map { String(decoding: $0.fileName, as: UTF8.self) } }
        return [
            .integers(all.map(\.row.rowID)), .texts(all.map(\.row.url)), .texts(names), .texts(all.map(\.row.storedAt)),
            .integers(all.map { $0.row.stored?.storageVersion ?? 0 }), .texts(all.map(\.file.name)),
            .texts(all.map(\.file.contentType)), .integers(all.map(\.file.byteCount)),
            .texts(all.map { $0.description?.meta }), .texts(all.map { $0.description?.blurhash }),
            .texts(all.map { $0.description?.type.map { String($0) } }), .texts(all.map { $0.picture?.name }),
            .texts(all.map { $0.picture?.contentType }), .texts(all.map { $0.picture.map { String($0.byteCount) } }),
        ]
    }
}
