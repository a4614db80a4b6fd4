package import MediaModel
internal import Synchronization
internal import Wire

/// How many connections a copy between machines is to have, and who hears that there are fewer. It outlives a connection
/// that is lost, so that a person is told once.
package final class FarConnections: Sendable {
    /// How many there are to be, the first among them.
    package enum Number: Hashable, Sendable {
        /// At most `WireLimit.connections`.
        case exactly(Int)
        /// One; several where the line is long and there is something to carry.
        case automatic
    }

    /// On a line of 50 ms four carry what two processors can encrypt, read and write.
    private static let automaticMax = 4

    /// As many as there may be, the first among them.
    let count: Int
    let isAutomatic: Bool
    private let sink: EventSink
    private let isTold = Atomic(false)

    /// - Parameter sink: who hears of it where some cannot be made.
    package init(_ number: Number, sink: @escaping EventSink) {
        switch number {
        case .exactly(let count): self.count = min(count, WireLimit.connections)
        case .automatic: count = Self.automaticMax
        }
        isAutomatic = number == .automatic
        self.sink = sink
    }

    /// Some could not be made.
    func tell(made: Int, to place: RemotePlace, why: String) {
        if isTold.exchange(true, ordering: .relaxed) { return }
        let host = BytePath.escaped(Array(place.host.utf8))
        sink(
            .notice(
                Notice(
                    // Nobody had asked for them.
                    isAutomatic ? .notice : .warning,
                    "only \(made) of \(count) connections to \(host) could be made: \(why)",
                    hint:
                        "it goes on with \(made == 1 ? "one" : "those"). Each must log in without a question (a key, an "
                        + "agent); sshd's MaxStartups and MaxSessions, and a firewall, may allow fewer"
                        + (isAutomatic ? ". --connections 1 makes no more" : "")
                )
            )
        )
    }
}
