/// How much there is of one kind of media in one place: as rows say, and as the disk says.
package struct MediaUsage: Sendable, Equatable {
    /// `attachment`, `avatar`; empty for files that are no media.
    package var kind: String
    package var title: String
    /// Below `cache/`: what came from other servers. Media of other servers from before Mastodon 3.2 lie elsewhere.
    package var isCached: Bool
    package var rows = 0
    /// Of the originals.
    package var bytesInRows: Int64 = 0
    package var files = 0
    package var bytesOfOriginals: Int64 = 0
    /// Of the other variants, which rows say nothing of.
    package var bytesOfOthers: Int64 = 0

    package init(kind: String, title: String, isCached: Bool) {
        self.kind = kind
        self.title = title
        self.isCached = isCached
    }

    /// What the disk has more of originals than rows say; negative where it has less.
    package var difference: Int64 { bytesOfOriginals - bytesInRows }
}
