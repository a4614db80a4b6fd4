internal import Archives
package import MediaModel

/// Reads a dump once, whole, and tells what is in it. Nothing is touched.
package enum DumpInspector {
    /// Blocks until the dump was read: call it on a thread of a `WorkerPool`. Stops at the next buffer when its task is
    /// cancelled. Refusals are in the result; a dump that is broken (cut, corrupt, not a dump) throws.
    /// - Parameter program: reads archives; needed for them only.
    package static func inspect(
        _ file: DumpFile,
        program: RestoreProgram? = nil,
        progress: DumpProgress? = nil
    ) throws(SyncError) -> DumpInspection {
        let visitor = InspectingVisitor(
            DumpInspection(kind: file.kind, compression: file.compression, fileBytes: file.size)
        )
        let extent: DumpPass.Extent
        if file.kind.isArchive {
            guard let program else {
                throw SyncError(.configuration, "cannot read the archive \(file.path)", why: "no pg_restore was named")
            }
            extent = try ArchivePass.run(file, program: program, visitor, progress: progress)
        } else {
            extent = try DumpPass.run(file, visitor, progress: progress)
        }
        var inspection = visitor.result()
        inspection.textBytes = extent.textBytes
        inspection.lines = extent.lines
        inspection.judgeAge(fileModifiedAt: file.modifiedAt)
        return inspection
    }
}
