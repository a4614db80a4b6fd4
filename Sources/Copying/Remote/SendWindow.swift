internal import Delta
internal import DequeModule
internal import MediaModel
internal import Pacing
internal import Storage
internal import Synchronization
internal import Wire

/// Entries of one directory that were sent and not yet answered: what a `Want` picks from.
final class SentBatch: Sendable {
    let node: DirectoryNode
    let names: [BytePath]
    /// Which of them are files: nothing else is ever read.
    let areFiles: [Bool]

    init(node: DirectoryNode, entries: [WireEntry]) {
        self.node = node
        names = entries.map(\.name)
        areFiles = entries.map { entry in
            guard case .present = entry.state else { return false }
            return entry.kind == .file
        }
    }
}

/// A file that the receiver wants.
struct FileRequest: Sendable {
    let batch: SentBatch
    let reference: WireReference
    let attributesOnly: Bool
    /// Of the version that the receiver has, where it was described.
    var signature: Signature?

    /// The same, to be sent with all its bytes.
    var whole: FileRequest { FileRequest(batch: batch, reference: reference, attributesOnly: attributesOnly) }
}

/// What the receiver waits for.
enum SenderWork: Sendable {
    case file(FileRequest)
    /// Which of some names are gone.
    case names(Ask)
    /// One entry, looked at again.
    case entry(Ask)
}

/// How far a sender may be ahead of its receiver, and what the receiver still wants. The thread that reads the connection
/// never waits here: so whatever the other end sends is read, and the two ends cannot wait for each other.
final class SendWindow: Sendable {
    struct State {
        var batches: [UInt32: SentBatch] = [:]
        var entries = 0
        var directories = 0
        /// Threads that wait for directories to be closed.
        var directoryWaiters = 0
        var requests = Deque<SenderWork>()
        /// Files of which older versions are described.
        var deltas = DeltaRequests()
        /// Questions among them, and those that are being answered.
        var questions = 0
        var nextBatch: UInt32 = 0
        var nextDirectory: UInt32 = 0
        var isClosed = false
    }

    private enum Room {
        static var forDirectories: Int { 0 }
        static var forEntries: Int { 1 }
        static var forRequests: Int { 2 }
    }

    /// Entries sent and not answered, or wanted and not sent: at 50 ms there and back and 100,000 entries a second 5,000 are
    /// on their way.
    private static let entriesMax = 16_384
    /// How long a walk waits for directories to be closed before it goes one deeper all the same: all that are open may be
    /// waiting for a child.
    private static let patienceNanoseconds: Int64 = 2_000_000_000
    /// How long it waits for many of them: to be woken for each one would cost more than to open it.
    private static let manyNanoseconds: Int64 = 5_000_000

    /// Directories open at the receiver, which holds a descriptor for each.
    private let directoriesMax: Int
    let state = Monitor(State(), waitingRooms: 3)
    private let bundlesHint = Atomic<Bool>(false)

    /// The receiver takes bundles with all their files, unasked.
    var takesBundles: Bool { bundlesHint.load(ordering: .relaxed) }

    /// The receiver can hold so many directories open that it does not matter how many are in a bundle.
    var takesDeepBundles: Bool { directoriesMax >= Self.deepBundlesMin }

    private static let deepBundlesMin = 4096

    /// Counts directories in a bundle. There is no waiting for room: each is open at the receiver for a moment, and closed again before
    /// the next one but for those above it.
    func addDirectories(_ count: Int) {
        if count > 0 { state.withLock { $0.directories += count } }
    }

    func takeBundles() { bundlesHint.store(true, ordering: .relaxed) }

    /// - Parameter directories: as many as the receiver can hold.
    init(directories: UInt32) {
        directoriesMax = Int(min(directories, WireLimit.openDirectories))
    }

    /// Waits for room for one more directory, and numbers it. Nil once the connection is closed.
    /// - Parameter prepare: the other end can go on only with what the caller has sent: called before it waits.
    func openDirectory(beforeWaiting prepare: () -> Void) -> UInt32? {
        let end = Host.monotonicNanoseconds() + Self.patienceNanoseconds
        let take = { (state: inout State) -> UInt32 in
            state.directories += 1
            defer { state.nextDirectory &+= 1 }
            return state.nextDirectory
        }
        let takeBelow = { (limit: Int) in
            { (state: inout State) -> UInt32?? in
                if state.isClosed { return .some(nil) }
                return state.directories < limit ? .some(take(&state)) : nil
            }
        }
        if let atOnce = state.withLock({ state -> UInt32?? in
            let number = takeBelow(directoriesMax)(&state)
            if number == nil { state.directoryWaiters += 1 }
            return number
        }) {
            return atOnce
        }
        prepare()
        defer { state.withLock { $0.directoryWaiters -= 1 } }
        let soon = Host.monotonicNanoseconds() + Self.manyNanoseconds
        let many = state.wait(in: Room.forDirectories, until: soon, takeBelow(manyAreClosed))
        if let many { return many }
        let one = state.wait(in: Room.forDirectories, until: end, takeBelow(directoriesMax))
        if let one { return one }
        return state.withLock { $0.isClosed ? nil : take(&$0) }
    }

