/// Keys of Mastodon's cache that go stale when rows are changed beside it. Without the namespace.
package enum CacheKey {
    /// What is rendered of a status: media, avatars, card.
    package static func status(_ id: Int64) -> [String] {
        ["fan-out/\(id)", "v3:statuses/\(id)"]
    }

    /// A custom emoji's row, kept for a week.
    /// - Parameter domain: nil for a local one.
    package static func emoji(_ shortcode: String, domain: String?) -> [String] {
        let name = shortcode.lowercased()
        return [domain.map { "emoji:\(name):\($0.lowercased())" } ?? "emoji:\(name)"]
    }

    /// A picture of the instance itself.
    package static func siteUpload(_ name: String) -> [String] { ["site_uploads/\(name)"] }
}
