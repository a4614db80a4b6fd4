/// The process's exit codes. They are stable: scripts rely on them (docs/operations.md has the table for users).
package enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case unexpected = 1
    /// Finished; some items failed and are listed.
    case itemsFailed = 3
    /// `verify` found differences.
    case differences = 4
    /// Stopped at a limit the user set; resumable.
    case limitReached = 5
    /// Source or target missing, not usable, or not what it should be.
    case unusable = 10
    /// Another run holds the lock.
    case locked = 11
    case databaseUnreachable = 12
    case schemaUnknown = 13
    /// No space, no quota or no descriptors left.
    case exhausted = 14
    /// Refused by a safety guard; nothing was changed.
    case refused = 20
    /// The source changed or vanished while it was read.
    case sourceChanged = 24
    case usage = 64
    case configuration = 78
    /// SIGINT: stopped cleanly, resumable.
    case interrupted = 130
    /// SIGTERM: stopped cleanly, resumable.
    case terminated = 143
}
