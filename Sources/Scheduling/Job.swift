/// What is run from time to time.
package enum Job: String, Sendable, CaseIterable {
    case repair, cleanup, verify

    /// `mediasync-repair`: what its units are called.
    package var unitName: String { "mediasync-\(rawValue)" }

    /// One line for people.
    var summary: String {
        switch self {
        case .repair: "fetch again what is missing of other servers' media"
        case .cleanup: "remove old media of other servers"
        case .verify: "compare the database with the media directory"
        }
    }
}

/// A job, what it is run with, and when.
package struct ScheduledJob: Sendable, Equatable {
    package var job: Job
    /// The program's arguments, the command first.
    package var arguments: [String]
    /// One or more calendar expressions: each of them is a time.
    package var times: [CalendarTime]

    package init(_ job: Job, arguments: [String], times: [CalendarTime]) {
        self.job = job
        self.arguments = arguments
        self.times = times
    }
}
