internal import MediaModel

/// One JSON object on one line, written as it is filled: keys in the order they were set, no copies, no reflection.
struct JSONObject {
    /// The text so far, without the closing brace.
    private var open: [UInt8] = [UInt8(ascii: "{")]

    /// The finished object.
    var bytes: [UInt8] { open + [UInt8(ascii: "}")] }

    /// The finished object with a line's end.
    var line: [UInt8] { open + [UInt8(ascii: "}"), UInt8(ascii: "\n")] }

    /// Keys are ours and need no escaping.
    private mutating func key(_ key: StaticString) {
        rawKey(UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
    }

    private mutating func rawKey(_ key: some Sequence<UInt8>) {
        if open.count > 1 { open.append(UInt8(ascii: ",")) }
        open.append(UInt8(ascii: "\""))
        open += key
        open += "\":".utf8
    }

    mutating func set(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { Self.append(value, to: &open) } else { open += "null".utf8 }
    }

    mutating func set(_ name: StaticString, _ value: (some BinaryInteger)?) {
        key(name)
        open += (value.map { String($0) } ?? "null").utf8
    }

    /// Seconds with one digit behind the point.
    mutating func set(_ name: StaticString, seconds: Double?) {
        key(name)
        open += (seconds.map(NumberText.oneDecimal) ?? "null").utf8
    }

    /// A number with one digit behind the point.
    mutating func set(_ name: StaticString, decimal: Double) {
        key(name)
        open += NumberText.oneDecimal(decimal).utf8
    }

    mutating func set(_ name: StaticString, _ value: Bool) {
        key(name)
        open += (value ? "true" : "false").utf8
    }

    mutating func set(_ name: StaticString, _ values: [String]) {
        key(name)
        open.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { open.append(UInt8(ascii: ",")) }
            Self.append(value, to: &open)
        }
        open.append(UInt8(ascii: "]"))
    }

    mutating func set(_ name: StaticString, _ value: JSONObject) {
        key(name)
        open += value.bytes
    }

    mutating func set(_ name: StaticString, _ values: [JSONObject]) {
        key(name)
        open.append(UInt8(ascii: "["))
        open += values.map(\.bytes).joined(separator: [UInt8(ascii: ",")])
        open.append(UInt8(ascii: "]"))
    }

    /// A number under a key that is a plain word made at run time.
    mutating func set(word: String, _ value: Int) {
        rawKey(word.utf8)
        open += String(value).utf8
    }

    /// Bytes that are JSON already.
    mutating func setRaw(word: String, _ value: [UInt8]) {
        rawKey(word.utf8)
        open += value
    }

    /// A quoted string.
    static func quoted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        append(text, to: &bytes)
        return bytes
    }

    /// `path`, and where the bytes are not UTF-8 also `path_b64`; then `path` is escaped for reading only.
    mutating func set(path: BytePath) {
        key("path")
        if let text = String(validating: path.bytes, as: UTF8.self) {
            Self.append(text, to: &open)
        } else {
            Self.append(path.description, to: &open)
            key("path_b64")
            Self.append(Base64.encode(path.bytes), to: &open)
        }
    }

    /// Appends a quoted string. Control characters, C1 ones and the two line separators are escaped, so that no name
    /// breaks a line or drives a terminal.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: bytes += #"\""#.utf8
            case 0x5c: bytes += #"\\"#.utf8
            case 0x0a: bytes += #"\n"#.utf8
            case 0x0d: bytes += #"\r"#.utf8
            case 0x09: bytes += #"\t"#.utf8
            case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029:
                let digits = String(scalar.value, radix: 16)
                bytes += (#"\u"# + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// RFC 4648, with padding.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(8 * (3 - group.count))
            for position in 0..<4 {
                let index = Int(bits >> UInt32(18 - 6 * position) & 63)
                result.append(position <= group.count ? alphabet[index] : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
