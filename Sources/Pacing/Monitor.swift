internal import Glibc

/// State behind a lock that threads can wait on. For the threads of our own pools only: waiting blocks the thread, which
/// the cooperative pool must never see.
///
/// Sendable without checks: every access to `state` holds the lock `mutex`.
package final class Monitor<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: sending State) {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        self.state = state
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with the lock held.
    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Runs `body` under the lock again and again, sleeping between tries until another thread wakes this one, and
    /// returns the first value that is not nil.
    package func wait<Result>(_ body: (inout State) throws -> Result?) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// Wakes one waiting thread.
    package func wakeOne() {
        pthread_cond_signal(condition)
    }

    /// Wakes every waiting thread.
    package func wakeAll() {
        pthread_cond_broadcast(condition)
    }
}
