package import MediaModel

/// What became of media by kind, why some failed, and which hosts were asked: a table for people, one object a line for
/// programs.
package enum RefreshTable {
    /// Reasons shown; the others are added up.
    private static let reasonsMax = 12
    /// Slow hosts shown; programs get all that are known.
    private static let slowestMax = 3

    /// Kinds of which nothing was seen are left out; nothing at all where that is all.
    package static func text(
        _ lines: [RefreshTallyLine],
        _ reasons: [(reason: String, count: Int)],
        _ hosts: RefreshHosts = RefreshHosts()
    ) -> String {
        let shown = lines.filter { $0.tally.seen > 0 }
        guard !shown.isEmpty else { return "" }
        let head = ["", "SEEN", "FETCHED", "SIZE", "PRESENT", "GONE", "SKIPPED", "CHANGED", "FAILED"]
        let rows = [head] + shown.map { cells($0) }
        let table = ColumnText.text(rows) + text(hosts)
        guard !reasons.isEmpty else { return table }
        var words = reasons.prefix(reasonsMax).map { "\($0.reason) \(NumberText.grouped($0.count))" }
        let rest = reasons.dropFirst(reasonsMax).reduce(0) { $0 + $1.count }
        if rest > 0 { words.append("other \(NumberText.grouped(rest))") }
        return table + "failed by reason: " + words.joined(separator: ", ") + "\n"
    }

    /// `hosts: 213, 6 asked for a pause, 2 did not answer; slowest media.example 8.2 s, other.example 3.1 s`.
    private static func text(_ hosts: RefreshHosts) -> String {
        guard hosts.asked > 0 else { return "" }
        var text = "hosts: \(NumberText.grouped(hosts.asked))"
        if hosts.throttled > 0 { text += ", \(NumberText.grouped(hosts.throttled)) asked for a pause" }
        if hosts.silent > 0 { text += ", \(NumberText.grouped(hosts.silent)) did not answer" }
        let slow = hosts.slowest.prefix(slowestMax).map { "\($0.name) \(NumberText.oneDecimal($0.seconds)) s" }
        return text + (slow.isEmpty ? "" : "; slowest " + slow.joined(separator: ", ")) + "\n"
    }

    private static func cells(_ line: RefreshTallyLine) -> [String] {
        let tally = line.tally
        return [line.title, NumberText.grouped(tally.seen), NumberText.grouped(tally.fetched)]
            + [ByteCount.describe(tally.bytes)]
            + [tally.present, tally.gone, tally.skipped, tally.superseded, tally.failed].map { NumberText.grouped($0) }
    }

    /// One object of the type `refreshed` a kind, one of the type `reason` for each reason, one of the type `hosts`.
    package static func json(
        _ lines: [RefreshTallyLine],
        _ reasons: [(reason: String, count: Int)],
        _ hosts: RefreshHosts = RefreshHosts()
    ) -> [UInt8] {
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
        guard hosts.asked > 0 else { return kinds + failures }
        var object = JSONObject()
        object.set("type", "hosts")
        object.set("asked", hosts.asked)
        object.set("throttled", hosts.throttled)
        object.set("silent", hosts.silent)
        let slowest = hosts.slowest.map { slow in
            var host = JSONObject()
            host.set("host", slow.name)
            host.set("average_s", seconds: slow.seconds)
            return host
        }
        object.set("slowest", slowest)
        return kinds + failures + object.line
    }
}
