/// An installed timer.
package struct TimerLine: Sendable, Equatable {
    package var name: String
    /// As systemd is told them.
    package var times: [String]
    /// `2026-11-25T00:00:00Z`; nil where it does not come again, or nobody can tell.
    package var next: String?

    package init(name: String, times: [String], next: String?) {
        self.name = name
        self.times = times
        self.next = next
    }
}
