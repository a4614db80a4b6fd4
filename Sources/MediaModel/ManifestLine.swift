/// One line of a manifest, in the format of `sha256sum` and `xxhsum`: digest, two spaces, path. A name with a backslash,
/// a newline or a carriage return is escaped, and the line then begins with a backslash.
package struct ManifestLine: Sendable, Equatable {
    package let digest: Digest
    /// Relative to the manifest's root.
    package let path: BytePath

    package init(digest: Digest, path: BytePath) {
        self.digest = digest
        self.path = path
    }

    /// The line with its end.
    package var bytes: [UInt8] {
        var escaped: [UInt8] = []
        var needsEscape = false
        for byte in path.bytes {
            switch byte {
            case UInt8(ascii: "\\"): escaped += Array(#"\\"#.utf8)
            case UInt8(ascii: "\n"): escaped += Array(#"\n"#.utf8)
            case UInt8(ascii: "\r"): escaped += Array(#"\r"#.utf8)
            default:
                escaped.append(byte)
                continue
            }
            needsEscape = true
        }
        return (needsEscape ? [UInt8(ascii: "\\")] : []) + Array(digest.hexadecimal.utf8) + Array("  ".utf8) + escaped
            + [UInt8(ascii: "\n")]
    }

    /// Reads a line without its end. The digest's length tells the algorithm. Text (`  `) and binary (` *`) marks are
    /// accepted, and the tagged form (`SHA256 (path) = digest`, `XXH128 (path) = digest`).
    package init?(_ line: ArraySlice<UInt8>) {
        var rest = line
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        if let tagged = Self.tagged(rest) {
            self = tagged
            return
        }
        let isEscaped = rest.first == UInt8(ascii: "\\")
        if isEscaped { rest.removeFirst() }
        guard let space = rest.firstIndex(of: UInt8(ascii: " ")), let digest = Self.digest(rest[..<space]) else {
            return nil
        }
        rest = rest[(space + 1)...]
        guard let mark = rest.first, mark == UInt8(ascii: " ") || mark == UInt8(ascii: "*") else { return nil }
        rest.removeFirst()
        guard let path = isEscaped ? Self.unescaped(rest) : Array(rest), !path.isEmpty else { return nil }
        self.digest = digest
        self.path = BytePath(bytes: path)
    }

    private static func digest(_ text: ArraySlice<UInt8>) -> Digest? {
        let algorithm = DigestAlgorithm.allCases.first { $0.byteCount * 2 == text.count }
        return algorithm.flatMap { Digest(algorithm: $0, hexadecimal: text) }
    }

    private static func tagged(_ line: ArraySlice<UInt8>) -> ManifestLine? {
        for tag in ["XXH128 (", "XXH3_128 (", "SHA256 (", "BLAKE2b ("] where line.starts(with: tag.utf8) {
            let body = line.dropFirst(tag.utf8.count)
            let separator = Array(") = ".utf8)
            guard let digestStart = body.lastIndex(of: UInt8(ascii: " ")), digestStart - body.startIndex >= 3 else {
                return nil
            }
            let name = body[..<(digestStart - 3)]
            guard body[(digestStart - 3)...digestStart].elementsEqual(separator),
                let digest = digest(body[(digestStart + 1)...]), !name.isEmpty
            else { return nil }
            return ManifestLine(digest: digest, path: BytePath(bytes: Array(name)))
        }
        return nil
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var isEscape = false
        for byte in bytes {
            if isEscape {
                switch byte {
                case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
                case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "r"): result.append(UInt8(ascii: "\r"))
                default: return nil
                }
                isEscape = false
            } else if byte == UInt8(ascii: "\\") {
                isEscape = true
            } else {
                result.append(byte)
            }
        }
        return isEscape ? nil : result
    }

    /// Whether the path stays below the root it is checked against: relative, no `..`, no NUL.
    package var staysBelowRoot: Bool {
        path.bytes.first != UInt8(ascii: "/") && !path.bytes.contains(0)
            && !path.components.contains { $0.elementsEqual("..".utf8) }
    }
}
