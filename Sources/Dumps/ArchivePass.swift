internal import Glibc
internal import MediaModel
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
        let toc = try ArchiveToc.read(file, program: program)
        let list = try ArchiveList(toc.usedList, directory: file.scratchDirectory)
        let child = try ChildProgram(
            program.path,
            options.map { BytePath($0) } + [
                BytePath("--use-list=\(String(decoding: list.pathForPrograms.bytes, as: UTF8.self))"),
                file.pathForPrograms,
            ]
        )
        let pieces = ProgramPieces(child) { program.error(file, $0) }
        defer { pieces.close() }
        let size = file.size
        let extent = try DumpPass.run(
            pieces,
            kind: .plain,
            visitor,
            position: { min(size, bytesRead(by: child.process) ?? size) },
            progress: progress
        )
        try file.checkUnchanged()
        visitor.note(toc)
        return extent
    }

    /// What a restore passes as well, so that the text is the one that is run.
    static let options = ["--file=-", "--no-owner", "--no-privileges", "--no-security-labels"]

    /// What a process has read so far, from files of any kind; nil when it has ended.
    private static func bytesRead(by process: pid_t) -> Int64? {
        guard let text = try? UserFile.read(BytePath("/proc/\(process)/io"), limit: 4096),
            let line = text.split(separator: 0x0A).first, line.starts(with: "rchar: ".utf8)
        else { return nil }
        return Int64(String(decoding: line.dropFirst(7), as: UTF8.self))
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
