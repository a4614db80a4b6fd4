internal import Pacing
internal import Running
internal import Synchronization
internal import Wire

/// Asks another machine how many entries its tree has, so that the progress of a pull has a total. It outlives a connection
/// that is lost: the next one is asked anew.
package final class FarCounter: TotalCounter {
    private struct State {
        var connection: WireConnection?
        var isAsked = false
        var total: Int?
    }

    private let state = Mutex(State())

    package init() {}

    package var total: Int? { state.withLock { $0.total } }

    package func run() async {
        let pool = WorkerPool(threads: 1)
        await withTaskExecutorPreference(pool) {
            let connection = state.withLock { state in
                state.isAsked = true
                return state.connection
            }
            connection?.send(.count)
        }
        pool.shutDown()
    }

    package func stop() {}

    /// There is a connection.
    func reach(_ connection: WireConnection) {
        let isAsked = state.withLock { state in
            state.connection = connection
            return state.isAsked && state.total == nil
        }
        if isAsked { connection.send(.count) }
    }

    func hear(_ total: Int) {
        state.withLock { $0.total = total }
    }
}
