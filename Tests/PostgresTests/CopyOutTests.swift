import MediaModel
import MediasyncTesting
import Testing

@testable import Postgres

/// Rows that a real server copies out in binary.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct CopyOutTests {
    private struct Row: Equatable {
        var numbers: [Int64?]
        var text: [UInt8]?
        var isTrue: Bool
    }

    private static func rows(_ connection: Connection, _ select: String) throws -> [Row] {
        var copy = BinaryCopy(columns: 5)
        var rows: [Row] = []
        try connection.startCopyOut("COPY (\(select)) TO STDOUT (FORMAT binary)")
        try connection.finishCopyOut { (piece) throws(DatabaseFault) in
            guard var row = try copy.row(in: piece) else { return }
            let numbers = [try row.integer(), try row.integer(), try row.integer()]
            rows.append(Row(numbers: numbers, text: try row.bytes().map(Array.init), isTrue: try row.isTrue()))
        }
        return rows
    }

    @Test("numbers of all sizes, texts and NULL arrive as they are, and the session goes on")
    func values() throws {
        let connection = try Server.connect()
        let text = "tab\there, back\\slash, \\N, ü\u{301}"
        let found = try Self.rows(
            connection,
            """
            VALUES ((-32768)::smallint, (-2147483648)::int, '-9223372036854775808'::bigint, \(SQL.literal(text)), true),
                (32767::smallint, 2147483647, 9223372036854775807, '', false), (NULL, NULL, NULL, NULL, NULL)
            """
        )
        #expect(
            found == [
                Row(numbers: [-32768, -2_147_483_648, Int64.min], text: Array(text.utf8), isTrue: true),
                Row(numbers: [32767, 2_147_483_647, Int64.max], text: [], isTrue: false),
                Row(numbers: [nil, nil, nil], text: nil, isTrue: false),
            ]
        )
        #expect(try Self.rows(connection, "SELECT 1, 2, 3, 'x', true WHERE false").isEmpty)
        #expect(try connection.query("SELECT 7").only?.integer == 7)
    }

    @Test("what goes wrong at first, in the middle, or here is told, and the session goes on")
    func faults() throws {
        let connection = try Server.connect()
        func fault(_ select: String) -> DatabaseFault? {
            do {
                _ = try Self.rows(connection, select)
                return nil
            } catch {
                return error as? DatabaseFault
            }
        }
        #expect(fault("SELECT 1, 2, 3, 'x', true FROM no_such_table")?.state == "42P01")
        // More rows than fit into any buffer before the one that fails.
        let late = "SELECT 1 / (100000 - n), 2, 3, repeat('x', 100), true FROM generate_series(1, 200000) n"
        #expect(fault(late)?.state == "22012")
        #expect(fault("SELECT 1, 2 FROM generate_series(1, 200000)") == BinaryRow.unknown)
        #expect(fault("SELECT 1.5, 2, 3, 'x', true") == BinaryRow.unknown)
        try connection.startCopyOut("SELECT 1")
        #expect(throws: DatabaseFault.self) { try connection.finishCopyOut { _ in } }
        #expect(try connection.query("SELECT 7").only?.integer == 7)
    }

    @Test("bytes that are no such rows are refused, wherever they end")
    func hostile() throws {
        let head: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
        let row: [UInt8] = [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1, 0x61]
        /// The number and the text of a row; nil where it is refused.
        func read(_ bytes: [UInt8]) -> (Int64?, [UInt8]?)? {
            var copy = BinaryCopy(columns: 2)
            return bytes.withUnsafeBytes { piece in
                guard var row = try? copy.row(in: piece), let number = try? row.integer(), let text = try? row.bytes()
                else { return nil }
                return (number, Array(text))
            }
        }
        let good = try #require(read(head + row))
        #expect(good.0 == 7)
        #expect(good.1 == [0x61])
        for count in 0..<(head.count + row.count) { #expect(read(Array((head + row)[..<count])) == nil, "\(count)") }
        var wrong = head
        wrong[0] = 0x51
        #expect(read(wrong + row) == nil)
        // A flag that must be understood, and an extension that is not there.
        #expect(read(Array(head[..<11]) + [0, 1, 0, 0, 0, 0, 0, 0] + row) == nil)
        #expect(read(Array(head[..<15]) + [0x7F, 0xFF, 0xFF, 0xFF] + row) == nil)
        #expect(read(Array(head[..<15]) + [0xFF, 0xFF, 0xFF, 0xFF] + row) == nil)
        // One that is there is passed over.
        #expect(read(Array(head[..<15]) + [0, 0, 0, 2, 9, 9] + row)?.0 == 7)
        // Lengths beyond the end, and below nothing.
        #expect(read(head + [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0x7F, 0xFF, 0xFF, 0xFF, 0x61]) == nil)
        #expect(read(head + [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0xFF, 0xFF, 0xFF, 0xFE, 0x61]) == nil)
    }
}
