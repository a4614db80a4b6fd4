internal import Dumps
internal import MediaModel
internal import Pacing
internal import Postgres
internal import Synchronization

/// Takes a dump's elements from the reader: definitions are run at once, rows go to the connections, and what stands behind
/// the rows is kept for later.
final class LoadSink: DumpElementSink {
    private let connection: Connection
    private let channel: LoadChannel
    private(set) var tables: [TableLoad] = []
    private(set) var postData = PostData()
    private var loads: [TableName: TableLoad] = [:]
    private var current: TableLoad?
    private var isBehindRows = false

    /// INSERTs that are on their way together.
    private var inserts: [DumpStatement] = []
    private var insertBytes = 0
    private static let insertBytesMax = 256 << 10

    /// Rows that wait for more of their table.
    private var open: (buffer: PieceBuffer, rows: Int, line: Int)?

    /// - Parameter connection: runs what is not rows.
    init(_ connection: Connection, _ channel: LoadChannel) {
        self.connection = connection
        self.channel = channel
    }

    func statement(_ statement: DumpStatement) throws(SyncError) {
        if case .insert(let table) = statement.role { return try insert(statement, table) }
        try flushInserts()
        switch statement.role {
        case .insert, .leftOut: return
        case .setting:
            channel.add(setting: statement)
            try run(statement)
        case .sequenceValue:
            try run(statement)
        case .structure where !isBehindRows:
            try run(statement)
        default:
            try postData.add(statement)
        }
    }

    private func run(_ statement: DumpStatement) throws(SyncError) {
        do throws(DatabaseFault) { try connection.run(statement) } catch {
            throw LoadError.make(error, table: nil, line: statement.line)
        }
    }

    // MARK: COPY

    func copyBegins(_ header: CopyHeader) throws(SyncError) {
        try flushInserts()
        isBehindRows = true
        let load = TableLoad(table: header.table, header: header)
        tables.append(load)
        current = load
    }

    func copyRows(_ bytes: UnsafeRawBufferPointer, rows: Int, line: Int) throws(SyncError) {
        guard let current else { return }
        current.rowsRead.wrappingAdd(rows, ordering: .relaxed)
        current.bytesRead.wrappingAdd(bytes.count, ordering: .relaxed)
        if let open, open.buffer.room < bytes.count { try send() }
        if open == nil {
            guard let buffer = channel.store.take(needed: bytes.count) else { throw stopped }
            open = (buffer, 0, line)
        }
        open?.buffer.append(bytes)
        open?.rows += rows
    }

    func copyEnds(rows: Int) throws(SyncError) {
        try send()
        current = nil
    }

    private func send() throws(SyncError) {
        guard let piece = open, let current else { return }
        open = nil
        let content = RowPiece.Content.rows(piece.buffer, count: piece.rows, line: piece.line)
        try offer(RowPiece(table: current, content: content, settings: channel.settingsCount))
    }

    private func offer(_ piece: RowPiece) throws(SyncError) {
        guard channel.queue.offer(piece) else { throw stopped }
    }

    /// The connections take no more: the reason is theirs.
    private var stopped: SyncError {
        channel.failure.value ?? SyncError(.unexpected, "the connections that load ended early")
    }

    // MARK: INSERT

    private func insert(_ statement: DumpStatement, _ table: TableName) throws(SyncError) {
        if let first = inserts.first, first.role != statement.role { try flushInserts() }
        if loads[table] == nil {
            let load = TableLoad(table: table, header: nil)
            tables.append(load)
            loads[table] = load
        }
        isBehindRows = true
        inserts.append(statement)
        insertBytes += statement.sql.count
        loads[table]?.rowsRead.wrappingAdd(statement.rows, ordering: .relaxed)
        loads[table]?.bytesRead.wrappingAdd(statement.sql.count, ordering: .relaxed)
        if insertBytes >= Self.insertBytesMax { try flushInserts() }
    }

    private func flushInserts() throws(SyncError) {
        guard let first = inserts.first, case .insert(let table) = first.role, let load = loads[table] else { return }
        let piece = RowPiece(table: load, content: .inserts(inserts), settings: channel.settingsCount)
        inserts = []
        insertBytes = 0
        try offer(piece)
    }

    /// Nothing more comes.
    func finish() throws(SyncError) {
        try flushInserts()
    }
}
