package import MediaModel

/// What became of media by kind, and why some failed: a table for people, one object a line for programs.
package enum RefreshTable {
    /// Reasons shown; the others are added up.
    private static let reasonsMax = 12

    /// Kinds of which nothing was seen are left out; nothing at all where that is all.
    package static func text(_ lines: [RefreshTallyLine], _ reasons: [(reason: String, count: Int)]) -> String {
        let shown = lines.filter { $0.tally.seen > 0 }
        guard !shown.isEmpty else { return "" }
        let head = ["", "SEEN", "FETCHED", "SIZE", "PRESENT", "GONE", "SKIPPED", "CHANGED", "FAILED"]
        let rows = [head] + shown.map { cells($0) }
        let table = ColumnText.text(rows)
        guard !reasons.isEmpty else { return table }
        var words = reasons.prefix(reasonsMax).map { "\($0.reason) \(NumberText.grouped($0.count))" }
        let rest = reasons.dropFirst(reasonsMax).reduce(0) { $0 + $1.count }
        if rest > 0 { words.append("other \(NumberText.grouped(rest))") }
        return table + "failed by reason: " + words.joined(separator: ", ") + "\n"
    }

    private static func cells(_ line: RefreshTallyLine) -> [String] {
        let tally = line.tally
        return [line.title, NumberText.grouped(tally.seen), NumberText.grouped(tally.fetched)]
            + [ByteCount.describe(tally.bytes)]
            + [tally.present, tally.gone, tally.skipped, tally.superseded, tally.failed].map { NumberText.grouped($0) }
    }

    /// One object of the type `refreshed` a kind, and one of the type `reason` for each reason.
    package static func json(_ lines: [RefreshTallyLine], _ reasons: [(reason: String, count: Int)]) -> [UInt8] {
        let kinds = lines.flatMap { line in
            var object = JSONObject()
            object.set("type", "refreshed")
            object.set("kind", line.kind)
            object.set("seen", line.tally.seen)
            object.set("fetched", line.tally.fetched)
            object.set("bytes", line.tally.bytes)
            object.set("present", line.tally.present)
            object.set("gone", line.tally.gone)
            object.set("skipped", line.tally.skipped)
            object.set("superseded", line.tally.superseded)
            object.set("failed", line.tally.failed)
            return object.line
        }
        let failures = reasons.flatMap { reason in
            var object = JSONObject()
            object.set("type", "reason")
            object.set("reason", reason.reason)
            object.set("failed", reason.count)
            return object.line
        }
        return kinds + failures
    }
}
