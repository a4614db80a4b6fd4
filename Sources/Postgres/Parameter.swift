/// A value beside a statement: it never becomes part of the statement's text.
package enum Parameter: Sendable {
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    /// For `bytea`.
    case bytes([UInt8])
    /// For `$1::bigint[]`: a batch in one statement.
    case integers([Int64])
    /// For `$1::text[]`.
    case texts([String?])
    case null

    /// The value in the server's text notation.
    var text: String? {
        switch self {
        case .text(let text): text
        case .integer(let number): String(number)
        case .boolean(let value): value ? "t" : "f"
        case .bytes(let bytes): "\\x" + bytes.map { Self.hexadecimal($0) }.joined()
        case .integers(let numbers): "{" + numbers.map { String($0) }.joined(separator: ",") + "}"
        case .texts(let texts): "{" + texts.map(Self.element).joined(separator: ",") + "}"
        case .null: nil
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }

    private static func element(_ text: String?) -> String {
        guard let text else { return "NULL" }
        // Names of files have neither, and there are hundreds of thousands.
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") }) else {
            return "\"\(text)\""
        }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
