package import MediaModel

/// Reads a plain dump, or one database of a cluster's, and hands its elements over in their order.
package enum PlainDumpReader {
    /// Blocks until the dump was read: call it on a thread of a `WorkerPool`. Memory is bounded whatever the dump's size.
    /// Stops at the next buffer when its task is cancelled. Throws where the dump is broken, at the first element of the
    /// database (or of what is outside of all) that is refused, or what the sink throws.
    /// - Parameter database: of a cluster the one to read, which must be given; nothing is told of the others.
    package static func read(
        _ file: DumpFile,
        database: String? = nil,
        into sink: some DumpElementSink,
        progress: DumpProgress? = nil
    ) throws(SyncError) {
        precondition(!file.kind.isArchive, "archives are read by pg_restore")
        precondition(file.kind == .plain || database != nil, "of a cluster's dump one database is read")
        let visitor = SinkVisitor(sink, database: file.kind == .cluster ? database : nil)
        _ = try DumpPass.run(file, visitor, progress: progress)
        try visitor.finish()
    }
}

/// Hands on what belongs to one database.
final class SinkVisitor<Sink: DumpElementSink>: DumpVisitor {
    private let sink: Sink
    /// Nil: the dump has one only.
    private let wanted: String?
    private var isInside = false
    private var isOutside = true
    private var wasThere = false

    init(_ sink: Sink, database: String?) {
        self.sink = sink
        wanted = database
    }

    func finish() throws(SyncError) {
        guard let wanted, !wasThere else { return }
        throw SyncError(
            .unusable,
            "the dump has no database \(BytePath.escaped(Array(wanted.utf8)))",
            hint: "look at what it has: mediasync restore --dry-run"
        )
    }

    func enterDatabase(_ name: String?, line: Int) {
        isInside = wanted.map { $0.utf8.elementsEqual((name ?? "").utf8) } ?? true
        isOutside = false
        if isInside { wasThere = true }
    }

    func nameDatabase(_ name: String) {}

    func leaveDatabase() {
        isInside = false
        isOutside = true
    }

    func comment(_ comment: HeaderComment) {}

    func encoding(_ name: String) {}

    func statement(_ statement: DumpStatement) throws(SyncError) {
        if isInside { try sink.statement(statement) }
    }

    /// What is refused in another database does no harm: it is never run.
    func refused(_ refusal: Refusal) throws(SyncError) {
        if isInside || isOutside { throw refusal.error }
    }

    func copyBegins(_ header: CopyHeader) throws(SyncError) {
        if isInside { try sink.copyBegins(header) }
    }

    func copyRows(_ bytes: UnsafeRawBufferPointer, rows: Int, line: Int) throws(SyncError) {
        if isInside { try sink.copyRows(bytes, rows: rows, line: line) }
    }

    func copyEnds(rows: Int) throws(SyncError) {
        if isInside { try sink.copyEnds(rows: rows) }
    }
}
