internal import Pacing

/// A bounded number of buffers: who reads waits here while the connections are behind, so that memory does not grow with
/// the dump.
final class PieceStore: Sendable {
    private struct State {
        var free: [PieceBuffer] = []
        var made = 0
        var closed = false
    }

    /// Large enough that a connection seldom waits, small enough that tables are spread evenly.
    static let bytes = 1 << 20

    private let capacity: Int
    private let state = Monitor(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// An empty buffer, waiting for one; nil once the store is closed.
    /// - Parameter needed: a row larger than a buffer gets one of its own size.
    func take(needed: Int) -> PieceBuffer? {
        let buffer = state.wait { state -> PieceBuffer?? in
            if state.closed { return .some(nil) }
            if let buffer = state.free.popLast() { return buffer }
            guard state.made < capacity else { return nil }
            state.made += 1
            return PieceBuffer(capacity: Self.bytes)
        }
        guard let buffer, needed > buffer.memory.count else { return buffer }
        return PieceBuffer(capacity: needed)
    }

    func giveBack(_ buffer: PieceBuffer) {
        // One of its own size goes, and an ordinary one may be made in its place.
        let isOrdinary = buffer.memory.count == Self.bytes
        buffer.clear()
        state.withLock { state in
            if isOrdinary { state.free.append(buffer) } else { state.made -= 1 }
        }
        state.wakeOne()
    }

    func close() {
        state.withLock { $0.closed = true }
        state.wakeAll()
    }
}
