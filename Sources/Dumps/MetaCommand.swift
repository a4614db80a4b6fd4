/// The commands for psql that dumps contain.
enum MetaCommand: Equatable {
    case restrict(String)
    case unrestrict(String)
    /// With the database's name.
    case connect(String)

    /// Nil for every other command, and for these with anything unusual about them.
    /// - Parameter text: from the backslash to the end of the line.
    init?(_ text: [UInt8]) {
        guard let line = String(validating: text, as: UTF8.self), line.utf8.count < 4096 else { return nil }
        let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let argument = String(parts[1])
        switch parts[0] {
        case "\\restrict":
            guard Self.isKey(argument) else { return nil }
            self = .restrict(argument)
        case "\\unrestrict":
            guard Self.isKey(argument) else { return nil }
            self = .unrestrict(argument)
        case "\\connect":
            guard let name = Self.database(argument) else { return nil }
            self = .connect(name)
        default: return nil
        }
    }

    private static func isKey(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { SQLByte.isDigit($0) || ($0 | 0x20) &- 0x61 < 26 }
    }

    /// `name`, `"Name"`, or `-reuse-previous=on "dbname='any name'"`.
    private static func database(_ argument: String) -> String? {
        let prefix = "-reuse-previous=on \"dbname='"
        if argument.hasPrefix(prefix) {
            guard argument.hasSuffix("'\""), argument.utf8.count >= prefix.utf8.count + 3 else { return nil }
            return connectionValue(argument.dropFirst(prefix.count).dropLast(2))
        }
        if argument.hasPrefix("\"") {
            guard argument.count > 2, argument.hasSuffix("\"") else { return nil }
            let inner = argument.dropFirst().dropLast()
            return inner.contains("\"") || inner.contains("\\") ? nil : String(inner)
        }
        let isPlain = argument.utf8.allSatisfy {
            SQLByte.beginsName($0) || SQLByte.isDigit($0) || $0 == UInt8(ascii: ".")
        }
        return isPlain && !argument.isEmpty ? argument : nil
    }

    /// A value of a connection string: backslashes escape; quotes of the command line are doubled.
    private static func connectionValue(_ text: Substring) -> String? {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            switch character {
            case "\\":
                guard let next = rest.popFirst(), next == "\\" || next == "'" else { return nil }
                result.append(next)
            case "\"":
                guard rest.popFirst() == "\"" else { return nil }
                result.append("\"")
            case "'": return nil
            default: result.append(character)
            }
        }
        return result.isEmpty ? nil : result
    }
}
