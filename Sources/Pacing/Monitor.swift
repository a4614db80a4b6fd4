package import Glibc

/// State behind a lock that threads can wait on. For the threads of our own pools only: waiting blocks the thread, which
/// the cooperative pool must never see.
///
/// Its calls are compiled into their callers: through a generic entry point each would look up the type of its result, which
/// takes longer than the lock.
///
/// Sendable without checks: every access to `state` holds the lock `mutex`.
package final class Monitor<State>: @unchecked Sendable {
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline let conditions: UnsafeMutableBufferPointer<pthread_cond_t>
    @usableFromInline var state: State

    /// - Parameter waitingRooms: how many groups of threads wait for different things; each is woken on its own, so that
    ///   no thread is woken for what it does not wait for.
    package init(_ state: sending State, waitingRooms: Int = 1) {
        mutex = .allocate(capacity: 1)
        conditions = .allocate(capacity: waitingRooms)
        self.state = state
        pthread_mutex_init(mutex, nil)
        // A clock that nobody sets: a wait with an end must not stall when the time is corrected.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        for index in conditions.indices { pthread_cond_init(address(of: index), &attributes) }
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        for index in conditions.indices { pthread_cond_destroy(address(of: index)) }
        pthread_mutex_destroy(mutex)
        conditions.deallocate()
        mutex.deallocate()
    }

    @usableFromInline
    func address(of room: Int) -> UnsafeMutablePointer<pthread_cond_t> {
        guard let base = conditions.baseAddress else { preconditionFailure("a monitor has a waiting room") }
        return base + room
    }

    /// Runs `body` with the lock held.
    @inlinable
    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Runs `body` under the lock again and again, sleeping between tries until another thread wakes this one, and
    /// returns the first value that is not nil.
    @inlinable
    package func wait<Result>(in room: Int = 0, _ body: (inout State) throws -> Result?) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            pthread_cond_wait(address(of: room), mutex)
        }
    }

    /// The same, but no longer than until a moment; nil then.
    /// - Parameter deadline: monotonic nanoseconds.
    @inlinable
    package func wait<Result>(
        in room: Int = 0,
        until deadline: Int64,
        _ body: (inout State) throws -> Result?
    ) rethrows -> Result? {
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            if pthread_cond_timedwait(address(of: room), mutex, &time) == ETIMEDOUT { return try body(&state) }
        }
    }

    /// Wakes one thread of a waiting room.
    package func wakeOne(in room: Int = 0) {
        pthread_cond_signal(address(of: room))
    }

    /// Wakes every thread of a waiting room.
    package func wakeAll(in room: Int = 0) {
        pthread_cond_broadcast(address(of: room))
    }
}
