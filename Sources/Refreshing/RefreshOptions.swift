package import Catalog
package import Imaging
package import MediaModel
package import Pacing

/// What a refresh fetches, and how hard it tries.
package struct RefreshOptions: Sendable {
    /// Which rows; the interval is filled in when the run begins, by the database's clock.
    package var scope: RemoteScope
    package var interval: Interval
    /// Fetch what is present, too. The old file stays until the new one is in place.
    package var force = false
    /// Fetch these although they are present: what is there was found damaged.
    package var damaged: Set<MediaReference> = []
    /// Only what failed when it was last tried.
    package var failedOnly = false
    package var dryRun = false
    package var reportsEveryItem = false
    /// How politely hosts are asked, and how many transfers are under way.
    package var pace = PaceOptions()
    /// How often an item is tried in one run.
    package var triesMax = 3
    /// A clean stop after so long; the next run goes on.
    package var durationMax: Duration?
    /// Ask the accounts' own servers for new addresses of avatars and headers that are not at the old ones.
    package var looksUpActors = true
    /// The domain of this server's pages, where other servers find its key; nil asks unsigned.
    package var webDomain: String?
    /// Nil for those of the database's own release.
    package var rules: ProcessingRules?
    /// Whether a release that can do both uses libvips; nil for its default.
    package var usesVips: Bool?
    /// What a fork that has such settings was set to; no other one goes by them.
    package var forkLimits = ProcessingRules.ForkLimits()

    package init(scope: RemoteScope, interval: Interval) {
        self.scope = scope
        self.interval = interval
    }

    /// Media that came here in this time, by their numbers.
    package enum Interval: Sendable, Equatable {
        case all
        /// The last days, counted from the database's clock.
        case days(Double)
        /// Seconds since 1970; nil for open.
        case between(since: Int64?, before: Int64?)
        /// Since so many days before the dump that the database was restored from; before the newest post where nothing says
        /// when that was made.
        case daysBeforeDump(Double)
    }

    /// For how long nobody is asked again for what is gone.
    static let goneSeconds: Int64 = 7 * 86_400
}
