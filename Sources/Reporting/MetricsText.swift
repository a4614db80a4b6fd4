internal import MediaModel

/// A run in Prometheus' text format, for node_exporter's textfile collector. Labels are bounded: command, outcome and
/// stage.
package enum MetricsText {
    /// - Parameters:
    ///   - endedAt: the wall clock at the run's end.
    ///   - lastSuccess: when a run of this command last ended well, from the run state or `lastSuccess(of:in:)`; this
    ///     run's own end counts by itself.
    package static func text(_ summary: Summary, endedAt: Int64, lastSuccess: Int64?) -> String {
        let label = "command=\"\(escaped(summary.command))\""
        let counts = summary.counts
        var text = ""
        func add(_ name: String, _ help: String, _ values: [(labels: String, value: String)]) {
            text += "# HELP mediasync_\(name) \(help)\n# TYPE mediasync_\(name) gauge\n"
            for value in values { text += "mediasync_\(name){\(value.labels)} \(value.value)\n" }
        }
        add("last_run_timestamp_seconds", "When the last run ended.", [(label, "\(endedAt)")])
        if let success = summary.status == .done ? endedAt : lastSuccess {
            add("last_success_timestamp_seconds", "When a run last ended with exit status 0.", [(label, "\(success)")])
        }
        add("exit_status", "Exit status of the last run.", [(label, "\(summary.status.rawValue)")])
        add(
            "duration_seconds",
            "How long the last run took.",
            [(label, NumberText.oneDecimal(summary.elapsed.inSeconds))]
        )
        add(
            "items",
            "Entries of the last run by outcome.",
            counts.outcomes.map { ("\(label),outcome=\"\($0.name)\"", "\($0.count)") }
        )
        add(
            "bytes",
            "Bytes of the last run by what was done with them.",
            [
                ("\(label),what=\"written\"", "\(counts.bytesWritten)"),
                ("\(label),what=\"compared\"", "\(counts.bytesCompared)"),
                ("\(label),what=\"deleted\"", "\(counts.bytesDeleted)"),
            ]
        )
        if !summary.stages.isEmpty {
            add(
                "stage_seconds",
                "How long each stage of the last run took.",
                summary.stages.map {
                    ("\(label),stage=\"\(escaped($0.stage))\"", NumberText.oneDecimal($0.elapsed.inSeconds))
                }
            )
        }
        for figure in summary.figures {
            add("\(summary.command)_\(figure.name)", figure.help, [(label, "\(figure.value)")])
        }
        return text
    }

    /// The lines of an older file with one more: a run of the command is at work since a moment. So that a run that dies
    /// shows as one that does not end.
    package static func begun(_ command: String, at startedAt: Int64, before: String?) -> String {
        let name = "mediasync_run_started_timestamp_seconds"
        let kept = (before ?? "").split(separator: "\n").filter { !$0.contains(name) }
        let line = "\(name){command=\"\(escaped(command))\"} \(startedAt)"
        let help = ["# HELP \(name) When the run that is at work began; absent while none is.", "# TYPE \(name) gauge"]
        return (kept.map(String.init) + help + [line]).joined(separator: "\n") + "\n"
    }

    /// The success that an older file of the same command tells of.
    package static func lastSuccess(of command: String, in text: String) -> Int64? {
        let prefix = "mediasync_last_success_timestamp_seconds{command=\"\(escaped(command))\"} "
        return text.split(separator: "\n").first { $0.hasPrefix(prefix) }.flatMap { Int64($0.dropFirst(prefix.count)) }
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
