/// Takes another server's settings over: its secrets and its choices stay, what is this machine's does not move.
package struct SettingsTransfer: Sendable {
    /// The settings file to install. It holds secrets: never to be printed.
    package let text: [UInt8]
    /// Names whose value is this machine's, sorted.
    package let kept: [String]
    /// Names that the other server set and this machine has no value for, sorted: they are left out.
    package let leftOut: [String]

    /// What says where things are on one machine: the database and its password, Redis, the media.
    package static let ofThisMachine: [String] = [
        "DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS", "DB_SSLMODE", "PREPARED_STATEMENTS",
        "REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_DB", "REDIS_USER", "REDIS_PASSWORD", "PAPERCLIP_ROOT_PATH",
    ]

    /// - Parameters:
    ///   - exported: the text of the other server's settings; lines that are not replaced stay as they are, comments too.
    ///   - here: looks a setting of this machine up; nil where it has none.
    package init(exported: [UInt8], here: (String) -> String?) {
        var scanner = EnvironmentScanner(bytes: exported)
        // The scanner leaves a byte order mark out.
        let bytes = exported.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(exported.dropFirst(3)) : exported
        var result: [UInt8] = []
        var written: Set<String> = []
        var dropped: Set<String> = []
        var copied = 0
        while let line = scanner.next() {
            guard case .assignment(let name, _) = line, Self.ofThisMachine.contains(name) else { continue }
            result += bytes[copied..<scanner.lineStart]
            copied = scanner.index
            guard let value = here(name) else {
                dropped.insert(name)
                continue
            }
            // A later line would win: once is enough.
            if written.insert(name).inserted { result += Self.line(name, value) }
        }
        result += bytes[copied...]
        if let last = result.last, last != UInt8(ascii: "\n") { result.append(UInt8(ascii: "\n")) }
        for name in Self.ofThisMachine where !written.contains(name) {
            guard let value = here(name) else { continue }
            written.insert(name)
            result += Self.line(name, value)
        }
        text = result
        kept = written.sorted()
        leftOut = dropped.sorted()
    }

    private static func line(_ name: String, _ value: String) -> [UInt8] {
        Array("\(name)=\(quoted(value))\n".utf8)
    }

    /// Plain where nothing in it means anything, else in quotes.
    private static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_-.,:/@%+=".utf8.contains(byte)
            }
        }
        if isPlain { return value }
        if !value.contains("'") { return "'\(value)'" }
        let escaped = value.flatMap { "\\\"$".contains($0) ? "\\\($0)" : "\($0)" }
        return "\"\(String(escaped))\""
    }
}

extension SettingsTransfer: CustomStringConvertible {
    /// Without the text.
    package var description: String { "settings with \(kept.joined(separator: ", ")) of this machine" }
}
