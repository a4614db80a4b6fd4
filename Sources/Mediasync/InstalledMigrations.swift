import Foundation
import MediaModel

/// The migrations that an installed Mastodon brings along: the names of its files begin with their versions.
enum InstalledMigrations {
    /// - Parameter root: Mastodon's own directory, e.g. `/home/mastodon/live`.
    static func read(below root: String) throws(SyncError) -> Set<String> {
        var versions: Set<String> = []
        for directory in ["db/migrate", "db/post_migrate"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(directory)")) ?? []
            for name in names where name.hasSuffix(".rb") {
                let version = name.prefix { $0.isASCII && $0.isNumber }
                if version.count == 14 { versions.insert(String(version)) }
            }
        }
        guard !versions.isEmpty else {
            throw SyncError(
                .configuration,
                "\(BytePath(root)) is not Mastodon's directory",
                why: "there are no migrations below db/migrate",
                hint: "name the directory that holds Gemfile and db, e.g. /home/mastodon/live"
            )
        }
        return versions
    }
}
