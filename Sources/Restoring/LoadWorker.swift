internal import Dumps
internal import MediaModel
internal import Pacing
internal import Postgres
internal import Synchronization

/// One connection that loads rows: it takes pieces from the queue and keeps a COPY open while they are of one table.
struct LoadWorker: ~Copyable {
    private let connection: Connection
    private let channel: LoadChannel
    private var open: OpenCopy?
    private var settingsApplied = 0

    /// A COPY under way: which rows of the dump its rows are.
    private struct OpenCopy: ~Copyable {
        let table: TableLoad
        var copy: CopyIn
        var rows = 0
        var bytes = 0
        var origins: RowOrigins
    }

    /// The server tells of a row that it does not take when the COPY ends, so one of a large table ends now and then.
    private static let copyBytesMax = 64 << 20

    init(_ connection: Connection, _ channel: LoadChannel) {
        self.connection = connection
        self.channel = channel
    }

    /// Works until the queue is closed and empty, or until somebody failed.
    mutating func run() throws(SyncError) {
        while let piece = channel.queue.take() {
            guard !channel.failure.isSet else { return giveUp() }
            try load(piece)
        }
        guard !channel.failure.isSet else { return giveUp() }
        try finish()
    }

    private mutating func giveUp() {
        if let open = open.take() {
            let copy = open.copy
            copy.abort(because: "the restore failed elsewhere")
        }
    }

    private mutating func load(_ piece: RowPiece) throws(SyncError) {
        switch piece.content {
        case .rows(let buffer, let count, let line):
            defer { channel.store.giveBack(buffer) }
            if !continues(piece) { try finish() }
            if !isOpen { try begin(piece) }
            try put(buffer.bytes, rows: count, line: line, piece.table)
        case .inserts(let statements):
            try finish()
            try apply(piece.settings)
            try insert(statements, piece.table)
        }
    }

    private var isOpen: Bool {
        switch open {
        case .none: false
        case .some: true
        }
    }

    /// Whether a piece goes into the COPY that is open.
    private func continues(_ piece: RowPiece) -> Bool {
        switch open {
        case .none: false
        case .some(let open):
            open.table === piece.table && piece.settings == settingsApplied && open.bytes < Self.copyBytesMax
        }
    }

    private mutating func begin(_ piece: RowPiece) throws(SyncError) {
        try apply(piece.settings)
        guard let header = piece.table.header else { return }
        do throws(DatabaseFault) {
            open = OpenCopy(
                table: piece.table,
                copy: try connection.copyIn(Self.statement(for: header)),
                origins: RowOrigins()
            )
        } catch {
            throw LoadError.make(error, table: piece.table.table, line: header.line)
        }
    }

    /// The statement is made anew from the names: nothing else of the dump's text is sent where a statement is expected.
    private static func statement(for header: CopyHeader) -> String {
        let columns = header.columns.map { SQL.identifier($0) }.joined(separator: ", ")
        return "COPY \(header.table.sql) \(columns.isEmpty ? "" : "(\(columns)) ")FROM STDIN"
    }

    private mutating func put(
        _ bytes: UnsafeRawBufferPointer,
        rows: Int,
        line: Int,
        _ table: TableLoad
    ) throws(SyncError) {
        guard var current = open.take() else { return }
        current.origins.add(firstRow: current.rows + 1, line: line)
        current.rows += rows
        current.bytes += bytes.count
        do throws(DatabaseFault) {
            try current.copy.put(bytes)
        } catch {
            let origins = current.origins
            throw LoadError.make(error, table: table.table, line: origins.line(in: error.context) ?? line)
        }
        channel.progress.add(rows: rows, bytes: bytes.count)
        open = consume current
    }

    /// Ends the COPY that is open.
    private mutating func finish() throws(SyncError) {
        guard let current = open.take() else { return }
        let table = current.table
        let origins = current.origins
        let copy = current.copy
        do throws(DatabaseFault) {
            table.rowsLoaded.wrappingAdd(try copy.finish(), ordering: .relaxed)
        } catch {
            throw LoadError.make(error, table: table.table, line: origins.line(in: error.context))
        }
    }

    /// Runs the dump's settings that this session has not seen.
    private mutating func apply(_ count: Int) throws(SyncError) {
        guard count > settingsApplied else { return }
        for statement in channel.settings(from: settingsApplied, to: count) {
            do throws(DatabaseFault) { try connection.run(statement) } catch {
                throw LoadError.make(error, table: nil, line: statement.line)
            }
        }
        settingsApplied = count
    }

    /// INSERTs go one by one, each by itself so that none hides a second one, in one transaction.
    private func insert(_ statements: [DumpStatement], _ table: TableLoad) throws(SyncError) {
        var line: Int?
        do throws(DatabaseFault) {
            try connection.transaction { () throws(DatabaseFault) in
                for statement in statements {
                    line = statement.line
                    let rows = try connection.run(statement).affected
                    table.rowsLoaded.wrappingAdd(rows, ordering: .relaxed)
                    channel.progress.add(rows: rows, bytes: statement.sql.count)
                }
            }
        } catch {
            throw LoadError.make(error, table: table.table, line: line)
        }
    }
}

/// Which lines of the dump the rows of one COPY are: pieces of a table go to whichever connection is free.
struct RowOrigins {
    private var firstRows: [Int] = []
    private var lines: [Int] = []

    mutating func add(firstRow: Int, line: Int) {
        firstRows.append(firstRow)
        lines.append(line)
    }

    /// The dump's line of a row, counted from 1 in the COPY.
    func line(ofRow row: Int) -> Int? {
        guard let index = firstRows.lastIndex(where: { $0 <= row }) else { return nil }
        return lines[index] + row - firstRows[index]
    }

    /// Reads the row from what the server says: `COPY statuses, line 7, column text`.
    func line(in context: String?) -> Int? {
        guard let context, context.hasPrefix("COPY "), let mark = context.firstRange(of: ", line ") else { return nil }
        return Int(context[mark.upperBound...].prefix { $0.isNumber }).flatMap(line(ofRow:))
    }
}

/// Errors while loading, for people: where in the dump, and of which table.
enum LoadError {
    static func make(_ fault: DatabaseFault, table: TableName?, line: Int?) -> SyncError {
        let place = line.map { "line \($0) of the dump" }
        let what: String
        switch (table, place) {
        case (.some(let table), .some(let place)): what = "cannot load \(table) (\(place))"
        case (.some(let table), nil): what = "cannot load \(table)"
        case (nil, .some(let place)): what = "cannot run the statement at \(place)"
        case (nil, nil): what = "cannot load the dump"
        }
        return fault.syncError(what)
    }
}

extension Connection {
    /// Runs one statement of a dump: by the protocol that takes exactly one.
    @discardableResult
    func run(_ statement: DumpStatement) throws(DatabaseFault) -> Rows {
        try query(bytes: statement.sql)
    }
}
