internal import CPostgres

/// COPY ... FROM STDIN: rows go in by pieces, each `put` waits while the server is behind. Ended by `finish` or `abort`;
/// let go without either, the server is told to forget it.
package struct CopyIn: ~Copyable {
    private let connection: Connection
    private var bytesSinceLook = 0

    /// The server's refusal is looked for after so many bytes, so that not all of a large table is sent in vain.
    private static let lookEvery = 1 << 20

    init(_ connection: Connection) {
        self.connection = connection
    }

    deinit {
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
        bytesSinceLook += bytes.count
        guard bytesSinceLook >= Self.lookEvery else { return }
        bytesSinceLook = 0
        guard PQconsumeInput(raw) == 1 else { throw Self.fault(of: connection) }
        // While the server takes rows it says nothing: an answer now is an error.
        if PQisBusy(raw) == 0 { throw Self.fault(of: connection) }
    }

    /// All rows are sent. Returns how many the server took.
    package consuming func finish() throws(DatabaseFault) -> Int {
        let connection = connection
        discard self
        guard PQputCopyEnd(connection.raw, nil) == 1 else { throw Self.fault(of: connection) }
        return try Self.answer(of: connection)
    }

    /// Gives the rows up: the server forgets them.
    package consuming func abort(because reason: String) {
        let connection = connection
        discard self
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
