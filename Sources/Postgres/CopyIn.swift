internal import CPostgres

/// COPY ... FROM STDIN: rows go in by pieces, each `put` waits while the server is behind. Ended by `finish` or `abort`;
/// let go without either, the server is told to forget it. A row that the server does not take is told by `finish` only:
/// who has many ends the COPY now and then and begins another.
package struct CopyIn: ~Copyable {
    private let connection: Connection
    private var isOpen = true

    init(_ connection: Connection) {
        self.connection = connection
    }

    deinit {
        guard isOpen else { return }
        _ = PQputCopyEnd(connection.raw, "given up")
        Self.drain(connection)
    }

    /// Sends a piece. Where it begins and ends does not matter to the server.
    package mutating func put(_ bytes: UnsafeRawBufferPointer) throws(DatabaseFault) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        guard bytes.count <= Int(Int32.max) else {
            throw DatabaseFault(kind: .badData, message: "a piece of more than 2 GiB")
        }
        let raw = connection.raw
        let sent = PQputCopyData(raw, base.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        guard sent == 1 else { throw Self.fault(of: connection) }
    }

    /// The same for bytes of one's own making.
    package mutating func put(_ bytes: [UInt8]) throws(DatabaseFault) {
        // The standard library's closures do not carry the type of an error.
        var fault: DatabaseFault?
        bytes.withUnsafeBytes { buffer in
            do throws(DatabaseFault) { try put(buffer) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    /// All rows are sent. Returns how many the server took.
    package consuming func finish() throws(DatabaseFault) -> Int {
        isOpen = false
        guard PQputCopyEnd(connection.raw, nil) == 1 else { throw Self.fault(of: connection) }
        return try Self.answer(of: connection)
    }

    /// Gives the rows up: the server forgets them.
    package consuming func abort(because reason: String) {
        isOpen = false
        _ = PQputCopyEnd(connection.raw, reason)
        Self.drain(connection)
    }

    private static func answer(of connection: Connection) throws(DatabaseFault) -> Int {
        let result = PQgetResult(connection.raw)
        defer {
            PQclear(result)
            drain(connection)
        }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else {
            throw DatabaseFault(result: result, connection: connection.raw)
        }
        return PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// Why the server takes no more: its own words where it said some before it went.
    private static func fault(of connection: Connection) -> DatabaseFault {
        _ = PQputCopyEnd(connection.raw, "given up")
        while let result = PQgetResult(connection.raw) {
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            if status == PGRES_FATAL_ERROR {
                return DatabaseFault(result: result, connection: connection.raw)
            }
            if status == PGRES_COPY_IN { break }
        }
        return DatabaseFault(connection: connection.raw, lost: true)
    }

    private static func drain(_ connection: Connection) {
        while let result = PQgetResult(connection.raw) {
            let status = PQresultStatus(result)
            PQclear(result)
            // A broken session would say the same for ever.
            if status == PGRES_COPY_IN || !connection.isAlive { break }
        }
    }
}

extension Connection {
    /// Begins COPY ... FROM STDIN.
    package func copyIn(_ statement: String) throws(DatabaseFault) -> CopyIn {
        let result = PQexec(raw, statement)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COPY_IN else {
            throw DatabaseFault(result: result, connection: raw)
        }
        return CopyIn(self)
    }
}
