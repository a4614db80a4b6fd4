internal import Pacing
internal import Synchronization
internal import Wire

/// Directories whose summaries are with the receiver. Where one is the same there, nothing below it is ever told; where one differs, the
/// walk comes back to it and goes in.
///
/// A summary that differs has its entries looked at twice on both sides, so they begin few and become more as they turn out the same: a
/// first copy, or one of a tree that was changed all over, has next to none.
final class SummaryDesk: Sendable {
    private struct State {
        var away: [UInt32: DirectoryNode] = [:]
        var nextID: UInt32 = 0
        /// Entries of summaries that have no answer, and of those that turned out one way or the other.
        var entriesAway = 0
        var entriesSame = 0
        var entriesDifferent = 0
        /// Threads that wait for room.
        var waiters = 0
        var isClosed = false

        var isWorthIt: Bool { entriesAway + entriesDifferent <= 2 * entriesSame + SummaryDesk.entriesFirst }
    }

    /// Told as summaries before the first answer: what is lost where all of them differ.
    private static let entriesFirst = 2048
    /// Directories that are away at most; each keeps the one above it open.
    private static let awayMax = 1024
    /// Where they are not worth it, one in so many shows whether that is still so.
    private static let trialEvery: UInt32 = 64

    private let isWanted = Atomic<Bool>(false)
    private let wish = Mutex<SummaryTerms?>(nil)
    private let trials = Atomic<UInt32>(0)
    private let state = Monitor(State())
    private let directoriesMax: Int

    /// - Parameter directories: as many as may be away at most.
    init(directories: Int) {
        directoriesMax = max(1, min(Self.awayMax, directories))
    }

    /// The receiver wants summaries.
    func ask(_ terms: SummaryTerms) {
        wish.withLock { $0 = terms }
        isWanted.store(true, ordering: .releasing)
    }

    /// What the receiver needs of summaries; nil where it wants none.
    var terms: SummaryTerms? {
        isWanted.load(ordering: .acquiring) ? wish.withLock { $0 } : nil
    }

    /// Whether one more is likely to pay.
    func isWorthTrying() -> Bool {
        if state.withLock({ $0.isWorthIt }) { return true }
        return trials.wrappingAdd(1, ordering: .relaxed).newValue % Self.trialEvery == 0
    }

    /// Waits for room for one more, and numbers it; the walk of `queue` does not end before its answer. Nil once the connection is closed.
    /// - Parameter prepare: the other end can answer only what the caller has sent: called before it waits.
    func depart(_ node: DirectoryNode, from queue: WalkQueue, beforeWaiting prepare: () -> Void) -> UInt32? {
        let take = { (state: inout State) -> UInt32?? in
            if state.isClosed { return .some(nil) }
            guard state.away.count < self.directoriesMax else { return nil }
            while state.away[state.nextID] != nil { state.nextID &+= 1 }
            defer { state.nextID &+= 1 }
            state.away[state.nextID] = node
            state.entriesAway += node.summarizedEntries
            queue.depart()
            return .some(state.nextID)
        }
        if let atOnce = state.withLock({ take(&$0) }) { return atOnce }
        prepare()
        // To be woken for each answer would cost more than to read a directory: it waits for many.
        var isCounted = false
        return state.wait { state -> UInt32?? in
            if isCounted { state.waiters -= 1 }
            let number = take(&state)
            isCounted = number == nil
            if isCounted { state.waiters += 1 }
            return number
        }
    }

    /// With so many away at most, those that wait are woken.
    private var manyAreBack: Int { directoriesMax - max(1, directoriesMax / 4) }

    /// The receiver has answered: what the walk does with the directory.
    func answer(_ id: UInt32, isSame: Bool) throws(WireFault) -> WalkJob {
        var isWaitedFor = false
        let node = state.withLock { state -> DirectoryNode? in
            guard let node = state.away.removeValue(forKey: id) else { return nil }
            isWaitedFor = state.waiters > 0 && state.away.count == manyAreBack
            state.entriesAway -= node.summarizedEntries
            if isSame {
                state.entriesSame += node.summarizedEntries
            } else {
                state.entriesDifferent += node.summarizedEntries
            }
            return node
        }
        guard let node else { throw WireFault("a summary is answered that was not sent") }
        if isWaitedFor { state.wakeAll() }
        return isSame ? .settled(node) : .directory(node)
    }

    /// No answers come any more.
    func close() {
        state.withLock {
            $0.isClosed = true
            $0.away.removeAll()
        }
        state.wakeAll()
    }
}
