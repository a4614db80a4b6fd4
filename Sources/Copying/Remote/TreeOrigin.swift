package import MediaModel
package import Running
internal import Storage
package import Wire

/// What is known of another machine's tree before it comes.
package struct TreeArrival: Sendable {
    package var facts: SourceFacts
    /// Nanoseconds by which the clock here is ahead of the one there, at most: what the message was under way counts as
    /// well. Time stamps of both can be compared with it, whatever the clocks say.
    package var clockLead: Int64

    /// - Parameter clock: the other end's, when it sent its first message.
    package init(_ facts: SourceFacts, clock: WireTime) {
        self.facts = facts
        let now = Host.wallClock()
        let (seconds, isFar) = (now.seconds - clock.seconds).multipliedReportingOverflow(by: 1_000_000_000)
        // A clock that is centuries away tells nothing.
        clockLead = isFar ? 0 : seconds &+ Int64(now.nanoseconds) &- Int64(clock.nanoseconds)
    }
}

/// Who sends the tree that an engine receives: another machine, seen from here.
package protocol TreeOrigin: Sendable {
    /// The connection; there once `connect` has returned.
    var connection: WireConnection { get }

    /// Reaches the other end, and learns what guards want to know of its tree. Blocks.
    func connect(_ control: RunControl) throws(SyncError) -> TreeArrival

    /// Asks the other end how much there is; nil where nobody here wants to know.
    var totalCounter: (any TotalCounter)? { get }

    /// The other end says something that is not about the tree; false where nobody waits for it.
    func hear(_ message: Message) -> Bool

    /// Bytes that were sent and received, where this is the end that tells a person about them.
    var bytesTransferred: Int64 { get }

    /// Where further connections come, which bring files.
    var desk: CarrierDesk { get }

    /// What is known of the reason why a further connection ended early.
    func explain(_ error: SyncError, of carrier: WireConnection) -> SyncError

    /// What is known of the reason why the connection ended early.
    func explain(_ error: SyncError) -> SyncError

    /// Does the connection's own work beside a run, and ends the connection after it.
    func serving(_ run: @Sendable () async -> RunResult) async -> RunResult
}
