internal import Pacing
internal import Storage
internal import Synchronization

/// A piece of a walk.
enum WalkJob: Sendable {
    /// Open a directory, list it and handle its entries.
    case directory(DirectoryNode)
    /// Go on with a listing whose first parts were handled.
    case listing(DirectoryNode)
    /// Handle a part of a wide listing.
    case entries(EntryBatch)
    /// Help with work that one thread began, e.g. a large file.
    case assist(any Assistable)
    /// Nothing is left to do for a directory that a visitor kept.
    case settled(DirectoryNode)
}

/// Work that more than one thread can do at a time.
protocol Assistable: AnyObject, Sendable {
    /// Does pieces of the work until none is left.
    func assist()
}

/// A part of a wide directory's listing, copied out of the listing buffer so that another thread can have it. It holds
/// its node.
final class EntryBatch: Sendable {
    let node: DirectoryNode
    let records: ListingBuffer.Slice

    init(node: DirectoryNode, records: ListingBuffer.Slice) {
        self.node = node
        self.records = records
        node.hold()
    }
}

/// Jobs that are shared between the workers of a walk. Each worker keeps a stack of its own and gives from its bottom only
/// while another one idles.
///
/// Workers beyond `limit` wait at the gate: the limit rises while the machine idles on calls that wait (a cold disk, a
/// network file system), where depth of concurrency is what makes a walk fast.
final class WalkQueue: Sendable {
    private struct State {
        var jobs: [WalkJob] = []
        /// Jobs that came back, for whoever looks first.
        var returned: [WalkJob] = []
        /// Directories that visitors keep.
        var away = 0
        var running = 0
        var idle = 0
        var limit: Int
        var finished = false
    }

    private enum Room {
        /// Workers that may take the next job.
        static let jobs = 0
        /// Workers beyond the limit.
        static let gate = 1
    }

    /// The most jobs that are handed over in one piece.
    private static let handOver = 64

    private let state: Monitor<State>
    private let idleHint = Atomic<Int>(0)
    private let returnedHint = Atomic<Int>(0)
    /// Threads of the walk.
    let workers: Int

    /// - Parameters:
    ///   - workers: threads that exist.
    ///   - limit: threads that work at first.
    init(first: WalkJob, workers: Int, limit: Int) {
        self.workers = workers
        state = Monitor(State(jobs: [first], limit: min(limit, workers)), waitingRooms: 2)
    }

    /// Workers that wait for jobs: a hint, read without the lock.
    @inline(__always)
    var idleWorkers: Int { idleHint.load(ordering: .relaxed) }

    /// Waits for jobs; empty once the walk is over or stopped.
    /// - Parameter wasRunning: false on a worker's first call.
    func take(worker: Int, wasRunning: Bool) -> [WalkJob] {
        if !wasRunning { waitAtGate(worker) }
        var first = wasRunning
        var counted = false
        let jobs = state.wait(in: Room.jobs) { state -> [WalkJob]? in
            if first { state.running -= 1 }
            first = false
            if counted { state.idle -= 1 }
            counted = false
            defer { idleHint.store(state.idle, ordering: .relaxed) }
            if state.finished { return [] }
            if !state.returned.isEmpty {
                state.running += 1
                return takeReturned(&state)
            }
            if !state.jobs.isEmpty {
                let share = max(1, min(Self.handOver, state.jobs.count / (2 * state.limit)))
                let taken = Array(state.jobs.suffix(share))
                state.jobs.removeLast(share)
                state.running += 1
                return taken
            }
            if state.running == 0, state.away == 0 {
                state.finished = true
                return []
            }
            state.idle += 1
            counted = true
            return nil
        }
        if jobs.isEmpty { wakeEverybody() }
        return jobs
    }

    private func waitAtGate(_ worker: Int) {
        state.wait(in: Room.gate) { state -> Void? in
            worker < state.limit || state.finished ? () : nil
        }
    }

    private func wakeEverybody() {
        state.wakeAll(in: Room.jobs)
        state.wakeAll(in: Room.gate)
    }

    /// Hands jobs to whoever waits.
    func give(_ jobs: some Collection<WalkJob>) {
        let waiting = state.withLock { state -> Int in
            state.jobs.append(contentsOf: jobs)
            return state.idle
        }
        for _ in 0..<min(waiting, jobs.count) { state.wakeOne(in: Room.jobs) }
    }

    // MARK: Directories that visitors keep

    /// The walk does not end before this directory came back.
    func depart() {
        state.withLock { $0.away += 1 }
    }

    /// Hands back what a visitor has kept. Workers take it before anything else: directories above wait for it with their descriptors.
    func comeBack(_ job: WalkJob) {
        let isWaitedFor = state.withLock { state -> Bool in
            if state.finished { return false }
            state.away -= 1
            state.returned.append(job)
            returnedHint.store(state.returned.count, ordering: .relaxed)
            return state.idle > 0
        }
        if isWaitedFor { state.wakeOne(in: Room.jobs) }
    }

    /// What came back, for a worker that has other jobs; mostly nothing, which takes no lock.
    @inline(__always)
    func takeReturned() -> [WalkJob] {
        if returnedHint.load(ordering: .relaxed) == 0 { return [] }
        return state.withLock { takeReturned(&$0) }
    }

    private func takeReturned(_ state: inout State) -> [WalkJob] {
        defer {
            state.returned = []
            returnedHint.store(0, ordering: .relaxed)
        }
        return state.returned
    }

    /// Gives idle workers a chance to help; nothing happens where nobody idles.
    func offerAssistance(with work: any Assistable) {
        let idle = idleWorkers
        guard idle > 0 else { return }
        give(Array(repeating: WalkJob.assist(work), count: idle))
    }

    /// Doubles the number of workers; false where all work already.
    func widen() -> Bool {
        let widened = state.withLock { state -> Bool in
            guard state.limit < workers else { return false }
            state.limit = min(workers, state.limit * 2)
            return true
        }
        if widened { state.wakeAll(in: Room.gate) }
        return widened
    }

    /// Ends the walk without doing what waits.
    func abandon() {
        state.withLock {
            $0.finished = true
            $0.jobs.removeAll()
            $0.returned.removeAll()
        }
        wakeEverybody()
    }
}
