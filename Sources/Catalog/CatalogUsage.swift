package import MediaModel
internal import Postgres

/// How much rows say they have here, by kind and place.
package struct CatalogUsage: Sendable, Equatable {
    package let kind: MediaKind
    /// Below `cache/`.
    package let isCached: Bool
    package let rows: Int
    /// Of the originals: rows do not know the size of other variants.
    package let bytes: Int64
}

extension CatalogReader {
    /// Sums of all rows: one statement for each kind.
    package func usage() throws(SyncError) -> [CatalogUsage] {
        var usage: [CatalogUsage] = []
        for table in CatalogTable.allCases {
            for attachment in table.attachments {
                do throws(DatabaseFault) {
                    for row in try connection.query(usageStatement(table, attachment)) {
                        usage.append(
                            CatalogUsage(
                                kind: attachment.kind,
                                isCached: row[0].boolean ?? false,
                                rows: Int(row[1].integer ?? 0),
                                bytes: row[2].integer ?? 0
                            )
                        )
                    }
                } catch {
                    throw error.syncError("cannot read \(table.rawValue)")
                }
            }
        }
        return usage
    }

    private func usageStatement(_ table: CatalogTable, _ attachment: CatalogTable.Attachment) -> String {
        let cached = attachment.kind.canBeCached && hasVersion(attachment)
        let place =
            cached ? "(\(table.isRemote)) AND coalesce(\(SQL.identifier(attachment.storageVersion)), 0) >= 1" : "false"
        return """
            SELECT \(place), count(*), coalesce(sum(\(SQL.identifier(attachment.fileSize))::bigint), 0)::bigint
            FROM \(SQL.qualified("public", table.rawValue)) WHERE \(SQL.identifier(attachment.fileName)) <> '' GROUP BY 1
            """
    }
}
