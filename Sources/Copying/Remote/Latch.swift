internal import Synchronization

/// Something that happens once, told to other threads.
final class Latch: Sendable {
    private let state = Atomic(false)

    var isSet: Bool { state.load(ordering: .relaxed) }

    func set() { state.store(true, ordering: .relaxed) }
}
