/// Where a set of migrations stands among Mastodon's releases.
package struct ReleaseMatch: Sendable, Equatable {
    package enum Relation: String, Sendable {
        /// The set is a release's own.
        case exact
        /// Everything of `release` and part of what comes after: a build between two releases.
        case between
        /// Everything of `release` and versions that no release has, older than the newest known: a fork.
        case fork
        /// Everything that is known, and versions after it: a newer Mastodon.
        case newer
        /// Older than every release that is known, or no Mastodon.
        case unknown
    }

    package var relation: Relation
    /// The newest release of which everything is there: `4.5`.
    package var release: String?
    /// The release after it.
    package var next: String?
    /// The newest version in the set.
    package var newestVersion: String?
    /// Versions that no known release has, sorted.
    package var unknownVersions: [String]
}
