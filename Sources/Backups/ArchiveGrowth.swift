internal import Pacing

/// How far an archive and its manifest are written, for those who read them meanwhile.
final class ArchiveGrowth: Sendable {
    enum Part {
        case archive, manifest
    }

    private struct State {
        var archive: Int64 = 0
        var manifest: Int64 = 0
        var isFinished = false
    }

    private let state = Monitor(State())

    /// Bytes of the archive so far.
    var archiveBytes: Int64 { state.withLock { $0.archive } }

    func add(archive: Int, manifest: Int) {
        state.withLock { state in
            state.archive += Int64(archive)
            state.manifest += Int64(manifest)
        }
        state.wakeAll()
    }

    /// Nothing more comes.
    func finish() {
        state.withLock { $0.isFinished = true }
        state.wakeAll()
    }

    /// Waits until a file is longer than an offset, or has its last length; the length.
    func length(of part: Part, beyond offset: Int64) -> Int64 {
        state.wait { state -> Int64? in
            let length = part == .archive ? state.archive : state.manifest
            return length > offset || state.isFinished ? length : nil
        }
    }
}
