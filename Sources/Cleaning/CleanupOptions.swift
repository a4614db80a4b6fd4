package import Catalog

/// What `cleanup` removes, and how much of it at most.
package struct CleanupOptions: Sendable {
    /// What loses its files: preview cards, attachments (with their thumbnails), avatars, headers.
    package var kinds: Set<MediaKind> = [.card, .attachment]
    /// Media older than this go.
    package var days: Double
    /// What the days are counted from: seconds since 1970; nil for the database's clock.
    package var moment: Int64?
    /// Only rows whose file is not there: they lose a name that leads nowhere, and nothing that is stored goes.
    package var missingOnly = false
    package var linksOnly = false
    package var keepsInteracted = false
    package var includesFollows = false
    package var limit = Limit.percent(50)
    package var dryRun = false
    package var reportsEveryItem = false
    /// Threads that remove files.
    package var jobs: Int?

    package init(days: Double) {
        self.days = days
    }

    /// How much may go: more is refused before anything is changed.
    package enum Limit: Sendable, Equatable {
        case count(Int)
        /// Of the remote media of these kinds that are stored.
        case percent(Double)

        func allows(_ taken: Int, of stored: Int) -> Bool {
            switch self {
            case .count(let most): taken <= most
            case .percent(let share): Double(taken) <= Double(stored) * share / 100
            }
        }
    }
}
