internal import MediaModel

/// One pass over an archive: `pg_restore` writes its SQL, which is read like a plain dump.
enum ArchivePass {
    static func run(
        _ file: DumpFile,
        program: RestoreProgram,
        _ visitor: some DumpVisitor,
        progress: DumpProgress?
    ) throws(SyncError) -> DumpPass.Extent {
        throw SyncError(.unexpected, "not built")
    }
}
