package import MediaModel

/// Reads a dump once, whole, and tells what is in it. Nothing is touched.
package enum DumpInspector {
    /// Blocks until the dump was read: call it on a thread of a `WorkerPool`. Stops at the next buffer when its task is
    /// cancelled. Refusals are in the result; a dump that is broken (cut, corrupt, not a dump) throws.
    /// - Parameter program: reads archives; where it is nil the installed one is looked for, when it is needed.
    package static func inspect(
        _ file: DumpFile,
        program: RestoreProgram? = nil,
        progress: DumpProgress? = nil
    ) throws(SyncError) -> DumpInspection {
        throw SyncError(.unexpected, "not built")
    }
}
