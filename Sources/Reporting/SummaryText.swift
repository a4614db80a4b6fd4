internal import MediaModel

/// The final report as a person reads it.
package enum SummaryText {
    /// The report on standard output. Lines that would only say zero are left out.
    package static func text(_ summary: Summary) -> String {
        let dry = summary.isDryRun ? " (dry run: nothing was changed)" : ""
        let clock = NumberText.clock(seconds: Int(summary.elapsed.inSeconds))
        var lines = ["\(summary.command) \(summary.verdict) in \(clock) (run \(summary.run))\(dry)"]
        lines += body(summary.counts, elapsed: summary.elapsed)
        if summary.stages.count > 1 {
            let times = times(summary.stages).map { "\($0.stage) \(NumberText.oneDecimal($0.elapsed.inSeconds)) s" }
            lines.append("  \(padded("time")) " + times.joined(separator: "   "))
        }
        if let closing = closing(summary) { lines.append(closing) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The stages of a run of several belong to the part before the slash: `restore/load`.
    private static func times(_ stages: [StageTime]) -> [StageTime] {
        guard stages.contains(where: { $0.stage.contains("/") }) else { return stages }
        var sums: [StageTime] = []
        for stage in stages {
            let part = String(stage.stage.prefix { $0 != "/" })
            if sums.last?.stage == part {
                sums[sums.count - 1].elapsed += stage.elapsed
            } else {
                sums.append(StageTime(stage: part, elapsed: stage.elapsed))
            }
        }
        return sums
    }

    /// The indented lines between the first and the last.
    static func body(_ counts: Counts, elapsed: Duration) -> [String] {
        var lines = [
            row(
                "entries",
                [
                    (counts.seen, "seen"), (counts.fetched, "fetched"), (counts.copied, "copied"),
                    (counts.created, "created"),
                    (counts.linked, "linked"),
                    (counts.updated, "updated"), (counts.unchanged, "unchanged"), (counts.skippedTotal, "skipped"),
                    (counts.different, "different"), (counts.gone, "gone"), (counts.superseded, "superseded"),
                    (counts.failed, "failed"),
                ],
                alwaysFirst: true
            )
        ]
        if counts.skippedTotal > 0 {
            lines.append(row("skipped", SkipReason.allCases.map { (counts.skipped[$0] ?? 0, $0.rawValue) }))
        }
        if counts.deleted + counts.deleteFailed > 0 {
            let freed = counts.bytesDeleted > 0 ? "   \(ByteCount.describe(counts.bytesDeleted))" : ""
            lines.append(
                row("target", [(counts.deleted, "deleted"), (counts.deleteFailed, "could not be deleted")]) + freed
            )
        }
        for (label, bytes) in [("written", counts.bytesWritten), ("compared", counts.bytesCompared)] where bytes > 0 {
            let rate = elapsed.inSeconds >= 0.1 ? Int64(Double(bytes) / elapsed.inSeconds) : nil
            lines.append(
                "  \(padded(label)) \(ByteCount.describe(bytes))"
                    + (rate.map { "   \(ByteCount.describe($0))/s" } ?? "")
            )
        }
        if counts.bytesMatched > 0 {
            lines.append("  \(padded("matched")) \(ByteCount.describe(counts.bytesMatched)) were there already")
        }
        if let speedup = speedup(counts) {
            lines.append("  \(padded("line")) \(ByteCount.describe(counts.bytesTransferred))   speedup \(speedup)")
        }
        return lines
    }

    /// Bytes of all files for each byte between the machines, as rsync counts it.
    private static func speedup(_ counts: Counts) -> String? {
        guard counts.bytesTransferred > 0 else { return nil }
        return NumberText.oneDecimal(Double(counts.bytesSeen) / Double(counts.bytesTransferred))
    }

    private static func row(_ label: String, _ fields: [(Int, String)], alwaysFirst: Bool = false) -> String {
        let shown = fields.enumerated().filter { $1.0 > 0 || (alwaysFirst && $0 == 0) }
        return "  \(padded(label)) " + shown.map { "\(NumberText.grouped($1.0)) \($1.1)" }.joined(separator: "   ")
    }

    private static func padded(_ label: String) -> String {
        label + String(repeating: " ", count: max(0, 9 - label.count))
    }

    /// What to do now; nil after a run without trouble.
    package static func closing(_ summary: Summary) -> String? {
        let exit = summary.status.rawValue
        let failed = summary.counts.failed + summary.counts.deleteFailed
        let again = "Run the same command again to go on; what is done is not done twice."
        switch summary.status {
        case .done:
            return nil
        case .differences:
            return "\(NumberText.count(summary.counts.different, "entry differs", "entries differ")), exit \(exit)."
        case .limitReached, .interrupted, .terminated:
            return "Stopped cleanly, exit \(exit).  \(again)"
        case .itemsFailed, .sourceChanged:
            let list = "List: mediasync status --errors --run \(summary.run)"
            let changed = summary.counts.sourceChanged
            let why = changed > 0 ? " (\(NumberText.grouped(changed)) changed or vanished while read)" : ""
            let retry = summary.command == "refresh" ? "  Try again: mediasync refresh --retry-failed" : ""
            return "\(NumberText.count(failed, "entry", "entries")) failed\(why), exit \(exit).  \(list)\(retry)"
        default:
            return failed > 0
                ? "\(NumberText.count(failed, "entry", "entries")) failed before the end, exit \(exit)."
                : "Exit \(exit)."
        }
    }

    /// The block of `--stats`: one number a line, zeros too, so that runs can be compared by eye or by `diff`.
    package static func stats(_ summary: Summary) -> String {
        let counts = summary.counts
        let seconds = summary.elapsed.inSeconds
        let rate = seconds > 0 ? Double(counts.finished) / seconds : 0
        var rows: [(String, String)] = [
            ("entries seen", NumberText.grouped(counts.seen)), ("  files", NumberText.grouped(counts.files)),
            ("  directories", NumberText.grouped(counts.directories)), ("  others", NumberText.grouped(counts.others)),
        ]
        rows += counts.outcomes.map { ($0.name.replacing("_", with: " "), NumberText.grouped($0.count)) }
        rows += SkipReason.allCases.compactMap { reason in
            counts.skipped[reason].map { ("  skipped, \(reason.rawValue)", NumberText.grouped($0)) }
        }
        rows += [
            ("source changed", NumberText.grouped(counts.sourceChanged)),
            ("bytes seen", NumberText.grouped(Int(counts.bytesSeen))),
            ("bytes written", NumberText.grouped(Int(counts.bytesWritten))),
            ("bytes compared", NumberText.grouped(Int(counts.bytesCompared))),
            ("bytes deleted", NumberText.grouped(Int(counts.bytesDeleted))),
        ]
        if counts.bytesMatched > 0 { rows.append(("bytes matched", NumberText.grouped(Int(counts.bytesMatched)))) }
        if let speedup = speedup(counts) {
            rows.append(("bytes between machines", NumberText.grouped(Int(counts.bytesTransferred))))
            rows.append(("speedup", speedup))
        }
        rows += [
            ("elapsed", "\(NumberText.oneDecimal(seconds)) s"), ("entries a second", NumberText.oneDecimal(rate)),
        ]
        let width = (rows.map(\.0.count).max() ?? 0) + 2
        let numbers = rows.map(\.1.count).max() ?? 0
        return rows.map { label, value in
            label + String(repeating: " ", count: width - label.count + numbers - value.count) + value + "\n"
        }.joined()
    }
}
