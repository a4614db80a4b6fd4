internal import CPostgres

/// The rows of one answer, held by libpq until the value goes. Used where it was made.
package final class Rows {
    private let result: OpaquePointer
    private let columnCount: Int
    package let count: Int
    /// Rows that a statement without an answer inserted, changed or removed.
    package let affected: Int

    init(owning result: OpaquePointer) {
        self.result = result
        columnCount = Int(PQnfields(result))
        count = Int(PQntuples(result))
        affected = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    deinit { PQclear(result) }

    package var columns: [String] {
        (0..<Int32(columnCount)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
    }

    package subscript(_ row: Int) -> Row {
        precondition(row >= 0 && row < count)
        return Row(rows: self, index: Int32(row))
    }

    /// The only value of an answer with one row and one column.
    package var only: Value? { count == 1 ? self[0][0] : nil }

    /// Where libpq has a value; nil for NULL.
    fileprivate func bytes(_ row: Int32, _ column: Int) -> UnsafeBufferPointer<UInt8>? {
        precondition(column >= 0 && column < columnCount)
        let column = Int32(column)
        // NULL has no length: of most values libpq is asked twice, not three times.
        let count = Int(PQgetlength(result, row, column))
        if count == 0, PQgetisnull(result, row, column) != 0 { return nil }
        guard let bytes = PQgetvalue(result, row, column) else { return nil }
        return UnsafeBufferPointer(start: UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt8.self), count: count)
    }

    /// One row; columns by number, from 0.
    package struct Row {
        fileprivate let rows: Rows
        fileprivate let index: Int32

        package subscript(_ column: Int) -> Value { Value(bytes: rows.bytes(index, column).map(Array.init)) }

        // For answers with millions of rows: read where libpq has them, without an array for each value.

        package func isNull(_ column: Int) -> Bool { rows.bytes(index, column) == nil }

        /// A whole number; nil where it is none.
        package func integer(_ column: Int) -> Int64? {
            withExtendedLifetime(rows) { rows.bytes(index, column).flatMap(Value.integer) }
        }

        package func isTrue(_ column: Int) -> Bool {
            withExtendedLifetime(rows) { rows.bytes(index, column)?.first == UInt8(ascii: "t") }
        }

        package func text(_ column: Int) -> String? {
            withExtendedLifetime(rows) { rows.bytes(index, column).map { String(decoding: $0, as: UTF8.self) } }
        }
    }

    /// One value as the server wrote it.
    package struct Value: Sendable {
        /// Nil for NULL.
        package let bytes: [UInt8]?

        package var isNull: Bool { bytes == nil }
        package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
        /// A whole number; nil where it is none.
        package var integer: Int64? { bytes.flatMap { $0.withUnsafeBufferPointer(Self.integer) } }
        package var boolean: Bool? { text.map { $0 == "t" } }

        /// Reads the digits that the server wrote, without a text in between.
        fileprivate static func integer(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
            guard let first = bytes.first else { return nil }
            let isNegative = first == UInt8(ascii: "-")
            let digits = isNegative ? bytes[1...] : bytes[...]
            guard !digits.isEmpty else { return nil }
            // Gathered below zero, where the smallest number fits.
            var value: Int64 = 0
            for byte in digits {
                let digit = Int64(byte) - 48
                guard (0...9).contains(digit) else { return nil }
                let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.subtractingReportingOverflow(digit)
                guard !overflow, !carry else { return nil }
                value = sum
            }
            return isNegative ? value : value == Int64.min ? nil : -value
        }
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
