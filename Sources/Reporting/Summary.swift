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
    /// In the order in which they began.
    package var stages: [StageTime]
    /// Numbers of this kind of run.
    package var figures: [Figure]

    package init(
        run: RunID,
        command: String,
        counts: Counts,
        elapsed: Duration,
        status: ExitStatus,
        fatal: SyncError? = nil,
        isDryRun: Bool = false,
        stages: [StageTime] = [],
        figures: [Figure] = []
    ) {
        self.run = run
        self.command = command
        self.counts = counts
        self.elapsed = elapsed
        self.status = status
        self.fatal = fatal
        self.isDryRun = isDryRun
        self.stages = stages
        self.figures = figures
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
        if !figures.isEmpty {
            object.set("figures", figures.reduce(into: JSONObject()) { $0.set(word: $1.name, .number($1.value)) })
        }
        if !stages.isEmpty {
            object.set(
                "stages",
                stages.map { stage in
                    var entry = JSONObject()
                    entry.set("stage", stage.stage)
                    entry.set("elapsed_s", seconds: stage.elapsed.inSeconds)
                    return entry
                }
            )
        }
        object.set("exit", status.rawValue)
        return object.line
    }
}
