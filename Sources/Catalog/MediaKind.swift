/// What a file in the store belongs to: one attachment of one of Mastodon's classes.
package enum MediaKind: String, Sendable, CaseIterable {
    /// A post's attachment.
    case attachment
    /// The picture of an attachment that is a sound or a video.
    case thumbnail
    case avatar
    case header
    /// The picture of a link's preview.
    case card
    case emoji
    /// Pictures of the server's own pages and settings.
    case upload
    /// A user's archive of everything.
    case backup

    /// The first folder below the root (or below `cache/`).
    package var classFolder: String {
        switch self {
        case .attachment, .thumbnail: "media_attachments"
        case .avatar, .header: "accounts"
        case .card: "preview_cards"
        case .emoji: "custom_emojis"
        case .upload: "site_uploads"
        case .backup: "backups"
        }
    }

    /// The folder below it.
    package var attachmentFolder: String {
        switch self {
        case .attachment, .upload: "files"
        case .thumbnail: "thumbnails"
        case .avatar: "avatars"
        case .header: "headers"
        case .card, .emoji: "images"
        case .backup: "dumps"
        }
    }

    /// Whether files of this kind can lie below `cache/`: what can come from other servers.
    package var canBeCached: Bool { self != .upload && self != .backup }

    /// The kind's name for people, plural.
    package var title: String {
        switch self {
        case .attachment: "attachments"
        case .thumbnail: "thumbnails"
        case .avatar: "avatars"
        case .header: "headers"
        case .card: "preview cards"
        case .emoji: "custom emoji"
        case .upload: "site uploads"
        case .backup: "backups"
        }
    }

    /// The kind whose files lie in these two folders.
    package init?(classFolder: some Collection<UInt8>, attachmentFolder: some Collection<UInt8>) {
        let found = Self.allCases.first {
            $0.classFolder.utf8.elementsEqual(classFolder) && $0.attachmentFolder.utf8.elementsEqual(attachmentFolder)
        }
        guard let found else { return nil }
        self = found
    }
}
