internal import DequeModule
internal import Pacing
internal import Synchronization

/// Where the further connections of a run wait for the threads that use them. They come one by one while the run goes on,
/// or never.
package final class CarrierDesk: Sendable {
    private struct State {
        var waiting = Deque<WireConnection>()
        var all: [WireConnection] = []
        var isClosed = false
    }

    /// How many may come.
    let carriersMax: Int
    private let state = Monitor(State())

    init(carriersMax: Int) {
        self.carriersMax = carriersMax
    }

    /// One has come; false where nobody waits for it any more.
    func arrive(_ carrier: WireConnection) -> Bool {
        let isTaken = state.withLock { state in
            if state.isClosed || state.all.count >= carriersMax { return false }
            state.waiting.append(carrier)
            state.all.append(carrier)
            return true
        }
        if isTaken { state.wakeOne() }
        return isTaken
    }

    /// The next one that has come; nil once the run needs no more.
    func next() -> WireConnection? {
        state.wait { state -> WireConnection?? in
            if state.isClosed { return .some(nil) }
            return state.waiting.popFirst().map { .some($0) }
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Bytes that went through them so far, both ways.
    var bytes: Int64 { state.withLock { $0.all }.reduce(0) { $0 + $1.bytes } }

    /// Nothing more goes through them, and none is waited for.
    func close() {
        let all = state.withLock { state in
            state.isClosed = true
            return state.all
        }
        for carrier in all { carrier.finish() }
        state.wakeAll()
    }
}

/// The connections by which a sender can send a file: the first one always, and carriers that have come.
final class SendingConnections: Sendable {
    private let first: WireConnection
    private let others = Mutex<[WireConnection]>([])
    private let turn = Atomic(0)

    init(_ first: WireConnection) {
        self.first = first
    }

    func add(_ carrier: WireConnection) {
        others.withLock { $0.append(carrier) }
    }

    /// So many bytes wait for each that more threads would only wait as well.
    var areBehind: Bool {
        let all = others.withLock { $0 } + [first]
        return all.allSatisfy { $0.bytesBeforeNext > Self.muchBytes }
    }

    /// Half of what a connection lets wait.
    private static let muchBytes = 512 << 10

    /// The one with the least before it. All of one file goes by one connection, so that it stays in order.
    func next() -> WireConnection {
        let others = others.withLock { $0 }
        if others.isEmpty { return first }
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        var best = first
        var least = Int.max
        // The first one is looked at last: it has the tree to carry besides.
        for offset in 0...others.count {
            let connection = offset == others.count ? first : others[(start &+ offset) % others.count]
            let waiting = connection.bytesBeforeNext
            if waiting == 0 { return connection }
            if waiting < least { (best, least) = (connection, waiting) }
        }
        return best
    }
}
