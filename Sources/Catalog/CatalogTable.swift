/// The tables whose rows have files, and how their columns are called.
package enum CatalogTable: String, Sendable, CaseIterable {
    case mediaAttachments = "media_attachments"
    case accounts
    case previewCards = "preview_cards"
    case customEmojis = "custom_emojis"
    case siteUploads = "site_uploads"
    case backups

    /// One attachment of the table's rows: its columns begin with the prefix.
    struct Attachment: Sendable {
        let kind: MediaKind
        let prefix: String
        /// `PREFIX_storage_schema_version` is there: never, since this table exists, or only from some version on.
        let hasVersion: HasVersion

        enum HasVersion: Sendable { case never, always, sometimes }

        init(_ kind: MediaKind, _ prefix: String, version: HasVersion = .always) {
            self.kind = kind
            self.prefix = prefix
            hasVersion = version
        }

        var fileName: String { "\(prefix)_file_name" }
        var contentType: String { "\(prefix)_content_type" }
        var fileSize: String { "\(prefix)_file_size" }
        var updatedAt: String { "\(prefix)_updated_at" }
        var storageVersion: String { "\(prefix)_storage_schema_version" }
        /// Where its file came from; nil for kinds of which nobody wrote that down.
        var remoteURL: String? {
            switch kind {
            case .attachment: "remote_url"
            case .thumbnail, .avatar, .header: "\(prefix)_remote_url"
            case .emoji: "image_remote_url"
            case .card, .upload, .backup: nil
            }
        }
    }

    /// The table of a kind.
    package init(of kind: MediaKind) {
        switch kind {
        case .attachment, .thumbnail: self = .mediaAttachments
        case .avatar, .header: self = .accounts
        case .card: self = .previewCards
        case .emoji: self = .customEmojis
        case .upload: self = .siteUploads
        case .backup: self = .backups
        }
    }

    /// What its rows can have files of.
    package var kinds: [MediaKind] { attachments.map(\.kind) }

    var attachments: [Attachment] {
        switch self {
        case .mediaAttachments:
            [Attachment(.attachment, "file"), Attachment(.thumbnail, "thumbnail", version: .sometimes)]
        case .accounts: [Attachment(.avatar, "avatar"), Attachment(.header, "header")]
        case .previewCards: [Attachment(.card, "image")]
        case .customEmojis: [Attachment(.emoji, "image")]
        case .siteUploads: [Attachment(.upload, "file", version: .never)]
        case .backups: [Attachment(.backup, "dump", version: .never)]
        }
    }

    /// SQL: whether a row is another server's. A URL of blanks is none to Mastodon; that is asked only where the first byte is
    /// no printed character (all blanks are below `!`), because it takes as long as the rest of a row.
    var isRemote: String {
        switch self {
        case .mediaAttachments: "remote_url ~>=~ '!' OR pg_catalog.btrim(remote_url, E' \\t\\n\\r\\f\\x0b') <> ''"
        case .accounts, .customEmojis: "domain IS NOT NULL"
        case .previewCards: "true"
        case .siteUploads, .backups: "false"
        }
    }

    /// Columns that must be there, apart from those of the attachments.
    var ownColumns: [String] {
        switch self {
        case .mediaAttachments:
            [
                "id", "account_id", "status_id", "scheduled_status_id", "file_meta", "type", "blurhash", "created_at",
                "updated_at",
            ]
        case .accounts: ["id", "username", "domain", "uri", "url", "last_webfingered_at", "updated_at"]
        case .previewCards: ["id", "url", "type", "updated_at"]
        case .customEmojis: ["id", "shortcode", "domain", "updated_at"]
        case .siteUploads: ["id", "var"]
        case .backups: ["id", "user_id"]
        }
    }

    /// Every column that must be there.
    var neededColumns: [String] {
        ownColumns
            + attachments.flatMap { attachment in
                let all = [attachment.fileName, attachment.contentType, attachment.fileSize, attachment.updatedAt]
                return all + (attachment.hasVersion == .always ? [attachment.storageVersion] : [])
                    + (attachment.remoteURL.map { [$0] } ?? [])
            }
    }
}
