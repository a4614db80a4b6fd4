package import MediaModel
package import Running
package import Wire

/// Who sends the tree that an engine receives: another machine, seen from here.
package protocol TreeOrigin: Sendable {
    /// The connection; there once `connect` has returned.
    var connection: WireConnection { get }

    /// Reaches the other end, and learns what guards want to know of its tree. Blocks.
    func connect(_ control: RunControl) throws(SyncError) -> SourceFacts

    /// Bytes that were sent and received, where this is the end that tells a person about them.
    var bytesTransferred: Int64 { get }

    /// What is known of the reason why the connection ended early.
    func explain(_ error: SyncError) -> SyncError

    /// Does the connection's own work beside a run, and ends the connection after it.
    func serving(_ run: @Sendable () async -> RunResult) async -> RunResult
}
