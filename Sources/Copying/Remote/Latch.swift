internal import Pacing
internal import Storage
internal import Synchronization

/// Something that happens once, told to other threads.
final class Latch: Sendable {
    private let state = Atomic(false)
    private let monitor = Monitor(())

    var isSet: Bool { state.load(ordering: .relaxed) }

    func set() {
        monitor.withLock { _ in state.store(true, ordering: .relaxed) }
        monitor.wakeAll()
    }

    /// Waits for it, but no longer than so many nanoseconds; whether it has happened. For threads of our own.
    func wait(upTo nanoseconds: Int64) -> Bool {
        let end = Host.monotonicNanoseconds() + nanoseconds
        return monitor.wait(until: end) { _ in isSet ? true : nil } ?? isSet
    }
}
