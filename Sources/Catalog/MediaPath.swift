package import MediaModel

/// The path of one file, taken apart: `[cache/]class/attachment/id folders/style/name`.
package struct MediaPath: Sendable, Hashable {
    package var isCached: Bool
    package var kind: MediaKind
    package var id: Int64
    /// The variant's folder.
    package var style: String
    package var name: BytePath

    package init(isCached: Bool, kind: MediaKind, id: Int64, style: String, name: BytePath) {
        self.isCached = isCached
        self.kind = kind
        self.id = id
        self.style = style
        self.name = name
    }

    /// Reads a path below the root; nil where it is not exactly of Mastodon's form. Folders called `cache` count at the
    /// beginning only, and only where the kind can be cached.
    package init?(_ path: BytePath) {
        var parts = path.components[...]
        guard parts.count == path.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).count
        else { return nil }
        isCached = parts.first?.elementsEqual(MediaLayout.cacheFolder.bytes) == true
        if isCached { parts.removeFirst() }
        guard parts.count == 7 || parts.count == 10 else { return nil }
        let start = parts.startIndex
        let found = MediaKind(classFolder: parts[start], attachmentFolder: parts[start + 1])
        guard let found, !isCached || found.canBeCached else { return nil }
        guard let number = IDPartition.id(of: parts[(start + 2)..<(parts.endIndex - 2)]) else { return nil }
        guard let style = String(validating: parts[parts.endIndex - 2], as: UTF8.self) else { return nil }
        kind = found
        id = number
        self.style = style
        name = BytePath(bytes: Array(parts[parts.endIndex - 1]))
    }

    /// The path below the root; nil where the id can have no files.
    package var path: BytePath? {
        var bytes: [UInt8] = []
        // The longest folders have some sixty bytes.
        bytes.reserveCapacity(96 + name.bytes.count)
        return append(to: &bytes) ? BytePath(bytes: bytes) : nil
    }

    /// Puts the path behind what is there; false where the id can have no files.
    package func append(to bytes: inout [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        bytes += Self.head(of: kind, isCached: isCached)
        guard IDPartition.append(id, to: &bytes) else { return false }
        bytes.append(slash)
        bytes += style.utf8
        bytes.append(slash)
        bytes += name.bytes
        return true
    }

    /// What stands before an id's folders, with a slash at the end.
    static func head(of kind: MediaKind, isCached: Bool) -> [UInt8] {
        let folders = Array("\(kind.classFolder)/\(kind.attachmentFolder)/".utf8)
        return isCached ? MediaLayout.cacheFolder.bytes + [UInt8(ascii: "/")] + folders : folders
    }
}
