internal import Catalog
internal import Fetching
internal import Pacing
internal import Storage

/// A file that arrived, before anybody knows whether it is good.
struct Arrival: Sendable {
    let item: RefreshItem
    let row: RemoteMedia
    let spool: SpoolFile
    let answer: FetchAnswer
}

/// Files that wait for a decoder. Who fetches never waits here: it asks for room before it begins.
final class Arrivals: Sendable {
    private struct State {
        var waiting: [Arrival] = []
        var head = 0
        var bytes: Int64 = 0
        var isClosed = false
    }

    /// No new fetch begins while more bytes than this wait: they are on the disk.
    private static let bytesMax: Int64 = 512 << 20

    /// Fetches that begin together while nobody waits for them.
    private static let together = 2

    private let state = Monitor(State())
    private let countMax: Int
    private let ample: Int

    /// - Parameters:
    ///   - countMax: files that wait, and fetches under way.
    ///   - ample: so many waiting ones keep decoders busy for a while.
    init(countMax: Int, ample: Int) {
        self.countMax = countMax
        self.ample = ample
    }

    /// How many fetches may begin now. Those under way count as files that wait: they will. So fetches begin as files are
    /// taken, one by one, and not in bursts, of which a host would get no more than its rate allows at one moment.
    func room(underWay: Int) -> Int {
        state.withLock { state in
            let waiting = state.waiting.count - state.head
            guard state.bytes < Self.bytesMax else { return 0 }
            let room = countMax - waiting - underWay
            // While decoders have enough to do, some begin together: their rows are read by one statement.
            return waiting >= ample && room < Self.together ? 0 : max(0, room)
        }
    }

    func add(_ arrival: Arrival) {
        state.withLock { state in
            state.waiting.append(arrival)
            state.bytes += arrival.answer.byteCount
        }
        state.wakeOne()
    }

    /// The one that waits longest; nil once it is closed and empty.
    func take() -> Arrival? {
        state.wait { state -> Arrival?? in
            guard state.head < state.waiting.count else { return state.isClosed ? .some(nil) : nil }
            let arrival = state.waiting[state.head]
            state.head += 1
            state.bytes -= arrival.answer.byteCount
            if state.head > 64, state.head * 2 > state.waiting.count {
                state.waiting.removeFirst(state.head)
                state.head = 0
            }
            return .some(arrival)
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        state.wakeAll()
    }
}
