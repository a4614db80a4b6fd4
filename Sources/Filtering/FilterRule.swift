/// One include or exclude rule: a pattern and what part of a path it is held against.
struct FilterRule: Sendable {
    /// What a path is held against.
    private enum Pattern: Sendable {
        /// These bytes.
        case literal([UInt8])
        case wildcard(Glob)
        /// A malformed pattern: no path matches.
        case nothing
    }

    /// Which part of a path must match.
    private enum Part: Sendable {
        /// The last component.
        case name
        /// The path from the tree's root.
        case whole
        /// The last components, this many.
        case tail(components: Int)
        /// Everything behind some slash, or the whole path.
        case afterAnySlash
    }

    let isInclude: Bool
    private let directoriesOnly: Bool
    private let pattern: Pattern
    private let part: Part
    /// A leading `**/` also matches at the tree's root: a slash is put before the path.
    private let needsLeadingSlash: Bool
    /// A trailing `***` also matches the directory itself: a slash is put behind a directory's path.
    private let marksDirectories: Bool

    /// - Parameter text: the pattern without any prefix; not empty.
    init(_ text: some Collection<UInt8>, isInclude: Bool) {
        self.isInclude = isInclude
        var text = Array(text)
        directoriesOnly = text.count > 1 && text.last == UInt8(ascii: "/")
        if directoriesOnly { text.removeLast() }

        let slashes = text.count { $0 == UInt8(ascii: "/") }
        let isAnchored = text.first == UInt8(ascii: "/")
        let isWildcard = text.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "?") }
        let crosses = Self.containsDoubleStar(text)
        needsLeadingSlash = crosses && text.starts(with: Array("**".utf8))
        marksDirectories = crosses && text.suffix(3).elementsEqual("***".utf8)

        if isAnchored || needsLeadingSlash {
            part = .whole
        } else if crosses {
            part = .afterAnySlash
        } else if slashes > 0 {
            part = .tail(components: slashes + 1)
        } else {
            part = .name
        }
        let body = isAnchored ? Array(text.dropFirst()) : text
        if isWildcard {
            pattern = Glob(body).map(Pattern.wildcard) ?? .nothing
        } else {
            pattern = .literal(body)
        }
    }

    private static func containsDoubleStar(_ text: [UInt8]) -> Bool {
        zip(text, text.dropFirst()).contains { $0 == UInt8(ascii: "*") && $1 == UInt8(ascii: "*") }
    }

    /// Whether the rule speaks about this path.
    func matches(_ path: UnsafeBufferPointer<UInt8>, isDirectory: Bool) -> Bool {
        if directoriesOnly && !isDirectory { return false }
        let subject: UnsafeBufferPointer<UInt8>
        switch part {
        case .whole, .afterAnySlash: subject = path
        case .name: subject = Self.tail(of: path, components: 1) ?? path
        case .tail(let components):
            guard let tail = Self.tail(of: path, components: components) else { return false }
            subject = tail
        }
        switch pattern {
        case .nothing: return false
        case .literal(let bytes): return subject.elementsEqual(bytes)
        case .wildcard(let glob):
            let start: Glob.Start = if case .afterAnySlash = part { .afterAnySlash } else { .first }
            return glob.matches(
                subject,
                start: start,
                leadingSlash: needsLeadingSlash,
                trailingSlash: isDirectory && marksDirectories
            )
        }
    }

    /// The last components of a path; nil where it has fewer.
    private static func tail(
        of path: UnsafeBufferPointer<UInt8>,
        components: Int
    ) -> UnsafeBufferPointer<UInt8>? {
        var missing = components
        var index = path.count
        while index > 0 {
            if path[index - 1] == UInt8(ascii: "/") {
                missing -= 1
                if missing == 0 { return UnsafeBufferPointer(rebasing: path[index...]) }
            }
            index -= 1
        }
        return missing == 1 ? path : nil
    }
}
