package import MediaModel

/// How a run ended.
package struct RunResult: Sendable {
    package let counts: Counts
    /// Why it stopped early or what it could not do at all; nil where it came to its end.
    package let error: SyncError?

    package init(counts: Counts, error: SyncError?) {
        self.counts = counts
        self.error = error
    }

    /// The exit status the two make together: what stopped the run, else what failed in it.
    package var exitStatus: ExitStatus {
        if let error { return error.code.exitStatus }
        if counts.different > 0 { return .differences }
        let failed = counts.failed + counts.deleteFailed
        if failed == 0 { return .done }
        return failed == counts.sourceChanged ? .sourceChanged : .itemsFailed
    }
}
