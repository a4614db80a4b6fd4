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

    /// What lies in each folder: a pair of names that nothing else has.
    private static let attachments: [(folder: [UInt8], inside: [[UInt8]])] = [
        ("accounts", ["avatars", "headers"]), ("media_attachments", ["files", "thumbnails"]),
        ("preview_cards", ["images"]), ("custom_emojis", ["images"]), ("site_uploads", ["files"]),
        ("backups", ["dumps"]), ("imports", ["data"]),
        ("cache", ["accounts", "media_attachments", "preview_cards", "custom_emojis"]),
    ].map { (Array($0.0.utf8), $0.1.map { Array($0.utf8) }) }

    /// How many names of a path stand above the media tree: 2 for `public/system/accounts/avatars/...`. Nil where the
    /// path does not lead into one.
    package static func level(of path: BytePath) -> Int? {
        let names = path.components
        return names.indices.dropLast().first { index in
            attachments.contains { known in
                names[index].elementsEqual(known.folder)
                    && known.inside.contains { names[index + 1].elementsEqual($0) }
            }
        }
    }
}
