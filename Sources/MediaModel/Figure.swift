/// A number that a kind of run has of its own, beside entries and bytes: the rows of a restore.
package struct Figure: Sendable, Equatable {
    /// A plain word in small letters, for JSON and the metrics.
    package var name: String
    package var value: Int64
    /// One sentence, for the metrics.
    package var help: String

    package init(_ name: String, _ value: Int, _ help: String) {
        self.name = name
        self.value = Int64(value)
        self.help = help
    }
}

/// How long a stage of a run took.
package struct StageTime: Sendable, Equatable {
    package var stage: String
    package var elapsed: Duration

    package init(stage: String, elapsed: Duration) {
        self.stage = stage
        self.elapsed = elapsed
    }
}
