internal import Archives
internal import MediaModel

/// One pass over the text of a dump: pieces into a scanner, its elements into a visitor.
enum DumpPass {
    /// What the pass went through.
    struct Extent {
        var textBytes: Int64 = 0
        var lines = 0
    }

    /// Bytes of text between two reports of progress.
    private static let progressBytes: Int64 = 4 << 20

    /// Reads a file. Blocks; stops when its task is cancelled.
    static func run(
        _ file: DumpFile,
        _ visitor: some DumpVisitor,
        progress: DumpProgress?
    ) throws(SyncError) -> Extent {
        try file.checkUnchanged()
        let reader = FileReader(descriptor: file.descriptor, path: file.path, owner: file)
        let position = reader.position
        let pieces = ReadAhead(try file.decompressing(reader))
        defer { pieces.close() }
        let extent = try run(pieces, kind: file.kind, visitor, position: { position.bytes }, progress: progress)
        try file.checkUnchanged()
        return extent
    }

    /// Reads pieces from anywhere.
    /// - Parameter kind: `plain` or `cluster`.
    static func run(
        _ pieces: some PieceSource,
        kind: DumpKind,
        _ visitor: some DumpVisitor,
        bounds: ScanBounds = ScanBounds(),
        position: () -> Int64,
        progress: DumpProgress?
    ) throws(SyncError) -> Extent {
        let walker = try DumpWalker(visitor, kind: kind)
        let scanner = DumpScanner(handler: walker, bounds: bounds)
        var extent = Extent()
        var reported: Int64 = 0
        while let piece = try pieces.next() {
            if Task.isCancelled { throw DumpError.stopped }
            try scanner.consume(piece)
            extent.textBytes += Int64(piece.count)
            if extent.textBytes - reported >= progressBytes {
                reported = extent.textBytes
                progress?(position())
            }
        }
        try scanner.finish()
        try walker.finish(line: scanner.line)
        progress?(position())
        extent.lines = scanner.line - 1
        return extent
    }
}
