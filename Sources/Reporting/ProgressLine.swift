internal import MediaModel

/// The live lines of a terminal, and the plain line of everything else: pure functions of the numbers.
package enum ProgressLine {
    /// Live lines are never more.
    static let maximumLines = 3

    /// One to three lines that fit the width. Without a known total there is no percentage and no time left.
    /// ```
    /// [4:12] copy  37.4%  304,118 / 812,440 entries  201,044 files  80.2 GiB  331.0 MiB/s  0 failed  ETA 6:58
    /// ```
    package static func live(
        _ sample: ProgressSample,
        elapsed: Duration,
        rates: RateMeter,
        stage: String,
        columns: Int
    ) -> [String] {
        let counts = sample.counts
        var fields = ["[\(NumberText.clock(seconds: Int(elapsed.inSeconds)))] \(stage)"]
        if let work = sample.work {
            fields += workFields(work, rates)
            return pack(fields, columns: columns)
        }
        if let total = sample.totalEntries, total > 0 {
            fields.append(NumberText.percent(min(1, Double(counts.finished) / Double(total))))
            fields.append(
                "\(NumberText.grouped(counts.finished)) / \(NumberText.grouped(max(total, counts.finished))) entries"
            )
        } else {
            fields.append(NumberText.count(counts.finished, "entry", "entries"))
        }
        // An engine with fields of its own has counted the same thing by another name.
        if sample.activity.isEmpty { fields.append(NumberText.count(counts.files, "file", "files")) }
        fields.append(ByteCount.describe(sample.bytesMoved))
        fields.append("\(ByteCount.describe(Int64(max(0, rates.bytesPerSecond))))/s")
        fields.append("\(NumberText.grouped(Int(max(0, rates.entriesPerSecond))))/s")
        if counts.gone > 0 { fields.append("\(NumberText.grouped(counts.gone)) gone") }
        if counts.deleted > 0 { fields.append("\(NumberText.grouped(counts.deleted)) deleted") }
        if counts.different > 0 { fields.append("\(NumberText.grouped(counts.different)) different") }
        fields.append("\(NumberText.grouped(counts.failed + counts.deleteFailed)) failed")
        if let left = rates.secondsLeft(sample) { fields.append("ETA \(NumberText.clock(seconds: left))") }
        fields += sample.activity
        return pack(fields, columns: columns)
    }

    /// `37.4%  1.2 GiB / 3.3 GiB  88.1 MiB/s  ETA 0:24`, `12 / 340 steps`.
    private static func workFields(_ work: WorkProgress, _ rates: RateMeter) -> [String] {
        var fields: [String] = []
        if work.total > 0 {
            fields.append(NumberText.percent(work.share ?? min(1, Double(work.done) / Double(work.total))))
        }
        switch work.unit {
        case .bytes:
            fields.append("\(ByteCount.describe(work.done)) / \(ByteCount.describe(work.total))")
            fields.append("\(ByteCount.describe(Int64(max(0, rates.workPerSecond))))/s")
        case .steps:
            fields.append("\(NumberText.grouped(Int(work.done))) / \(NumberText.grouped(Int(work.total))) steps")
        }
        if let left = rates.secondsLeft(work) { fields.append("ETA \(NumberText.clock(seconds: left))") }
        if let current = work.current { fields.append(current) }
        return fields
    }

    /// Puts fields on lines, two spaces apart; what does not fit on the last line is left out. The last column stays
    /// free: terminals differ in what they do there.
    private static func pack(_ fields: [String], columns: Int) -> [String] {
        let width = max(10, columns - 1)
        var lines: [String] = []
        for field in fields.map({ String($0.prefix(width - 2)) }) {
            if let last = lines.last, last.count + 2 + field.count <= width {
                lines[lines.count - 1] = "\(last)  \(field)"
            } else if lines.count < maximumLines {
                lines.append(lines.isEmpty ? field : "  \(field)")
            }
        }
        return lines
    }

    /// One `key=value` line, without its end:
    /// `2026-11-23T02:31:00Z notice copy stage=copy entries=1196 total=2902 ... eta_s=93`.
    package static func plain(
        _ sample: ProgressSample,
        at time: ReportTime,
        rates: RateMeter,
        command: String,
        stage: String
    ) -> String {
        let counts = sample.counts
        let words: [(String, String?)] = [
            ("stage", stage), ("elapsed_s", "\(Int(time.elapsed.inSeconds))"), ("entries", "\(counts.finished)"),
            ("total", sample.totalEntries.map { "\($0)" }), ("files", "\(counts.files)"),
            ("bytes", "\(sample.bytesMoved)"), ("total_bytes", sample.totalBytes.map { "\($0)" }),
            ("copied", "\(counts.copied)"), ("unchanged", "\(counts.unchanged)"), ("skipped", "\(counts.skippedTotal)"),
            ("fetched", counts.fetched > 0 ? "\(counts.fetched)" : nil),
            ("gone", counts.gone > 0 ? "\(counts.gone)" : nil),
            ("deleted", counts.deleted > 0 ? "\(counts.deleted)" : nil),
            ("different", counts.different > 0 ? "\(counts.different)" : nil),
            ("failed", "\(counts.failed + counts.deleteFailed)"),
            ("entries_per_s", "\(Int(max(0, rates.entriesPerSecond)))"),
            ("bytes_per_s", "\(Int64(max(0, rates.bytesPerSecond)))"),
            ("work", sample.work.map { "\($0.done)" }), ("work_total", sample.work.map { "\($0.total)" }),
            ("work_unit", sample.work?.unit.rawValue),
            ("work_percent", sample.work?.share.map { NumberText.oneDecimal($0 * 100) }),
            ("eta_s", rates.secondsLeft(sample).map { "\($0)" }),
        ]
        let head = "\(UTCTime(secondsSince1970: time.secondsSince1970).iso8601) notice \(command)"
        return words.reduce(head) { line, word in word.1.map { "\(line) \(word.0)=\($0)" } ?? line }
    }
}
