internal import MediaModel
internal import Pacing
internal import Storage
internal import Synchronization
internal import Wire

/// Directories that the other end has named and not ended, by their numbers, for all threads that read connections. A bundle
/// may come by another connection than the directory it lies in, sooner or later than that: whoever reads it waits until the
/// directory is open, and a directory ends when its last bundle is there.
///
/// Until it is open, not until it was named: room that jobs take which cannot be done yet is room that the job which opens the
/// directory may be waiting for.
final class DirectoryTable: Sendable {
    private struct Place {
        let directory: ReceivedDirectory
        /// Bundles that came, and how many there are once the other end has said so.
        var bundles: UInt32 = 0
        var bundlesInAll: UInt32?
    }

    private struct State {
        var places: [UInt32: Place] = [:]
        /// Directories that the other end has not ended.
        var open = 0
        /// Numbers of directories that threads wait for.
        var awaited: [UInt32] = []
        /// Bundles and ends that were taken from the table and that no queue has yet.
        var unsettled = 0
        var treeEnded = false
        var isClosed = false
    }

    /// More directories than any sender leaves open.
    private static let directoriesMax = 1 << 17
    /// How often who waits looks whether it goes on.
    private static let patienceNanoseconds: Int64 = 100_000_000

    private let state = Monitor(State())
    private let waiters = Atomic<Int>(0)
    private let notesNames: Bool

    /// - Parameter notesNames: what the target has besides is looked for.
    init(notesNames: Bool) {
        self.notesNames = notesNames
    }

    func add(_ directory: ReceivedDirectory, _ id: UInt32) throws(WireFault) {
        directory.node.wireID = id
        let fault = state.withLock { state -> WireFault? in
            if state.places[id] != nil { return WireFault("two directories have one number") }
            if state.places.count >= Self.directoriesMax { return WireFault("too many directories are open") }
            state.places[id] = Place(directory: directory)
            state.open += 1
            return nil
        }
        if let fault { throw fault }
    }

    /// A directory is open, or could not be opened: what waited for it goes on.
    func becameReady(_ directory: ReceivedDirectory) {
        guard waiters.load(ordering: .sequentiallyConsistent) > 0 else { return }
        let id = directory.node.wireID
        if state.withLock({ $0.awaited.contains(id) }) { state.wakeAll() }
    }

    /// A directory that has not ended.
    func find(_ id: UInt32) -> ReceivedDirectory? {
        state.withLock { $0.places[id]?.directory }
    }

    /// Entries that the other end has are not extraneous, whatever becomes of them: names of a directory gather until it ends.
    func note(_ name: BytePath, in directory: ReceivedDirectory) {
        guard notesNames else { return }
        let hash = name.bytes.withUnsafeBytes { NameHash.of($0) }
        state.withLock { _ in directory.node.nameHashes.append(hash) }
    }

    /// Waits until a directory is open, or could not be opened; nil where nobody waits any more.
    func wait(for id: UInt32, while goesOn: () -> Bool) throws(WireFault) -> ReceivedDirectory? {
        state.withLock { $0.awaited.append(id) }
        waiters.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer {
            waiters.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            state.withLock { state in
                if let index = state.awaited.firstIndex(of: id) { state.awaited.remove(at: index) }
            }
        }
        enum Found {
            case directory(ReceivedDirectory)
            case nothing
            case closed
        }
        while goesOn() {
            let end = Host.monotonicNanoseconds() + Self.patienceNanoseconds
            let found = state.wait(in: 0, until: end) { state -> Found? in
                if state.isClosed { return .closed }
                if let place = state.places[id] { return place.directory.isReady ? .directory(place.directory) : nil }
                return state.treeEnded ? .nothing : nil
            }
            switch found {
            case .directory(let directory): return directory
            case .nothing: throw WireFault("a bundle has no directory")
            case .closed: return nil
            case nil: continue
            }
        }
        return nil
    }

    /// A bundle was taken; it and the end that it may bring are unsettled.
    /// - Returns: the directory, where everything in it is told now.
    func count(bundleIn id: UInt32) throws(WireFault) -> ReceivedDirectory? {
        let (fault, ended) = state.withLock { state -> (WireFault?, ReceivedDirectory?) in
            guard var place = state.places[id] else { return (WireFault("a bundle has no directory"), nil) }
            if place.bundles == place.bundlesInAll {
                return (WireFault("a directory has more bundles than it says"), nil)
            }
            place.bundles += 1
            let isTold = place.bundles == place.bundlesInAll
            state.places[id] = isTold ? nil : place
            state.unsettled += isTold ? 2 : 1
            return (nil, isTold ? place.directory : nil)
        }
        if let fault { throw fault }
        return ended
    }

    /// So many bundles and ends are with a queue.
    func settle(_ count: Int) {
        state.withLock { $0.unsettled -= count }
    }

    /// The other end has ended a directory.
    /// - Parameter bundles: so many of its children are bundles.
    /// - Returns: the directory, where all of them are there.
    func end(_ id: UInt32, _ end: DirectoryEnd, bundles: UInt32) throws(WireFault) -> ReceivedDirectory? {
        let (fault, ended) = state.withLock { state -> (WireFault?, ReceivedDirectory?) in
            guard var place = state.places[id], place.bundlesInAll == nil else {
                return (WireFault("a directory ends that was not begun"), nil)
            }
            if place.bundles > bundles { return (WireFault("a directory has more bundles than it says"), nil) }
            place.directory.end = end
            place.bundlesInAll = bundles
            state.open -= 1
            let isTold = place.bundles == bundles
            state.places[id] = isTold ? nil : place
            return (nil, isTold ? place.directory : nil)
        }
        if let fault { throw fault }
        return ended
    }

    /// The other end has named every directory and ended it.
    func endTree() throws(WireFault) {
        let isRight = state.withLock { state in
            if state.open > 0 || state.treeEnded { return false }
            state.treeEnded = true
            return true
        }
        if !isRight { throw WireFault("a tree ends before its directories") }
        state.wakeAll()
    }

    /// The tree has ended, and all of its bundles are with a queue.
    var isWhole: Bool { state.withLock { $0.treeEnded && $0.places.isEmpty && $0.unsettled == 0 } }

    /// Nobody waits any more.
    func close() {
        state.withLock { $0.isClosed = true }
        state.wakeAll()
    }
}
