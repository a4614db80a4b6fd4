internal import Postgres
internal import Synchronization

/// Every session of a run, so that a stop reaches statements that take hours.
final class CancellerList: Sendable {
    private struct State {
        var all: [Canceller] = []
        var isStopped = false
    }

    private let state = Mutex(State())

    /// Takes a new session in; after a stop it is cut at once.
    func add(_ canceller: Canceller) {
        let isStopped = state.withLock { state in
            state.all.append(canceller)
            return state.isStopped
        }
        if isStopped { canceller.sever() }
    }

    /// Ends what all of them do. Blocks for the time of a few connects: not for the cooperative pool.
    func stop() {
        let all = state.withLock { state in
            state.isStopped = true
            return state.all
        }
        for canceller in all {
            canceller.cancel()
            canceller.sever()
        }
    }
}
