import Dumps
import MediaModel

/// A sink that keeps what it gets as lines of text, rows joined whatever pieces they came in: two readings of one dump are
/// compared by them.
final class ElementRecorder: DumpElementSink {
    private(set) var elements: [String] = []
    private(set) var statements: [DumpStatement] = []
    private(set) var headers: [CopyHeader] = []
    /// Pieces of rows that came in one call.
    private(set) var pieces = 0
    private var rows: [UInt8] = []
    private var rowCount = 0
    private var firstLine = 0
    /// Thrown at the element with this number.
    var failure: (at: Int, error: SyncError)?

    private func add(_ element: String) throws(SyncError) {
        if let failure, failure.at == elements.count { throw failure.error }
        elements.append(element)
    }

    func statement(_ statement: DumpStatement) throws(SyncError) {
        statements.append(statement)
        let text = String(decoding: statement.sql, as: UTF8.self)
        try add("\(statement.line) \(statement.role) \(statement.rows) \(text)")
    }

    func copyBegins(_ header: CopyHeader) throws(SyncError) {
        headers.append(header)
        rows = []
        rowCount = 0
        try add("\(header.line) copy \(header.table) \(header.columnList) \(header.columns)")
    }

    func copyRows(_ bytes: UnsafeRawBufferPointer, rows count: Int, line: Int) throws(SyncError) {
        if rowCount == 0 { firstLine = line }
        precondition(line == firstLine + rowCount, "a row's line is wrong")
        precondition(bytes.last == 0x0A, "a row was cut")
        precondition(bytes.count { $0 == 0x0A } == count, "rows were not counted")
        pieces += 1
        rows.append(contentsOf: bytes)
        rowCount += count
    }

    func copyEnds(rows count: Int) throws(SyncError) {
        precondition(count == rowCount, "rows were lost")
        try add("rows \(count) from \(firstLine): \(String(decoding: rows, as: UTF8.self))")
    }
}
