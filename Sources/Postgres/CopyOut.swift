internal import CPostgres

extension Connection {
    /// Sends a COPY ... TO STDOUT; `finishCopyOut` waits for what it copies. Nothing else may be asked of this connection in
    /// between.
    package func startCopyOut(_ statement: String) throws(DatabaseFault) {
        guard PQsendQuery(raw, statement) == 1 else { throw DatabaseFault(connection: raw, lost: !isAlive) }
    }

    /// Takes what the server copies out, to its end.
    /// - Parameter body: hears one row at a time, whose bytes are valid during the call. After its first error it hears no more.
    package func finishCopyOut(
        _ body: (UnsafeRawBufferPointer) throws(DatabaseFault) -> Void
    ) throws(DatabaseFault) {
        let begun = PQgetResult(raw)
        defer { PQclear(begun) }
        guard PQresultStatus(begun) == PGRES_COPY_OUT else {
            let fault = DatabaseFault(result: begun, connection: raw)
            dropResults()
            throw fault
        }
        var fault: DatabaseFault?
        var bytes: UnsafeMutablePointer<CChar>?
        while case let count = PQgetCopyData(raw, &bytes, 0), count > 0 {
            defer { PQfreemem(bytes) }
            guard fault == nil else { continue }
            do throws(DatabaseFault) {
                try body(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            } catch {
                fault = error
            }
        }
        // The server's own error, in the middle of the rows, is told behind them.
        let end = PQgetResult(raw)
        defer { PQclear(end) }
        if PQresultStatus(end) != PGRES_COMMAND_OK { fault = DatabaseFault(result: end, connection: raw) }
        dropResults()
        if let fault { throw fault }
    }

    /// One statement has one answer, behind which libpq says that there are no more.
    private func dropResults() {
        while let rest = PQgetResult(raw) {
            let status = PQresultStatus(rest)
            PQclear(rest)
            // A session that still copies would say so for ever.
            if status == PGRES_COPY_OUT || !isAlive { break }
        }
    }
}

/// Finds the rows in what COPY ... TO STDOUT (FORMAT binary) sends: a head, the rows, an end.
package struct BinaryCopy {
    private static let signature = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
    /// The signature, and two numbers of four bytes.
    private static let headBytes = 19

    private let columns: Int
    private var hasBegun = false

    /// - Parameter columns: of each row.
    package init(columns: Int) {
        self.columns = columns
    }

    /// The row in a piece as libpq hands it out; nil where it has none. Valid as long as the piece is.
    package mutating func row(in piece: UnsafeRawBufferPointer) throws(DatabaseFault) -> BinaryRow? {
        var rest = piece[...]
        if !hasBegun {
            rest = rest.dropFirst(try Self.headCount(piece))
            hasBegun = true
        }
        if rest.isEmpty { return nil }
        var row = BinaryRow(UnsafeRawBufferPointer(rebasing: rest))
        let count = try row.number(Int16.self)
        // The end.
        if count == -1 { return nil }
        guard count == columns else { throw BinaryRow.unknown }
        return row
    }

    private static func headCount(_ piece: UnsafeRawBufferPointer) throws(DatabaseFault) -> Int {
        guard piece.count >= headBytes, piece.starts(with: signature) else { throw BinaryRow.unknown }
        let flags = Int32(bigEndian: piece.loadUnaligned(fromByteOffset: 11, as: Int32.self))
        let extensionBytes = Int(Int32(bigEndian: piece.loadUnaligned(fromByteOffset: 15, as: Int32.self)))
        // The upper half says what a reader must know: nothing so far.
        guard flags >> 16 == 0, extensionBytes >= 0, piece.count - headBytes >= extensionBytes else {
            throw BinaryRow.unknown
        }
        return headBytes + extensionBytes
    }
}

/// One row of a binary COPY, taken apart from its first column to its last.
package struct BinaryRow {
    static let unknown = DatabaseFault(kind: .badData, message: "the server's rows are not as expected")

    private var rest: UnsafeRawBufferPointer

    fileprivate init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    fileprivate mutating func number<Number: FixedWidthInteger>(
        _ type: Number.Type
    ) throws(DatabaseFault) -> Number {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { throw Self.unknown }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[size...]) }
        return Number(bigEndian: rest.loadUnaligned(as: Number.self))
    }

    /// The next column as the server has it; nil for NULL.
    package mutating func bytes() throws(DatabaseFault) -> UnsafeBufferPointer<UInt8>? {
        let count = Int(try number(Int32.self))
        if count == -1 { return nil }
        guard count >= 0, rest.count >= count else { throw Self.unknown }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count]).assumingMemoryBound(to: UInt8.self)
    }

    /// The next column, a whole number of two, four or eight bytes; nil for NULL.
    package mutating func integer() throws(DatabaseFault) -> Int64? {
        switch Int(try number(Int32.self)) {
        case -1: return nil
        case 2: return Int64(try number(Int16.self))
        case 4: return Int64(try number(Int32.self))
        case 8: return try number(Int64.self)
        default: throw Self.unknown
        }
    }

    /// Whether the next column is true.
    package mutating func isTrue() throws(DatabaseFault) -> Bool { try bytes()?.first == 1 }
}
