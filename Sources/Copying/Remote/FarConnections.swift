package import MediaModel
internal import Synchronization

/// How many connections a copy between machines was asked to have, and who hears that there are fewer. It outlives a
/// connection that is lost, so that a person is told once.
package final class FarConnections: Sendable {
    let count: Int
    private let sink: EventSink
    private let isTold = Atomic(false)

    /// - Parameters:
    ///   - count: at most `WireLimit.connections`, the first among them.
    ///   - sink: who hears of it.
    package init(_ count: Int, sink: @escaping EventSink) {
        self.count = count
        self.sink = sink
    }

    /// Some could not be made.
    func tell(made: Int, to place: RemotePlace, why: String) {
        if isTold.exchange(true, ordering: .relaxed) { return }
        let host = BytePath.escaped(Array(place.host.utf8))
        sink(
            .notice(
                Notice(
                    .warning,
                    "only \(made) of \(count) connections to \(host) could be made: \(why)",
                    hint:
                        "it goes on with \(made == 1 ? "one" : "those"). Each must log in without a question (a key, an "
                        + "agent); sshd's MaxStartups and MaxSessions, and a firewall, may allow fewer"
                )
            )
        )
    }
}
