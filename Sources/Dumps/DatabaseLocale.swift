internal import MediaModel

/// By which rules a database sorts and folds text.
package struct DatabaseLocale: Sendable, Hashable {
    package enum Provider: String, Sendable {
        case libc, icu, builtin
    }

    package var provider: Provider
    /// libc's, which every database has.
    package var collate: String
    package var ctype: String
    /// The one that counts where libc's does not.
    package var name: String?

    package init(provider: Provider = .libc, collate: String, ctype: String, name: String? = nil) {
        self.provider = provider
        self.collate = collate
        self.ctype = ctype
        self.name = name
    }

    /// Whether both sort and fold text by the same rules, as far as their names tell.
    package func isSame(as other: DatabaseLocale) -> Bool {
        guard provider == other.provider else { return false }
        if provider != .libc, let name, let otherName = other.name {
            return Self.normal(name) == Self.normal(otherName)
        }
        return Self.normal(collate) == Self.normal(other.collate) && Self.normal(ctype) == Self.normal(other.ctype)
    }

    /// `en_US.UTF-8` and `en_US.utf8` are one, and so are C and POSIX.
    private static func normal(_ name: String) -> String {
        let parts = name.split(separator: ".", maxSplits: 1)
        guard let language = parts.first, language != "POSIX" else { return "C" }
        guard parts.count == 2 else { return String(language) }
        return "\(language).\(parts[1].lowercased().replacing("-", with: ""))"
    }

    /// Whether a name from a dump may be named to a server: no path, nothing that could be more than a name.
    static func isPlain(_ name: String) -> Bool {
        let others = Array(" _.-@=;:,+".utf8)
        return !name.isEmpty && name.utf8.count <= 128 && !name.contains("..")
            && name.utf8.allSatisfy { SQLByte.isDigit($0) || ($0 | 0x20) &- 0x61 < 26 || others.contains($0) }
    }
}

extension DatabaseLocale: CustomStringConvertible {
    /// `en_US.UTF-8 (libc)`, `de-AT (icu)`, `C, characters of en_US.UTF-8 (libc)`; escaped.
    package var description: String {
        func shown(_ text: String) -> String { BytePath.escaped(Array(text.utf8)) }
        if provider != .libc, let name { return "\(shown(name)) (\(provider.rawValue))" }
        let folding = collate == ctype ? "" : ", characters of \(shown(ctype))"
        return "\(shown(collate))\(folding) (\(provider.rawValue))"
    }
}
