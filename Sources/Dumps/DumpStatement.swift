/// One statement of a dump that was found harmless.
package struct DumpStatement: Sendable {
    /// The text without comments in front of it and without the closing `;`. It is one statement: send it by the extended
    /// protocol, which does not run a second one.
    package let sql: [UInt8]
    /// 1-based, of its first token.
    package let line: Int
    package let role: StatementRole
    /// Rows that an INSERT brings; 0 for everything else.
    package let rows: Int

    package init(sql: [UInt8], line: Int, role: StatementRole, rows: Int = 0) {
        self.sql = sql
        self.line = line
        self.role = role
        self.rows = rows
    }
}

/// The beginning of a block of rows in PostgreSQL's text format.
package struct CopyHeader: Sendable, Hashable {
    package let table: TableName
    /// The columns as the dump names them, with their quotes and parentheses: `(id, "group")`; empty for a table without
    /// columns.
    package let columnList: String
    /// The same, unquoted.
    package let columns: [String]
    /// Of the COPY statement, 1-based. Its first row is on the next line.
    package let line: Int

    package init(table: TableName, columnList: String, columns: [String], line: Int) {
        self.table = table
        self.columnList = columnList
        self.columns = columns
        self.line = line
    }

    /// What to send to load rows of this block.
    package var sql: String {
        "COPY \(table.sql) \(columnList)\(columnList.isEmpty ? "" : " ")FROM STDIN"
    }
}
