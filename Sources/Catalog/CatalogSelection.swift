internal import Postgres

/// Which rows of a table are read, and which of their columns.
struct CatalogSelection {
    let table: CatalogTable
    let attachments: [CatalogTable.Attachment]
    /// SQL: from SELECT to the table's name.
    let select: String
    /// SQL: what the rows fulfil.
    let condition: String
    /// Rows up to this number are passed over.
    var first = Int64.min

    /// The number, whether it is another server's, and what each attachment has.
    var columnCount: Int { 2 + 4 * attachments.count }

    /// The statement that reads one page: behind `$1`, at most `$2` rows.
    var pageQuery: CatalogPageQuery {
        CatalogPageQuery(
            table: table,
            attachments: attachments,
            statement: "\(select) WHERE id > $1 AND \(condition) ORDER BY id LIMIT $2",
            first: first
        )
    }

    /// The same page copied out in binary. COPY takes no parameters.
    func copyStatement(after: Int64?, limit: Int) -> String {
        // In quotes: the smallest number is none of this type where it is written with a sign.
        let start = "'\(max(first, after ?? Int64.min))'::pg_catalog.int8"
        return
            "COPY (\(select) WHERE id > \(start) AND \(condition) ORDER BY id LIMIT \(limit)) TO STDOUT (FORMAT binary)"
    }
}
