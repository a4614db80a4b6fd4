/// How politely hosts are asked. The defaults are what a well-behaved client allows itself.
package struct PaceOptions: Sendable {
    /// Items under way at a time, over all hosts.
    package var inFlight = 256
    /// Items under way at one host, once it has shown that it answers.
    package var perHost = 6
    /// Up to where `perHost` grows at a host that answers well; the rate grows with it.
    package var perHostMaximum = 6
    /// Items under way at a host that has not answered yet.
    package var firstPerHost = 2
    /// Starts a second at one host.
    package var rate: Double = 20
    /// The part of `inFlight` that hosts which have not answered yet may hold while others could use it.
    package var unansweredShare = 0.25
    /// A host that asks for a longer pause than this is not waited for: its items are left for a later run.
    package var longestPause: Duration = .seconds(600)
    /// The pause after a 429 or 503 that names none.
    package var throttleBackoff = Backoff(first: .seconds(2), cap: .seconds(300))
    /// Failures in a row after which a host that has answered before is left alone; a new one is after its first.
    package var breakerThreshold = 3
    /// How long until an item is tried again at a host that is left alone.
    package var breakerBackoff = Backoff(first: .seconds(10), cap: .seconds(600))
    /// Tries at a host that is left alone, before its items are parked for the run.
    package var probes = 6
    /// The same at a host that never answered.
    package var probesUnanswered = 1
    /// For the jitter.
    package var seed: UInt64 = 0

    package init() {}
}

/// How an item ended, as far as it tells something about its host.
package enum PaceEnding: Sendable, Equatable {
    /// An answer as it should be, after so many nanoseconds.
    case answered(nanoseconds: Int64)
    /// An answer that is none for this item (404, too large): the host lives.
    case refused
    /// 429, 503 and the like: too much was asked, and not again before so long.
    case throttled(retryAfter: Duration?)
    /// No connection, or no whole answer in time.
    case unreachable
    /// Ended from here: it says nothing of the host.
    case abandoned
}

/// A schedule in numbers.
package struct PaceFigures: Sendable, Equatable {
    /// Hosts at which an item was started.
    package var asked = 0
    /// Of these, said that it was too much.
    package var throttled = 0
    /// Of these, are believed to be dead.
    package var silent = 0
    /// Hosts that still have items, waiting or under way.
    package var hostsAtWork = 0
    /// Items that wait for their turn, the parked ones too.
    package var waiting = 0
    /// Items that were given back and must not start yet.
    package var delayed = 0
    package var inFlight = 0
    /// Items under way at hosts that have not answered yet.
    package var inFlightUnanswered = 0
    /// Hosts with items that are left alone because they do not answer.
    package var breakersOpen = 0
    /// Hosts with items that asked to be left alone until later.
    package var paused = 0

    package init() {}
}

/// One host's part of a schedule, for the live lines.
package struct PaceLoad: Sendable {
    package let host: HostID
    package let waiting: Int
    package let inFlight: Int
    /// The time the host needs for what waits, at its limits.
    package let remaining: Duration
}
