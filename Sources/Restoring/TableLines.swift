internal import Dumps
internal import MediaModel

/// The largest tables, one on each line, for people.
struct TableLines {
    /// A table with what a dump has of it.
    struct Row {
        var table: TableName
        var rows: Int
        var bytes: Int64
    }

    private static let shownMax = 10

    var rows: [Row]
    /// What stands before each line.
    var indent: String

    /// Tables without rows are not worth a line.
    var lines: [String] {
        let largest = rows.filter { $0.rows > 0 }.sorted { ($0.bytes, $1.table) > ($1.bytes, $0.table) }
        var lines = largest.prefix(Self.shownMax).map {
            "\(indent)\($0.table)  \($0.rows) rows  \(ByteCount.describe($0.bytes))"
        }
        if largest.count > Self.shownMax {
            lines.append("\(indent)and \(largest.count - Self.shownMax) more with rows")
        }
        return lines
    }
}

/// What a restore brought, table by table.
enum LoadReport {
    static func make(_ sizes: TableSizes) -> Report {
        let rows = sizes.entries.map { TableLines.Row(table: $0.table, rows: $0.rowsLoaded, bytes: Int64($0.bytes)) }
        let tables = rows.map { row in
            Report.Value.object([
                .init("schema", .text(row.table.schema)), .init("name", .text(row.table.name)),
                .init("rows", .init(row.rows)), .init("bytes", .number(row.bytes)),
            ])
        }
        let total = rows.reduce(into: (rows: 0, bytes: Int64(0))) {
            $0.rows += $1.rows
            $0.bytes += $1.bytes
        }
        return Report(
            name: "restored",
            fields: [
                .init("rows", .init(total.rows)), .init("bytes", .number(total.bytes)), .init("tables", .list(tables)),
            ],
            lines: ["\(rows.count) tables, \(total.rows) rows, \(ByteCount.describe(total.bytes))"]
                + TableLines(rows: rows, indent: "  ").lines,
            isAsked: false
        )
    }
}
