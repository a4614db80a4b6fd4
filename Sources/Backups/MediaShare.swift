internal import MediaModel
internal import Pacing
internal import Synchronization

/// What is to be done for an export of media, as far as one thread leaves it to the others: directories, files of a wide one,
/// parts of a large file. What a thread finds it does itself, unless another has nothing to do.
final class MediaShare: Sendable {
    enum Work: Sendable {
        case folders([MediaStep])
        case files(MediaFolder, [BytePath])
        /// Parts that nobody has taken.
        case parts(LargeMedia)
    }

    private struct State {
        var waiting: [Work]
        /// Large files at hand, one a thread at most.
        var large: [LargeMedia] = []
        var idle = 0
        var isOver = false

        var hungry: Int { max(0, idle - waiting.count) }
    }

    private let threads: Int
    private let state: Monitor<State>
    /// Threads that have nothing to do while nothing waits.
    private let hungry = Atomic<Int>(0)

    /// - Parameter threads: that take work; when all of them wait, it is done.
    init(_ first: Work, threads: Int) {
        self.threads = threads
        state = Monitor(State(waiting: [first]))
    }

    /// Whether another thread would take something.
    var isHungry: Bool { hungry.load(ordering: .relaxed) > 0 }

    /// Leaves work to the others.
    func give(_ work: Work) {
        state.withLock { state in
            state.waiting.append(work)
            hungry.store(state.hungry, ordering: .relaxed)
        }
        state.wakeOne()
    }

    /// Has idle threads take parts of a large file.
    func begin(_ large: LargeMedia) {
        state.withLock { $0.large.append(large) }
        state.wakeAll()
    }

    func end(_ large: LargeMedia) {
        state.withLock { $0.large.removeAll { $0 === large } }
    }

    /// Something to do; waits for it. Nil once there is nothing more.
    func take() -> Work? {
        state.withLock { $0.idle += 1 }
        let work = state.wait { state -> Work?? in
            defer { hungry.store(state.hungry, ordering: .relaxed) }
            let work = state.large.first(where: \.hasParts).map(Work.parts) ?? state.waiting.popLast()
            if work != nil {
                state.idle -= 1
                return .some(work)
            }
            if state.idle == threads { state.isOver = true }
            return state.isOver ? .some(nil) : nil
        }
        if work == nil { state.wakeAll() }
        return work
    }
}
