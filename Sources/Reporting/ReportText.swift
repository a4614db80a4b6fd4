internal import MediaModel

/// A report as JSON and as text.
extension Report {
    var jsonLine: [UInt8] {
        var object = JSONObject()
        object.set("type", name)
        object.set("v", JSONLines.version)
        for field in fields { object.set(word: field.name, field.value) }
        return object.line
    }

    var text: String { lines.map { $0 + "\n" }.joined() }
}

extension JSONObject {
    /// Any value under a key that is a plain word made at run time.
    mutating func set(word: String, _ value: Report.Value) {
        setRaw(word: word, Self.bytes(of: value))
    }

    private static func bytes(of value: Report.Value) -> [UInt8] {
        switch value {
        case .text(let text): quoted(text)
        case .number(let number): Array(String(number).utf8)
        case .flag(let flag): Array((flag ? "true" : "false").utf8)
        case .null: Array("null".utf8)
        case .list(let values):
            [UInt8(ascii: "[")] + values.map(bytes(of:)).joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
        case .object(let fields): fields.reduce(into: JSONObject()) { $0.set(word: $1.name, $1.value) }.bytes
        }
    }
}
