internal import CPostgres
internal import Synchronization

/// One session with the server. Its calls block, so they belong on threads of our own; it is not Sendable: the thread
/// that made it uses it, others end it through `canceller`.
package final class Connection {
    let raw: OpaquePointer
    package let canceller: Canceller
    /// As PostgreSQL counts: 150018 is 15.18.
    package let serverVersion: Int
    /// A pooler stands between: each transaction may run in another session, so that nothing of a session lasts.
    package private(set) var isPooled = false
    private let noticeCount = NoticeCount()

    /// Connects, and finds out whether a server answers or a pooler.
    /// - Parameters:
    ///   - application: shown in `pg_stat_activity`.
    ///   - allowsPooler: for work that keeps nothing in the session: no lock, no setting, no named statement, no cursor.
    ///     Else a pooler is an error of the kind `pooled`.
    ///   - timeoutSeconds: for each address of the host.
    package init(
        _ settings: ConnectionSettings,
        application: String,
        allowsPooler: Bool = false,
        timeoutSeconds: Int = 15
    ) throws(DatabaseFault) {
        var parameters = settings.parameters
        parameters.append(("application_name", application))
        parameters.append(("client_encoding", "UTF8"))
        if !parameters.contains(where: { $0.name == "connect_timeout" }) {
            parameters.append(("connect_timeout", String(timeoutSeconds)))
        }
        guard let raw = Self.connect(parameters) else {
            throw DatabaseFault(kind: .noMemory, message: "no memory for a connection")
        }
        guard PQstatus(raw) == CONNECTION_OK else {
            let fault = DatabaseFault(connection: raw, lost: false)
            PQfinish(raw)
            throw fault
        }
        self.raw = raw
        canceller = Canceller(connection: raw)
        serverVersion = Int(PQserverVersion(raw))
        PQsetNoticeProcessor(raw, NoticeCount.hear, Unmanaged.passUnretained(noticeCount).toOpaque())
        isPooled = try findsPooler()
        if isPooled, !allowsPooler { throw Self.pooled }
    }

    deinit {
        canceller.forgetSocket()
        PQfinish(raw)
    }

    private static func connect(_ parameters: [(name: String, value: String)]) -> OpaquePointer? {
        // libpq wants two lists of C texts, each ended by a null.
        let keywords = CStringList(parameters.map(\.name))
        let values = CStringList(parameters.map(\.value))
        return withExtendedLifetime((keywords, values)) {
            PQconnectdbParams(keywords.pointers, values.pointers, 0)
        }
    }

    /// A pooler hands out process numbers of its own, and its console names itself in the version.
    private func findsPooler() throws(DatabaseFault) -> Bool {
        let version = parameterStatus("server_version") ?? ""
        if version.hasSuffix("/bouncer") { throw Self.pooled }
        return try query("SELECT pg_catalog.pg_backend_pid()").only?.integer != Int64(processID)
    }

    private static let pooled = DatabaseFault(
        kind: .pooled,
        message:
            "this is a connection pooler (pgbouncer), not PostgreSQL: sessions, locks and settings do not last there"
    )

    /// What the server says of itself: `server_version`, `TimeZone`, `is_superuser`.
    package func parameterStatus(_ name: String) -> String? {
        PQparameterStatus(raw, name).map { String(cString: $0) }
    }

    /// The server's process of this session.
    package var processID: Int32 { PQbackendPID(raw) }

    /// The user that the session was opened as.
    package var user: String { PQuser(raw).map { String(cString: $0) } ?? "" }

    package var database: String { PQdb(raw).map { String(cString: $0) } ?? "" }

    /// Notices and warnings so far: a dump can make thousands, so they are counted, not shown.
    package var notices: Int { noticeCount.value }

    /// Whether the last call left a session that can go on.
    package var isAlive: Bool { PQstatus(raw) == CONNECTION_OK }

    // MARK: Statements

    /// Runs one or several statements and drops their answers. Several in one text are one transaction.
    package func execute(_ statements: String) throws(DatabaseFault) {
        try take(PQexec(raw, statements))
    }

    private func take(_ result: OpaquePointer?) throws(DatabaseFault) {
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            throw unexpectedCopy()
        default:
            throw DatabaseFault(result: result, connection: raw)
        }
    }

    /// Runs one statement with values beside it and returns its rows.
    package func query(_ statement: String, _ parameters: [Parameter] = []) throws(DatabaseFault) -> Rows {
        let values = CStringList(parameters.map(\.text))
        let count = Int32(parameters.count)
        return try withExtendedLifetime(values) { () throws(DatabaseFault) in
            try rows(PQexecParams(raw, statement, count, nil, values.pointers, nil, nil, 0))
        }
    }

    /// Sends one statement; `finish` waits for its answer. Nothing else may be asked of this connection in between.
    package func start(_ statement: String, _ parameters: [Parameter] = []) throws(DatabaseFault) {
        let values = CStringList(parameters.map(\.text))
        let count = Int32(parameters.count)
        let sent = withExtendedLifetime(values) {
            PQsendQueryParams(raw, statement, count, nil, values.pointers, nil, nil, 0)
        }
        guard sent == 1 else { throw DatabaseFault(connection: raw, lost: !isAlive) }
    }

    /// Waits for the answer to what `start` sent.
    package func finish() throws(DatabaseFault) -> Rows {
        let answer = PQgetResult(raw)
        let result = Result { () throws(DatabaseFault) in try rows(answer) }
        // One statement has one answer, behind which libpq says that there are no more.
        while let rest = PQgetResult(raw) { PQclear(rest) }
        return try result.get()
    }

    /// Runs one statement of a dump, whose bytes need not be text. The protocol takes exactly one: a second one behind it
    /// is an error. A NUL would hide what follows it: it must not be there.
    package func query(bytes: [UInt8]) throws(DatabaseFault) -> Rows {
        guard !bytes.contains(0) else {
            throw DatabaseFault(kind: .badStatement, message: "the statement contains a NUL byte")
        }
        let result = (bytes + [0]).withUnsafeBytes { buffer -> OpaquePointer? in
            buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.flatMap { PQexecParams(raw, $0, 0, nil, nil, nil, nil, 0) }
            }
        }
        return try rows(result)
    }

    private func rows(_ result: OpaquePointer?) throws(DatabaseFault) -> Rows {
        let status = PQresultStatus(result)
        if let result, status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK { return Rows(owning: result) }
        defer { PQclear(result) }
        if status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH { throw unexpectedCopy() }
        throw DatabaseFault(result: result, connection: raw)
    }

    /// A statement that turned out to be a COPY: the session waits for data that nobody has.
    private func unexpectedCopy() -> DatabaseFault {
        canceller.sever()
        return DatabaseFault(kind: .badStatement, message: "the statement is a COPY where none was expected")
    }

    /// Runs `body` between BEGIN and COMMIT; an error rolls back.
    package func transaction<Result>(
        _ begin: String = "BEGIN",
        _ body: () throws(DatabaseFault) -> Result
    ) throws(DatabaseFault) -> Result {
        try execute(begin)
        do throws(DatabaseFault) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // On a broken connection the server rolls back by itself.
            if isAlive { try? execute("ROLLBACK") }
            throw error
        }
    }
}

/// Counts notices; libpq calls it on the connection's own thread.
private final class NoticeCount: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }

    static let hear: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = { raw, _ in
        guard let raw else { return }
        Unmanaged<NoticeCount>.fromOpaque(raw).takeUnretainedValue().count.wrappingAdd(1, ordering: .relaxed)
    }
}
