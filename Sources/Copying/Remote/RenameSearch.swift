internal import MediaModel
internal import Storage
internal import Synchronization
internal import Wire

/// The search for renamed files, which goes on beside the walk: what may have been renamed waits for its end, everything
/// else does not.
final class RenameSearch: Sendable {
    private struct State {
        var index: RenameIndex?
        var waiting: [ReceiveJob] = []
    }

    private let state = Mutex(State())

    /// The index; where it is not there yet the job is kept for later. It stays on the queue's account.
    func index(else job: ReceiveJob) -> RenameIndex? {
        state.withLock { state in
            if state.index == nil { state.waiting.append(job) }
            return state.index
        }
    }

    /// It is found out.
    /// - Returns: the jobs that waited.
    func finish(_ index: RenameIndex) -> [ReceiveJob] {
        state.withLock { state in
            state.index = index
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}

/// Files of one batch that are wanted. Their node is held until the batch is answered.
struct FoundFiles: Sendable {
    struct File: Sendable {
        var wanted: WantedFile
        let entry: WireEntry
        let index: UInt32
    }

    let node: DirectoryNode
    let batch: UInt32
    let weight: Int
    var files: [File] = []

    /// Whether one of them may be another of the target under a new name.
    var mayBeRenamed: Bool {
        files.contains { file in
            guard case .present(let source) = file.entry.state, file.wanted.replaces == nil, file.wanted.partial == nil
            else { return false }
            return !file.wanted.attributesOnly && !file.wanted.isUndecided && source.size >= RenameIndex.bytesMin
        }
    }
}
