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
        case .texts(let texts): Self.array(texts)
        case .null: nil
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }

    /// Byte by byte: batches of rows come this way, and comparing characters costs more than the server's part.
    private static func array(_ texts: [String?]) -> String {
        let (quote, backslash, comma) = (UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: ","))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(texts.reduce(2) { $0 + 3 + ($1?.utf8.count ?? 4) })
        for text in texts {
            bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : comma)
            guard let text else {
                bytes += "NULL".utf8
                continue
            }
            bytes.append(quote)
            for byte in text.utf8 {
                if byte == quote || byte == backslash { bytes.append(backslash) }
                bytes.append(byte)
            }
            bytes.append(quote)
        }
        return (texts.isEmpty ? "{" : "") + String(decoding: bytes, as: UTF8.self) + "}"
    }
}
