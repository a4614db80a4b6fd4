internal import Synchronization
internal import Wire

/// Tells the sender how many of its directories are closed again, some at a time.
final class DirectoryCredits: Sendable {
    /// Far fewer than a sender may leave open, so that it never waits for the rest.
    private static let share: UInt32 = 32

    let connection: WireConnection
    private let closed = Atomic<UInt32>(0)

    init(connection: WireConnection) {
        self.connection = connection
    }

    func add() {
        if closed.wrappingAdd(1, ordering: .relaxed).newValue % Self.share == 0 {
            connection.send(.closed(Self.share))
        }
    }
}
