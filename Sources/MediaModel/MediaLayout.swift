/// What the root of a Mastodon media tree looks like: Paperclip's folders (`:class/:attachment/:id_partition/:style`) and
/// `cache/`, under which everything lies that can be fetched again from other servers.
package enum MediaLayout {
    /// The folders of which at least one is in every media root.
    package static let folders: [String] = [
        "media_attachments", "accounts", "cache", "custom_emojis", "site_uploads", "preview_cards", "backups",
        "imports",
    ]

    /// The folder of everything remote.
    package static let cacheFolder = BytePath("cache")

    /// Which half of a media tree takes part.
    package enum Half: String, Sendable, CaseIterable {
        /// Everything but `cache/`: uploads nobody else has.
        case local
        /// Only `cache/`: what can be fetched again.
        case remote
    }

    /// Where a directory stands relative to a media root.
    package enum Position: Sendable, Equatable {
        case root
        /// One level too high; the name of the folder that is the root.
        case above(BytePath)
        /// One level too low.
        case below
        case elsewhere
    }

    /// Judges a directory by its children's names, its own name, and its children's children.
    /// - Parameter grandchildren: the names below each child directory that is worth a look (`system`).
    package static func position(
        ownName: BytePath,
        children: Set<BytePath>,
        childrenOfSystem: Set<BytePath>?
    ) -> Position {
        if looksLikeRoot(children) { return .root }
        if let inner = childrenOfSystem, looksLikeRoot(inner) { return .above(BytePath("system")) }
        let inside: Set<BytePath> = ["files", "avatars", "headers", "images"].reduce(into: []) {
            $0.insert(BytePath($1))
        }
        if folders.contains(where: { BytePath($0) == ownName }), !children.isDisjoint(with: inside) { return .below }
        return .elsewhere
    }

    /// Two of Paperclip's folders, or one that nothing else is named after.
    package static func looksLikeRoot(_ children: Set<BytePath>) -> Bool {
        let known = folders.filter { children.contains(BytePath($0)) }
        return known.count >= 2 || known.contains("media_attachments")
    }
}
