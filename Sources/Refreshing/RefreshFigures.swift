internal import MediaModel
internal import Pacing
internal import Synchronization

/// What the live lines show beside the counts: a snapshot that the dispatcher leaves now and then.
final class RefreshFigures: Sendable {
    private struct State {
        var pace = PaceFigures()
        var slowest: String?
        var countdown = 0
    }

    /// Looks between two snapshots: a look at every host costs.
    private static let interval = 64

    private let state = Mutex(State())

    func set(_ schedule: HostSchedule<RefreshItem>, hosts: HostTable) {
        let isDue = state.withLock { state in
            state.countdown -= 1
            if state.countdown > 0 { return false }
            state.countdown = Self.interval
            return true
        }
        guard isDue else { return }
        let pace = schedule.figures()
        let slowest = schedule.longest(1).first.map {
            "\(BytePath(hosts.name(of: $0.host))) \($0.waiting) left, \($0.remaining.components.seconds) s"
        }
        state.withLock { state in
            state.pace = pace
            state.slowest = slowest
        }
    }

    /// Fields of a live line; none before the first fetch.
    var fields: [String] {
        let (pace, slowest) = state.withLock { ($0.pace, $0.slowest) }
        guard pace.hosts > 0 else { return [] }
        var fields = ["\(pace.hostsAtWork) hosts", "\(pace.inFlight) under way"]
        if pace.delayed > 0 { fields.append("\(pace.delayed) to be tried again") }
        if pace.breakersOpen > 0 { fields.append("\(pace.breakersOpen) hosts do not answer") }
        if let slowest { fields.append("longest: \(slowest)") }
        return fields
    }
}
