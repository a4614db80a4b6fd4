package import MediaModel

/// How a run ended: what the final report, the metrics and the run state say.
package struct Summary: Sendable, Equatable {
    package var run: RunID
    /// The command's name, e.g. `copy`.
    package var command: String
    package var counts: Counts
    package var elapsed: Duration
    package var status: ExitStatus
    /// What ended the run early.
    package var fatal: SyncError?
    /// Nothing was changed: `--dry-run`.
    package var isDryRun: Bool

    package init(
        run: RunID,
        command: String,
        counts: Counts,
        elapsed: Duration,
        status: ExitStatus,
        fatal: SyncError? = nil,
        isDryRun: Bool = false
    ) {
        self.run = run
        self.command = command
        self.counts = counts
        self.elapsed = elapsed
        self.status = status
        self.fatal = fatal
        self.isDryRun = isDryRun
    }

    /// `finished` when everything was looked at, `stopped` when a limit or a signal ended it, else `failed`.
    package var verdict: String {
        switch status {
        case .done, .itemsFailed, .differences, .sourceChanged: "finished"
        case .limitReached, .interrupted, .terminated: "stopped"
        default: "failed"
        }
    }

    /// The last object of `--json`.
    package var jsonLine: [UInt8] {
        var object = JSONObject()
        object.set("type", "summary")
        object.set("v", JSONLines.version)
        object.set("run", run.text)
        object.set("command", command)
        object.set("state", verdict)
        object.set("dry_run", isDryRun)
        object.set("outcome", counts.json)
        object.set("bytes", counts.bytesWritten)
        object.set("elapsed_s", seconds: elapsed.inSeconds)
        object.set("exit", status.rawValue)
        return object.line
    }
}
