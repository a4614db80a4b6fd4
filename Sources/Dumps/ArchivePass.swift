internal import MediaModel
internal import Programs
internal import Storage

/// One pass over an archive: `pg_restore` writes the SQL of the entries that are used, every block of data among it, and that
/// is read like a plain dump.
enum ArchivePass {
    static func run(
        _ file: DumpFile,
        program: RestoreProgram,
        _ visitor: InspectingVisitor,
        progress: DumpProgress?
    ) throws(SyncError) -> DumpPass.Extent {
        try file.checkUnchanged()
        if file.kind == .tar { try TarLayout.check(file.descriptor, size: file.size, path: file.path) }
        let toc = try ArchiveToc.read(file, program: program)
        let list = try ArchiveList(toc.usedList, directory: file.scratchDirectory)
        let child = try ChildProgram(call(file, program, options, list))
        let pieces = ProgramPieces(child) { program.error(file, $0) }
        defer { pieces.close() }
        let size = file.size
        let extent = try DumpPass.run(
            pieces,
            kind: .plain,
            visitor,
            position: { min(size, child.bytesRead ?? size) },
            progress: progress
        )
        try file.checkUnchanged()
        visitor.note(toc)
        visitor.note(try definition(file, program, toc))
        return extent
    }

    /// What a restore passes as well, so that the text is the one that is run.
    static let options = ["--file=-", "--no-owner", "--no-privileges", "--no-security-labels"]

    private static func call(
        _ file: DumpFile,
        _ program: RestoreProgram,
        _ options: [String],
        _ list: ArchiveList
    ) -> ProgramCall {
        let use = "--use-list=\(String(decoding: list.pathForPrograms.bytes, as: UTF8.self))"
        return ProgramCall(program.path, (options + [use]).map { BytePath($0) } + [file.pathForPrograms])
    }

    /// The most that making a database takes of a dump's text.
    private static let definitionMax = 1 << 20

    /// How the database was made that was dumped, which no list shows: the text of that one entry is asked for.
    private static func definition(
        _ file: DumpFile,
        _ program: RestoreProgram,
        _ toc: ArchiveToc
    ) throws(SyncError) -> DatabaseDefinition? {
        guard let entry = toc.entries.first(where: { $0.descriptor == "DATABASE" }) else { return nil }
        let list = try ArchiveList(Array("\(entry.id);\n".utf8), directory: file.scratchDirectory)
        let call = call(file, program, ["--create"] + options, list)
        let (output, failure) = try ChildProgram.run(call, limit: definitionMax)
        if let failure { throw program.error(file, failure) }
        return DatabaseDefinition.first(inText: output)
    }
}

/// A program's output, piece by piece.
final class ProgramPieces: PieceSource {
    private let child: ChildProgram
    private let error: (String) -> SyncError
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)

    /// - Parameter error: makes an error of what the program says when it fails.
    init(_ child: ChildProgram, error: @escaping (String) -> SyncError) {
        self.child = child
        self.error = error
    }

    deinit {
        buffer.deallocate()
    }

    func next() throws(SyncError) -> UnsafeRawBufferPointer? {
        let count = try child.read(into: buffer)
        if count > 0 { return UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
        if let failure = try child.failure() { throw error(failure) }
        return nil
    }

    func close() {
        child.end()
    }
}
