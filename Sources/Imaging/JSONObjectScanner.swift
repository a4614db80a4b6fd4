/// Cuts the text of a JSON object into its members without changing a letter of their values. The text comes from a row:
/// what is not well formed, or nested too deeply, is no object.
struct JSONObjectScanner {
    private static let depthMax = 32
    private static let byteMax = 1 << 20

    private let bytes: [UInt8]
    private var index = 0

    private init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Keys and the texts of their values in their order; of a key that is there twice the last value, as Ruby has it.
    static func members(of text: String) -> [(key: String, value: String)]? {
        guard text.utf8.count <= byteMax else { return nil }
        var scanner = JSONObjectScanner(text)
        return scanner.object()
    }

    private mutating func object() -> [(key: String, value: String)]? {
        var members: [(key: String, value: String)] = []
        skipSpace()
        guard take("{") else { return nil }
        skipSpace()
        if take("}") { return atEnd(members) }
        while true {
            guard let key = span({ $0.string() }) else { return nil }
            skipSpace()
            guard take(":") else { return nil }
            skipSpace()
            guard let value = span({ $0.value(depth: 0) }) else { return nil }
            let name = String(key.dropFirst().dropLast())
            if let index = members.firstIndex(where: { $0.key == name }) {
                members[index].value = value
            } else {
                members.append((name, value))
            }
            skipSpace()
            if take("}") { return atEnd(members) }
            guard take(",") else { return nil }
            skipSpace()
        }
    }

    private mutating func atEnd(_ members: [(key: String, value: String)]) -> [(key: String, value: String)]? {
        skipSpace()
        return index == bytes.count ? members : nil
    }

    /// The text that a step passes over.
    private mutating func span(_ step: (inout JSONObjectScanner) -> Bool) -> String? {
        let start = index
        guard step(&self) else { return nil }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func value(depth: Int) -> Bool {
        guard depth < Self.depthMax, index < bytes.count else { return false }
        switch bytes[index] {
        case UInt8(ascii: "{"): return list(from: "{", to: "}", named: true, depth: depth)
        case UInt8(ascii: "["): return list(from: "[", to: "]", named: false, depth: depth)
        case UInt8(ascii: "\""): return string()
        default: return literal()
        }
    }

    private mutating func list(from open: Character, to close: Character, named: Bool, depth: Int) -> Bool {
        guard take(open) else { return false }
        skipSpace()
        if take(close) { return true }
        while true {
            if named {
                guard string() else { return false }
                skipSpace()
                guard take(":") else { return false }
                skipSpace()
            }
            guard value(depth: depth + 1) else { return false }
            skipSpace()
            if take(close) { return true }
            guard take(",") else { return false }
            skipSpace()
        }
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): index += 1
            case 0..<0x20: return false
            default: break
            }
        }
        return false
    }

    /// A number, true, false or null.
    private mutating func literal() -> Bool {
        let start = index
        while index < bytes.count, Self.isLiteral(bytes[index]) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        return ["true", "false", "null"].contains(text) || Double(text)?.isFinite == true
    }

    private static func isLiteral(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private mutating func take(_ character: Character) -> Bool {
        guard index < bytes.count, bytes[index] == character.asciiValue else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }
}
