internal import Glibc
package import MediaModel
internal import Pacing

/// Processes files in children that hostile bytes may kill: each call owns one child while it lasts.
package final class ProcessingPool: Sendable {
    private let slots: Monitor<Int>
    private let decoders: DecoderPool
    private let stop = StopFlag()
    private let processor: MediaProcessor

    /// Starts nothing yet: a child starts with the first request that needs it.
    /// - Parameters:
    ///   - workers: how many children there are at most; further calls wait for one.
    ///   - program: this program's own file, which knows how to be a child.
    ///   - programs: ffmpeg and ffprobe; nil for the installed ones. Where there are none, only pictures are processed.
    package init(
        workers: Int,
        program: BytePath,
        programs: MoviePrograms? = nil,
        limits: ProcessingLimits = .standard
    ) throws(SyncError) {
        precondition(workers > 0)
        let name = program.bytes.map { CChar(bitPattern: $0) } + [0]
        guard access(name, X_OK) == 0 else {
            throw SyncError(
                .configuration,
                "cannot start decoders",
                why: "\(program) cannot be run: \(String(cString: strerror(errno)))"
            )
        }
        slots = Monitor(workers)
        decoders = DecoderPool(program: program, limits: limits)
        processor = MediaProcessor(
            images: decoders,
            programs: programs ?? .installed(launcher: program, limits: limits),
            stop: stop
        )
    }

    /// Whether ffmpeg is there. Where it is not, video, sound and animations fail as `unavailable`.
    package var processesMovies: Bool { processor.processesMovies }

    /// Blocks until the file is processed: for threads of our own.
    package func process(_ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        try inSlot { () throws(ProcessingFault) in try processor.process(request) }
    }

    /// Whether a file can be decoded to its end; why not is thrown.
    package func check(_ descriptor: Int32, bytes: Int64) throws(ProcessingFault) {
        try inSlot { () throws(ProcessingFault) in try processor.check(descriptor, bytes: bytes) }
    }

    /// One task of a decoder, for tests.
    func run(_ task: ImageTask, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        try inSlot { () throws(ProcessingFault) in try decoders.run(task, request) }
    }

    /// How many children live.
    var childCount: Int { decoders.count }

    private func inSlot<Result>(_ body: () throws(ProcessingFault) -> Result) throws(ProcessingFault) -> Result {
        slots.wait { free -> Void? in
            guard free > 0 else { return nil }
            free -= 1
            return ()
        }
        defer {
            slots.withLock { $0 += 1 }
            slots.wakeOne()
        }
        return try body()
    }

    /// Ends all children. Calls that are under way fail as stopped, and so does every later one.
    package func shutDown() {
        stop.raise()
        decoders.shutDown()
    }
}
