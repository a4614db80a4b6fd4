internal import MediaModel

/// Names of an archive's entries, made harmless: relative, without `.`, `..` and empty names, of bounded length and depth.
enum ArchivePath {
    /// Why an entry's name is not taken; the text is for people.
    enum Refusal: String, Error {
        case absolute = "its name is absolute"
        case upwards = "its name leads upwards (..)"
        case tooLong = "its name is too long"
        case tooDeep = "it lies too deep"
    }

    /// What file systems take for one name, and system calls for a path.
    static let nameBytesMax = 255
    static let pathBytesMax = 4095
    /// Paperclip's deepest path has eleven.
    static let depthMax = 64

    /// The path as it is used; the root where it names nothing below.
    static func checked(_ path: BytePath) throws(Refusal) -> BytePath {
        let slash = UInt8(ascii: "/")
        let bytes = path.bytes
        if bytes.first == slash { throw .absolute }
        if bytes.count > pathBytesMax { throw .tooLong }
        if let count = plainCount(bytes) {
            return count == bytes.count ? path : BytePath(bytes: Array(bytes[..<count]))
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var depth = 0
        for name in bytes.split(separator: slash) {
            if name.count == 1, name.first == UInt8(ascii: ".") { continue }
            if name.elementsEqual([UInt8(ascii: "."), UInt8(ascii: ".")]) { throw .upwards }
            if name.count > nameBytesMax { throw .tooLong }
            depth += 1
            if depth > depthMax { throw .tooDeep }
            if !result.isEmpty { result.append(slash) }
            result += name
        }
        return BytePath(bytes: result)
    }

    /// How many bytes of a path are taken as they are, without a slash at the end: of nearly every one all. Nil where its
    /// names have to be looked at one by one.
    private static func plainCount(_ bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
            let count = bytes.last == slash ? bytes.count - 1 : bytes.count
            var (start, depth) = (0, 0)
            for end in 0...max(0, count) where end == count || bytes[end] == slash {
                let length = end - start
                if length == 0 || length > nameBytesMax || (bytes[start] == dot && length <= 2) { return nil }
                depth += 1
                start = end + 1
            }
            return depth <= depthMax ? count : nil
        }
    }

    /// Whether any name in a path is one of mediasync's own.
    static func isOwn(_ path: BytePath) -> Bool {
        // All of these begin with a dot, as hardly another name does.
        let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
        let mayBe = path.bytes.indices.contains { path.bytes[$0] == dot && ($0 == 0 || path.bytes[$0 - 1] == slash) }
        guard mayBe else { return false }
        return path.components.contains { name in name.withUnsafeBytes { TemporaryName.isOwn($0) } }
    }
}

/// Finds the level of an archive at which its media tree begins: `media/`, `home/mastodon/live/public/system/` or none.
/// The first path that leads into a media tree decides; it is the same for all.
struct ArchiveLevel {
    /// Where an entry stands.
    enum Place: Equatable {
        /// In the media tree, under this path.
        case inside(BytePath)
        /// A directory on the way to it.
        case above
        case outside
        /// Nothing has told yet where the tree begins.
        case unknown
    }

    /// The names above the tree with a slash behind; nil while it is not known.
    private(set) var prefix: [UInt8]?

    /// - Parameter path: checked.
    mutating func place(of path: BytePath) -> Place {
        if prefix == nil, let level = MediaLayout.level(of: path) {
            prefix = path.components.prefix(level).reduce(into: []) { $0 += $1 + [UInt8(ascii: "/")] }
        }
        guard let prefix else { return .unknown }
        if path.bytes.starts(with: prefix) {
            let rest = BytePath(bytes: Array(path.bytes.dropFirst(prefix.count)))
            return rest == .root ? .above : .inside(rest)
        }
        return path == .root || prefix.starts(with: path.bytes + [UInt8(ascii: "/")]) ? .above : .outside
    }
}
