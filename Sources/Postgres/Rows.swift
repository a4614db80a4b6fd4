internal import CPostgres

/// The rows of one answer, held by libpq until the value goes. Used where it was made.
package final class Rows {
    private let result: OpaquePointer
    package let count: Int
    /// Rows that a statement without an answer inserted, changed or removed.
    package let affected: Int

    init(owning result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        affected = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    deinit { PQclear(result) }

    package var columns: [String] {
        (0..<PQnfields(result)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
    }

    package subscript(_ row: Int) -> Row {
        precondition(row >= 0 && row < count)
        return Row(rows: self, index: Int32(row))
    }

    /// The only value of an answer with one row and one column.
    package var only: Value? { count == 1 ? self[0][0] : nil }

    fileprivate func value(_ row: Int32, _ column: Int) -> Value {
        precondition(column >= 0 && column < Int(PQnfields(result)))
        let column = Int32(column)
        guard PQgetisnull(result, row, column) == 0, let bytes = PQgetvalue(result, row, column) else {
            return Value(bytes: nil)
        }
        let count = Int(PQgetlength(result, row, column))
        return Value(
            bytes: bytes.withMemoryRebound(to: UInt8.self, capacity: count) {
                Array(UnsafeBufferPointer(start: $0, count: count))
            }
        )
    }

    /// One row; columns by number, from 0.
    package struct Row {
        fileprivate let rows: Rows
        fileprivate let index: Int32

        package subscript(_ column: Int) -> Value { rows.value(index, column) }
    }

    /// One value as the server wrote it.
    package struct Value: Sendable {
        /// Nil for NULL.
        package let bytes: [UInt8]?

        package var isNull: Bool { bytes == nil }
        package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
        package var integer: Int64? { text.flatMap { Int64($0) } }
        package var boolean: Bool? { text.map { $0 == "t" } }
    }
}

extension Rows: Sequence {
    package func makeIterator() -> AnyIterator<Row> {
        var next = 0
        return AnyIterator {
            guard next < self.count else { return nil }
            defer { next += 1 }
            return self[next]
        }
    }
}
