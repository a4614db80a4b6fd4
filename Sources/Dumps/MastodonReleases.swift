/// Mastodon's releases and the migrations each of them has.
package enum MastodonReleases {
    struct Release {
        let name: String
        let newest: String
        /// Versions up to the newest one that this release has not: they came with a later one.
        let lacking: [String]
    }

    private static let versions: [String] = versionText.withUTF8Buffer { bytes in
        bytes.split { $0 == 0x20 || $0 == 0x0A }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The releases that are known, oldest first.
    package static var names: [String] { releases.map(\.name) }

    /// The migrations of a release, sorted; nil where it is not known. `4.5.3` has those of `4.5`.
    package static func migrations(of name: String) -> [String]? {
        let release =
            releases.first { $0.name == name }
            ?? releases.last { name.hasPrefix($0.name + ".") && !$0.name.contains("-") }
        return release.map(versions(of:))
    }

    private static func versions(of release: Release) -> [String] {
        versions.filter { $0 <= release.newest && !release.lacking.contains($0) }
    }

    /// Compares a set of migration versions with those of every known release, as sets: forks add versions between, and
    /// the newest version alone does not tell whether all before it are there.
    package static func match(_ found: Set<String>) -> ReleaseMatch {
        let known = Set(versions)
        let unknown = found.subtracting(known).sorted()
        var match = ReleaseMatch(
            relation: .unknown,
            release: nil,
            next: nil,
            newestVersion: found.max(),
            unknownVersions: unknown
        )
        let sets = releases.map { Set(versions(of: $0)) }
        guard let index = sets.lastIndex(where: { $0.isSubset(of: found) }) else { return match }
        match.release = releases[index].name
        match.next = index + 1 < releases.count ? releases[index + 1].name : nil
        let newestKnown = versions.last ?? ""
        if let newest = unknown.last, newest > newestKnown, index == releases.count - 1 {
            match.relation = .newer
        } else if !unknown.isEmpty {
            match.relation = .fork
        } else if found.count > sets[index].count {
            match.relation = .between
        } else {
            match.relation = .exact
        }
        return match
    }
}
