/// Where a set of migrations stands among Mastodon's releases.
package struct ReleaseMatch: Sendable, Equatable {
    package enum Relation: String, Sendable {
        /// The set is a release's own.
        case exact
        /// Everything of `release` and part of what `next` adds: a build between two releases.
        case between
        /// Everything of `release` and versions that no release has: a fork.
        case fork
        /// Versions after all that are known: a newer Mastodon.
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

/// Mastodon's releases and the migrations each of them has.
package enum MastodonReleases {
    /// Compares a set of migration versions with those of every known release.
    package static func match(_ versions: Set<String>) -> ReleaseMatch {
        ReleaseMatch(
            relation: .unknown,
            release: nil,
            next: nil,
            newestVersion: versions.max(),
            unknownVersions: []
        )
    }
}
