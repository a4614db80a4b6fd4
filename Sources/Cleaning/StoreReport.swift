internal import MediaModel
internal import Running
internal import Synchronization

/// Tells of files that are not as their rows say: those of this server's own first, even where both are looked at together.
final class StoreReport: Sendable {
    /// How much of what is to be told of other servers' files may wait for those of our own.
    private static let heldMax = 1_000

    private struct State {
        /// Other servers' files, to be told later.
        var held: [ItemEvent] = []
        var holdsRemote: Bool
    }

    private let state: Mutex<State>
    private let sink: EventSink

    /// - Parameter holdsRemote: until `tellRemote` is called.
    init(holdsRemote: Bool, _ sink: @escaping EventSink) {
        state = Mutex(State(holdsRemote: holdsRemote))
        self.sink = sink
    }

    /// Whether enough waits. More is still taken: what workers have begun, they end.
    var isFull: Bool { state.withLock { $0.held.count >= Self.heldMax } }

    func tell(_ item: ItemEvent, _ row: RowReference) {
        let isHeld = state.withLock { state in
            guard !row.isLocal, state.holdsRemote else { return false }
            state.held.append(item)
            return true
        }
        if !isHeld { sink(.item(item)) }
    }

    /// All local files have been told: tells what waits, and from now on whatever comes.
    func tellRemote() {
        // Under the lock: what other workers find meanwhile comes behind it.
        state.withLock { state in
            for item in state.held { sink(.item(item)) }
            state = State(holdsRemote: false)
        }
    }
}
