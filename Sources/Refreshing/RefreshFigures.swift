internal import MediaModel
internal import Pacing
internal import Synchronization

/// What the live lines show beside the counts, and what is said of hosts at the end: a snapshot that the dispatcher leaves
/// now and then.
final class RefreshFigures: Sendable {
    private struct State {
        var pace = PaceFigures()
        var slowest: [RefreshHosts.Slow] = []
        var silent: [String] = []
        var longest: String?
        var countdown = 0
    }

    /// Looks between two snapshots: a look at every host costs.
    private static let interval = 64
    /// Slow hosts that are named at the end.
    private static let slowestMax = 5
    /// Hosts that do not answer and are named in the report.
    private static let silentMax = 50

    private let state = Mutex(State())

    /// - Parameter isLast: the run ends; else most calls do nothing.
    func set(_ schedule: HostSchedule<RefreshItem>, hosts: HostTable, now: Int64, isLast: Bool = false) {
        let isDue = state.withLock { state in
            state.countdown -= 1
            if state.countdown > 0 && !isLast { return false }
            state.countdown = Self.interval
            return true
        }
        guard isDue else { return }
        let pace = schedule.figures(now: now)
        let slowest = schedule.slowest(Self.slowestMax).map {
            RefreshHosts.Slow(name: "\(BytePath(hosts.name(of: $0.host)))", seconds: $0.seconds)
        }
        let longest = schedule.longest(1).first.map {
            "most left: \(BytePath(hosts.name(of: $0.host))) \($0.waiting), \($0.remaining.components.seconds) s"
        }
        state.withLock { state in
            state.pace = pace
            state.slowest = slowest
            if isLast { state.silent = schedule.silent(Self.silentMax).map { "\(BytePath(hosts.name(of: $0)))" } }
            state.longest = longest
        }
    }

    /// Fields of a live line; none before the first fetch.
    var fields: [String] {
        let state = state.withLock { $0 }
        let pace = state.pace
        guard pace.asked + pace.hostsAtWork > 0 else { return [] }
        var hosts = pace.hostsAtWork == 1 ? "1 host" : "\(pace.hostsAtWork) hosts"
        if pace.paused > 0 { hosts += ", \(pace.paused) paused" }
        if pace.breakersOpen > 0 { hosts += ", \(pace.breakersOpen) silent" }
        var fields = [hosts, "\(pace.inFlight) under way"]
        if pace.delayed > 0 { fields.append("\(pace.delayed) to try again") }
        if let longest = state.longest { fields.append(longest) }
        if let slow = state.slowest.first { fields.append("slowest: \(slow.name) \(Self.oneDecimal(slow.seconds)) s") }
        return fields
    }

    /// What is said at the end.
    var hosts: RefreshHosts {
        let state = state.withLock { $0 }
        var hosts = RefreshHosts()
        hosts.asked = state.pace.asked
        hosts.throttled = state.pace.throttled
        hosts.silent = state.pace.silent
        hosts.slowest = state.slowest
        hosts.silentNames = state.silent
        return hosts
    }

    private static func oneDecimal(_ seconds: Double) -> String {
        let tenths = Int((min(max(seconds, 0), 1e9) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
