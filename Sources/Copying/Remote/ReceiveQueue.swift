internal import DequeModule
internal import Pacing
internal import Synchronization

/// What waits for a receiver's threads. The thread that reads the connection waits for room, so that memory is bounded
/// whatever the other end sends; threads that have more work for others never do.
///
/// A thread takes some jobs at a time and does what becomes possible by them itself. Where jobs take microseconds one thread
/// does as many as come by a connection, and to wake another for each would cost more than the job; where they wait for a disk
/// or a network every thread that idles gets its share.
final class ReceiveQueue: Sendable {
    private struct State {
        var jobs = Deque<ReceiveJob>()
        /// Threads that wait for one.
        var idle = 0
        /// Jobs that were accepted and are not done, those that wait for a directory among them, and their bytes.
        var pending = 0
        var weight = 0
        /// Files that were asked for and are not done.
        var wanted = 0
        var treeEnded = false
        /// Threads go home until the next part of the work.
        var isResting = false
        var isClosed = false
    }

    private enum Room {
        static var forJobs: Int { 0 }
        static var forRoom: Int { 1 }
        static var forEnd: Int { 2 }
    }

    private static let pendingMax = 8192
    private static let weightMax = 32 << 20
    /// The most jobs that are taken at a time.
    private static let shareMax = 16

    private let state = Monitor(State(), waitingRooms: 3)
    private let idleHint = Atomic<Int>(0)
    private let closedHint = Atomic<Bool>(false)
    private let threads: Int

    /// - Parameter threads: as many as there are at most to take jobs.
    init(threads: Int) {
        self.threads = max(1, threads)
    }

    /// Threads that wait for jobs: a hint, read without the lock.
    var idleThreads: Int { idleHint.load(ordering: .relaxed) }

    /// Nothing more is done: a hint, read without the lock.
    var isClosed: Bool { closedHint.load(ordering: .relaxed) }

    /// Accepts some jobs, waiting for room for the first. They may have to wait for their directories before they are offered.
    func accept(_ count: Int, weight: Int) {
        let hasMore = state.wait(in: Room.forRoom) { state -> Bool? in
            guard Self.hasRoom(state) else { return nil }
            state.pending += count
            state.weight += weight
            return Self.hasRoom(state)
        }
        // A large job that is done may be room for several, and wakes one: each wakes the next.
        if hasMore { state.wakeOne(in: Room.forRoom) }
    }

    private static func hasRoom(_ state: State) -> Bool {
        state.isClosed || (state.pending < pendingMax && state.weight < weightMax)
    }

    /// Accepted jobs can be done now.
    func offer(_ jobs: some Collection<ReceiveJob>) {
        if jobs.isEmpty { return }
        let isWaitedFor = state.withLock { state in
            if state.isClosed { return false }
            state.jobs.append(contentsOf: jobs)
            return state.idle > 0
        }
        // Whoever takes one wakes the next, as long as there are more: a thread that is awake does several.
        if isWaitedFor { state.wakeOne(in: Room.forJobs) }
    }

    /// The next jobs; none once the queue is closed.
    /// - Parameters:
    ///   - done: jobs that this thread has done since it said so last.
    ///   - areSlow: whether these took so long that as many threads as there are should have some.
    func take(_ done: DoneJobs, areSlow: Bool) -> [ReceiveJob] {
        settle(done)
        var isIdle = false
        let (jobs, hasMore) = state.wait(in: Room.forJobs) { state -> ([ReceiveJob], Bool)? in
            let isOver = state.isClosed || state.isResting
            let mustWait = !isOver && state.jobs.isEmpty
            if mustWait != isIdle {
                state.idle += mustWait ? 1 : -1
                isIdle = mustWait
                idleHint.store(state.idle, ordering: .relaxed)
            }
            if mustWait { return nil }
            if isOver { return ([], false) }
            let count = state.jobs.count
            let share = min(Self.shareMax, areSlow ? max(1, count / (2 * threads)) : count)
            let taken = Array(state.jobs.prefix(share))
            state.jobs.removeFirst(share)
            return (taken, state.idle > 0 && !state.jobs.isEmpty)
        }
        if hasMore { state.wakeOne(in: Room.forJobs) }
        return jobs
    }

    /// Accepted jobs are done.
    func settle(_ done: DoneJobs) {
        if done.count == 0 { return }
        let isOver = state.withLock { state -> Bool in
            state.pending -= done.count
            state.weight -= done.weight
            return Self.isOver(state)
        }
        state.wakeOne(in: Room.forRoom)
        if isOver { state.wakeAll(in: Room.forEnd) }
    }

    func want(_ count: Int) {
        state.withLock { $0.wanted += count }
    }

    func settleWanted() {
        let isOver = state.withLock { state -> Bool in
            state.wanted -= 1
            return Self.isOver(state)
        }
        if isOver { state.wakeAll(in: Room.forEnd) }
    }

    /// No more directories and entries come.
    func endTree() {
        state.withLock { $0.treeEnded = true }
        state.wakeAll(in: Room.forEnd)
    }

    private static func isOver(_ state: State) -> Bool {
        state.treeEnded && state.pending == 0 && state.wanted == 0
    }

    /// Waits until everything that came is done; false where the queue was closed before.
    func waitForEnd() -> Bool {
        state.wait(in: Room.forEnd) { state -> Bool? in
            if Self.isOver(state) { return true }
            return state.isClosed ? false : nil
        }
    }

    /// Everything of one part of the work is done: its threads go home.
    func rest() {
        state.withLock { $0.isResting = true }
        state.wakeAll(in: Room.forJobs)
    }

    /// Another part of the work begins.
    func resume() {
        state.withLock { $0.isResting = false }
    }

    /// Threads go home; what waits is left undone.
    func close() {
        closedHint.store(true, ordering: .relaxed)
        state.withLock {
            $0.isClosed = true
            $0.jobs.removeAll()
        }
        state.wakeAll(in: Room.forJobs)
        state.wakeAll(in: Room.forRoom)
        state.wakeAll(in: Room.forEnd)
    }
}

/// Jobs that a thread has done and not told its queue of yet.
struct DoneJobs {
    private(set) var count = 0
    private(set) var weight = 0

    /// So many are told together at most, so that whoever waits for room never waits for a thread that is busy.
    private static let countMax = 32
    private static let weightMax = 128 << 10

    mutating func add(weight more: Int) {
        count += 1
        weight += more
    }

    var isEnough: Bool { count >= Self.countMax || weight >= Self.weightMax }
}
