package import MediaModel

/// What `mediasync status` prints, from plain values: text for people, and one JSON object a line.
package enum StatusPrinter {
    /// One run in full.
    /// - Parameters:
    ///   - samples: for the rates of a run that has not ended.
    ///   - now: seconds since 1970, for the same.
    package static func text(_ run: RunRecord, samples: [RunSample] = [], now: Int64) -> String {
        let elapsed = duration(of: run, now: now)
        var lines = ["\(run.command) \(verb(run.state)) \(NumberText.clock(seconds: elapsed)) (run \(run.id))"]
        if let source = run.source, let target = run.target { lines.append("  \(shown(source)) -> \(shown(target))") }
        lines.append("  started   \(time(run.startedAt)) UTC" + (run.endedAt.map { "   ended \(time($0)) UTC" } ?? ""))
        if run.stages.count > 1 {
            let stages = run.stages.map { stage in
                "\(stage.name) \(NumberText.clock(seconds: Int((stage.endedAt ?? end(of: run, now: now)) - stage.startedAt)))"
            }
            lines.append("  stages    \(stages.joined(separator: "   "))")
        }
        lines += SummaryText.body(run.counts, elapsed: .seconds(elapsed))
        if run.state == .running, let now = progressLine(run, samples, now: now) { lines.append(now) }
        if run.state == .died {
            lines.append(
                "Its process \(run.pid) is gone.  Run the same command again to go on; what is done is not done twice."
            )
        } else if let exit = run.exitStatus, exit != 0 {
            lines.append("Exit \(exit).")
        }
        let failures = run.failuresKept + run.failuresDropped
        if failures > 0 {
            lines.append(
                "\(NumberText.count(failures, "failure", "failures")).  List: mediasync status --errors --run \(run.id)"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// `  now       41.2%   17.9/s   12.0 MiB/s   about 1:33 left`; nil where nothing of it is known.
    private static func progressLine(_ run: RunRecord, _ samples: [RunSample], now: Int64) -> String? {
        var fields: [String] = []
        if let share = run.share { fields.append("\(NumberText.oneDecimal(share * 100))%") }
        // The last ten seconds and a bit: what is a moment's doing says nothing.
        if let last = samples.last, let before = samples.last(where: { last.at - $0.at >= 10 }) ?? samples.first,
            last.at > before.at
        {
            let seconds = Double(last.at - before.at)
            fields.append("\(NumberText.oneDecimal(Double(last.items - before.items) / seconds))/s")
            fields.append("\(ByteCount.describe(Int64(Double(last.bytes - before.bytes) / seconds)))/s")
        }
        if let share = run.share, share > 0.005, share < 1, let stage = run.stages.last {
            let elapsed = Double(max(1, run.heardAt - stage.startedAt))
            let left = elapsed * (1 - share) / share - Double(now - run.heardAt)
            if left >= 0, left < 8_640_000 { fields.append("about \(NumberText.clock(seconds: Int(left))) left") }
        }
        return fields.isEmpty ? nil : "  now       " + fields.joined(separator: "   ")
    }

    /// Runs as a table, one a line.
    package static func list(_ runs: [RunRecord], now: Int64) -> String {
        guard !runs.isEmpty else { return "no runs yet\n" }
        var rows = [["RUN", "COMMAND", "STARTED (UTC)", "TIME", "STATE", "EXIT", "ENTRIES", "WRITTEN", "FAILED"]]
        rows += runs.map { run in
            [
                run.id.text, run.command, time(run.startedAt), NumberText.clock(seconds: duration(of: run, now: now)),
                run.state.rawValue, run.exitStatus.map { "\($0)" } ?? "-", NumberText.grouped(run.counts.finished),
                ByteCount.describe(run.counts.bytesWritten),
                NumberText.grouped(run.counts.failed + run.counts.deleteFailed),
            ]
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).enumerated().map { index, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                // Words to the left, numbers to the right.
                return index == 3 || index > 4 ? space + cell.0 : cell.0 + space
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// Failed entries, one a line.
    package static func errors(_ failures: [FailureRecord]) -> String {
        failures.map { failure in
            let name = failure.path.description
            let text = failure.why.map { "\(failure.what): \($0)" } ?? failure.what
            return (failure.what.contains(name) ? text : "\(name): \(text)") + "\n"
        }.joined()
    }

    /// The line behind the last page of failures; nil where all were kept.
    package static func droppedLine(_ run: RunRecord) -> String? {
        guard run.failuresDropped > 0 else { return nil }
        return "and \(NumberText.grouped(run.failuresDropped)) more, which were too many to keep\n"
    }

    private static func duration(of run: RunRecord, now: Int64) -> Int {
        Int(end(of: run, now: now) - run.startedAt)
    }

    /// When the run ended, was last heard of, or now while it runs.
    private static func end(of run: RunRecord, now: Int64) -> Int64 {
        run.endedAt ?? (run.state == .running ? now : run.heardAt)
    }

    private static func verb(_ state: RunRecord.State) -> String {
        switch state {
        case .running: "running for"
        case .finished: "finished in"
        case .failed: "failed after"
        case .interrupted: "stopped after"
        case .died: "died after about"
        }
    }

    /// A path as the user wrote it, escaped for the terminal.
    private static func shown(_ path: String) -> String { BytePath(path).description }

    /// `2026-11-23 02:30:01`.
    private static func time(_ seconds: Int64) -> String {
        UTCTime(secondsSince1970: seconds).iso8601.replacing("T", with: " ").replacing("Z", with: "")
    }
}
