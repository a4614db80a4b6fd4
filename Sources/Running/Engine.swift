package import MediaModel

/// What a run drives: an engine with an account that can be looked at while it works.
package protocol Engine: Sendable {
    /// Works to the end, or until its control stops it.
    func run() async -> RunResult

    /// The account at this moment.
    func counts() -> Counts

    /// The process ends without waiting any longer: removes what would be litter.
    func abandon()

    /// Finds out, beside the run, how much it is going to do; nil where it is known otherwise or not worth the reading.
    func totalCounter() -> (any TotalCounter)?

    /// How far the present stage is, where its work is not counted by entries.
    func work() -> WorkProgress?

    /// What else is worth a look while it works: short fields, for a live line.
    func activity() -> [String]

    /// Numbers of its own, for the summary and the metrics.
    func figures() -> [Figure]

    /// Tables of its own, for the report: by kind, by host.
    func sections() -> [ReportSection]

    /// How long a stop waits for work in hand before the process ends anyway.
    var stopPatience: Duration { get }
}

extension Engine {
    package var stopPatience: Duration { .milliseconds(1700) }
    package func work() -> WorkProgress? { nil }
    package func activity() -> [String] { [] }
    package func figures() -> [Figure] { [] }
    package func sections() -> [ReportSection] { [] }
}

/// Counts ahead what a run is going to see, so that progress has a total.
package protocol TotalCounter: Sendable {
    /// Entries in all; nil until they are counted.
    var total: Int? { get }

    /// Whether counting is no work of its own: the engine knows the total anyway, and it is told also where nobody watches.
    var isFree: Bool { get }

    /// Counts to the end.
    func run() async

    /// Stops counting: the run is over.
    func stop()
}

extension TotalCounter {
    package var isFree: Bool { false }
}
