/// A stage of a run of several, for the table at the end.
package struct StageLine: Sendable, Equatable {
    package enum State: String, Sendable {
        case done
        /// An earlier run of the same move did it.
        case doneBefore = "done before"
        case failed
        case stopped
        /// The run ended before its turn.
        case waiting = "not begun"
        /// A dry run cannot tell what it would do: what comes before it decides that.
        case later = "decided later"
        /// Left out by request.
        case skipped
    }

    package var name: String
    package var state: State
    /// Nil where it did not run.
    package var elapsed: Duration?
    package var counts: Counts

    package init(name: String, state: State, elapsed: Duration? = nil, counts: Counts = Counts()) {
        self.name = name
        self.state = state
        self.elapsed = elapsed
        self.counts = counts
    }
}
