internal import DequeModule
internal import Pacing
internal import Storage
internal import Synchronization

/// What waits for a receiver's threads. The thread that reads the connection waits for room, so that memory is bounded
/// whatever the other end sends; threads that have more work for others never do.
///
/// A thread takes some jobs at a time and does what becomes possible by them itself. Where jobs take microseconds one thread
/// does as many as come by a connection, and to wake another for each would cost more than the job; where they wait for a disk
/// or a network every thread that idles gets its share.
///
/// No more threads have jobs at a time than keep the processors busy, by what part of their time they are blocked: on two
/// processors eight took 7 to 14 % longer for a first copy than two, which is what taking turns costs.
final class ReceiveQueue: Sendable {
    private struct State {
        var jobs = Deque<ReceiveJob>()
        /// Threads that wait for one.
        var idle = 0
        /// Threads that have some, and how many may.
        var active = 0
        var limit: Int
        /// What those were doing lately.
        var lately = ThreadGauge.Lap()
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

    /// Nanoseconds of all threads after which the limit is thought over.
    private static let lapNanoseconds: Int64 = 10_000_000

    private let state: Monitor<State>
    private let idleHint = Atomic<Int>(0)
    private let closedHint = Atomic<Bool>(false)
    private let threads: Int
    private let processors: Int

    /// - Parameters:
    ///   - threads: as many as there are at most to take jobs.
    ///   - processors: so many have some at least; nil where all may at any time.
    init(threads: Int, processors: Int? = nil) {
        self.threads = max(1, threads)
        self.processors = max(1, min(self.threads, processors ?? self.threads))
        state = Monitor(State(limit: self.processors), waitingRooms: 3)
    }

    /// Threads that wait for jobs and may have some: a hint, read without the lock.
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
            return Self.isWaitedFor(state)
        }
        // Whoever takes one wakes the next, as long as there are more: a thread that is awake does several.
        if isWaitedFor { state.wakeOne(in: Room.forJobs) }
    }

    /// The next jobs; none once the queue is closed.
    /// - Parameters:
    ///   - done: jobs that this thread has done since it said so last.
    ///   - areSlow: whether these took so long that as many threads as there are should have some.
    ///   - lap: the thread's time with them; nil where it had none.
    func take(_ done: DoneJobs, areSlow: Bool, lap: ThreadGauge.Lap?) -> [ReceiveJob] {
        settle(done)
        var isIdle = false
        var lap = lap
        let (jobs, hasMore) = state.wait(in: Room.forJobs) { state -> ([ReceiveJob], Bool)? in
            if let lap { leave(lap, &state) }
            lap = nil
            let isOver = state.isClosed || state.isResting
            let mustWait = !isOver && (state.jobs.isEmpty || state.active >= state.limit)
            if mustWait != isIdle {
                state.idle += mustWait ? 1 : -1
                isIdle = mustWait
            }
            if !mustWait, !isOver { state.active += 1 }
            idleHint.store(min(state.idle, max(0, state.limit - state.active)), ordering: .relaxed)
            if mustWait { return nil }
            if isOver { return ([], false) }
            let count = state.jobs.count
            let share = min(Self.shareMax, areSlow ? max(1, count / (2 * threads)) : count)
            let taken = Array(state.jobs.prefix(share))
            state.jobs.removeFirst(share)
            return (taken, Self.isWaitedFor(state))
        }
        if hasMore { state.wakeOne(in: Room.forJobs) }
        return jobs
    }

    /// Somebody idles who may do what waits.
    private static func isWaitedFor(_ state: State) -> Bool {
        state.idle > 0 && state.active < state.limit && !state.jobs.isEmpty
    }

    /// A thread has no jobs any more. As many may have some as it takes for the processors to be busy while the others are blocked.
    private func leave(_ lap: ThreadGauge.Lap, _ state: inout State) {
        state.active -= 1
        state.lately.wall += lap.wall
        state.lately.blocked += lap.blocked
        guard state.lately.wall >= Self.lapNanoseconds else { return }
        let running = 1 - Double(state.lately.blocked) / Double(state.lately.wall)
        state.limit = max(processors, Int(min(Double(threads), (Double(processors) / max(running, 0.001)).rounded())))
        // What was before counts half.
        state.lately.wall /= 2
        state.lately.blocked /= 2
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
