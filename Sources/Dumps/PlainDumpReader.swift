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
        throw SyncError(.unexpected, "not built")
    }
}