    /// With so many open at most, those that wait are woken.
    private var manyAreClosed: Int { max(1, directoriesMax - directoriesMax / 4) }

    /// Waits for room for some entries, and numbers their batch. Nil once the connection is closed.
    /// - Parameter prepare: called before it waits.
    func openBatch(_ batch: SentBatch, beforeWaiting prepare: () -> Void) -> UInt32? {
        let take = { (state: inout State) -> UInt32?? in
            if state.isClosed { return .some(nil) }
            guard Self.hasRoom(state) else { return nil }
            state.entries += batch.names.count
            while state.batches[state.nextBatch] != nil { state.nextBatch &+= 1 }
            defer { state.nextBatch &+= 1 }
            state.batches[state.nextBatch] = batch
            return .some(state.nextBatch)
        }
        if let atOnce = state.withLock({ take(&$0) }) { return atOnce }
        prepare()
        let number = state.wait(in: Room.forEntries) { take(&$0) }
        // One answer may be room for several, and wakes one: each wakes the next.
        if state.withLock({ Self.hasRoom($0) }) { state.wakeOne(in: Room.forEntries) }
        return number
    }

    private static func hasRoom(_ state: State) -> Bool {
        entriesUnderWay(state) < entriesMax
    }

    private static func entriesUnderWay(_ state: State) -> Int {
        state.entries + state.requests.count + state.deltas.count
    }

    /// The other end is behind: who names more only waits sooner.
    var isHalfFull: Bool {
        state.withLock { state in
            state.directories >= directoriesMax / 2 || 2 * Self.entriesUnderWay(state) >= Self.entriesMax
        }
    }

    /// So many threads and no more: a walk has many that wait, and there is an answer for each directory.
    private func wake(_ count: Int, in room: Int) {
        if count > Self.singlyMax { return state.wakeAll(in: room) }
        for _ in 0..<count { state.wakeOne(in: room) }
    }

    /// Beyond that all may as well look.
    private static let singlyMax = 32

    /// The receiver has answered a batch.
    func answer(_ want: Want) throws(WireFault) {
        let fault = state.withLock { state -> WireFault? in
            guard let batch = state.batches.removeValue(forKey: want.batch) else {
                return WireFault("something is wanted that was not sent")
            }
            state.entries -= batch.names.count
            for item in want.items {
                guard batch.areFiles.indices.contains(Int(item.index)), batch.areFiles[Int(item.index)] else {
                    return WireFault("something is wanted that is no file")
                }
                let reference = WireReference(batch: want.batch, index: item.index)
                if item.hasBasis {
                    do throws(WireFault) { try state.deltas.expect(reference, in: batch) } catch { return error }
                    continue
                }
                let request = FileRequest(batch: batch, reference: reference, attributesOnly: item.attributesOnly)
                state.requests.append(.file(request))
            }
            return nil
        }
        if let fault { throw fault }
        wake(want.items.count, in: Room.forRequests)
        state.wakeOne(in: Room.forEntries)
    }

    /// The receiver has closed some directories.
    func close(directories count: UInt32) throws(WireFault) {
        let (isTooMany, isWaitedFor) = state.withLock { state -> (Bool, Bool) in
            if Int(count) > state.directories { return (true, false) }
            state.directories -= Int(count)
            return (false, state.directoryWaiters > 0 && state.directories < manyAreClosed)
        }
        if isTooMany { throw WireFault("more directories are closed than were opened") }
        if isWaitedFor { state.wakeAll(in: Room.forDirectories) }
    }

    /// The receiver has a question about names.
    func ask(_ work: SenderWork) throws(WireFault) {
        let isTooMany = state.withLock { state -> Bool in
            if state.questions == WireLimit.questions { return true }
            state.questions += 1
            state.requests.append(work)
            return false
        }
        if isTooMany { throw WireFault("too many questions wait for their answers") }
        state.wakeOne(in: Room.forRequests)
    }

    /// A question is about to be answered.
    func settleQuestion() {
        state.withLock { $0.questions -= 1 }
    }

    /// What the receiver waits for next; nil once the connection is closed.
    func takeRequest() -> SenderWork? {
        let request = state.wait(in: Room.forRequests) { state -> SenderWork?? in
            if state.isClosed { return .some(nil) }
            return (state.deltas.take().map { .file($0) } ?? state.requests.popFirst()).map { .some($0) }
        }
        state.wakeOne(in: Room.forEntries)
        return request
    }

    /// There may be something to read, and more room.
    func wakeReaders() {
        state.wakeAll(in: Room.forRequests)
        state.wakeAll(in: Room.forEntries)
    }

    /// Nothing is wanted any more, or can be had.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Nothing is wanted any more.
    func close() {
        state.withLock {
            $0.isClosed = true
            $0.requests.removeAll()
            $0.batches.removeAll()
            $0.deltas = DeltaRequests()
        }
        state.wakeAll(in: Room.forDirectories)
        state.wakeAll(in: Room.forEntries)
        state.wakeAll(in: Room.forRequests)
    }
}
