/// Reads one assignment after the other: plain, 'single' and "double" quoted values, comments, `export`, values over
/// several lines where they are quoted.
struct EnvironmentScanner {
    enum Part: Equatable {
        case text(String)
        case variable(String)
    }

    enum Line: Equatable {
        case assignment(name: String, [Part])
        case strange(number: Int)
    }

    private let bytes: [UInt8]
    /// Behind what was read.
    private(set) var index = 0
    /// Where the line that was read last began, without blanks.
    private(set) var lineStart = 0
    private var number = 1

    init(bytes: [UInt8]) {
        // A byte order mark in front is none of the first name.
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// The next line that says something; nil at the end.
    mutating func next() -> Line? {
        while index < bytes.count {
            skipBlanks()
            guard let byte = current else { return nil }
            if Self.isLineEnd(byte) {
                skipLine()
            } else if byte == UInt8(ascii: "#") {
                skipLine()
            } else {
                return assignment()
            }
        }
        return nil
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func assignment() -> Line {
        let begin = number
        lineStart = index
        var name = word()
        if name == "export" {
            skipBlanks()
            name = word()
        }
        skipBlanks()
        guard !name.isEmpty, let sign = current, sign == UInt8(ascii: "=") || sign == UInt8(ascii: ":") else {
            skipLine()
            return .strange(number: begin)
        }
        index += 1
        skipBlanks()
        let parts = value()
        skipLine()
        return parts.map { .assignment(name: name, $0) } ?? .strange(number: begin)
    }

    private mutating func word() -> String {
        let start = index
        while let byte = current, Self.isNameByte(byte) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func value() -> [Part]? {
        switch current {
        case UInt8(ascii: "'"):
            index += 1
            return literalText().map { [.text($0)] }
        case UInt8(ascii: "\""):
            index += 1
            return quotedText()
        default:
            return plainText()
        }
    }

    /// Up to the next `'`; nothing in between means anything.
    private mutating func literalText() -> String? {
        let start = index
        while let byte = current {
            index += 1
            if byte == UInt8(ascii: "\n") { number += 1 }
            if byte == UInt8(ascii: "'") { return String(decoding: bytes[start..<index - 1], as: UTF8.self) }
        }
        return nil
    }

    /// Up to the next `"`, with escapes and variables.
    private mutating func quotedText() -> [Part]? {
        var parts = Parts()
        while let byte = current {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                return parts.all
            case UInt8(ascii: "\\"):
                guard let escaped = current else { return nil }
                index += 1
                parts.append(Self.escapes[escaped] ?? escaped)
            case UInt8(ascii: "$"):
                parts.append(variable())
            default:
                if byte == UInt8(ascii: "\n") { number += 1 }
                parts.append(byte)
            }
        }
        return nil
    }

    private static let escapes: [UInt8: UInt8] = [UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9]

    /// Up to the line's end or a comment; blanks behind do not count.
    private mutating func plainText() -> [Part] {
        var parts = Parts()
        while let byte = current, !Self.isLineEnd(byte) {
            if byte == UInt8(ascii: "#"), index > 0, Self.isBlank(bytes[index - 1]) { break }
            index += 1
            if byte == UInt8(ascii: "\\"), let escaped = current, !Self.isLineEnd(escaped) {
                index += 1
                parts.append(escaped)
            } else if byte == UInt8(ascii: "$") {
                parts.append(variable())
            } else {
                parts.append(byte)
            }
        }
        parts.trimBlanks()
        return parts.all
    }

    /// What follows a `$`: a name, a name in braces, or nothing that is one.
    private mutating func variable() -> Part {
        let start = index
        let isBraced = current == UInt8(ascii: "{")
        if isBraced { index += 1 }
        let name = word()
        if isBraced, current == UInt8(ascii: "}"), !name.isEmpty {
            index += 1
            return .variable(name)
        }
        if !isBraced, !name.isEmpty { return .variable(name) }
        index = start
        return .text("$")
    }

    private mutating func skipBlanks() {
        while let byte = current, Self.isBlank(byte) { index += 1 }
    }

    private mutating func skipLine() {
        while let byte = current {
            index += 1
            if byte == UInt8(ascii: "\n") {
                number += 1
                return
            }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// Parts under construction: bytes gather until a variable comes.
    private struct Parts {
        private var parts: [Part] = []
        private var open: [UInt8] = []

        var all: [Part] { open.isEmpty ? parts : parts + [.text(String(decoding: open, as: UTF8.self))] }

        mutating func append(_ byte: UInt8) { open.append(byte) }

        mutating func append(_ part: Part) {
            if case .text(let text) = part {
                open += Array(text.utf8)
                return
            }
            parts = all + [part]
            open = []
        }

        mutating func trimBlanks() {
            while let last = open.last, EnvironmentScanner.isBlank(last) { open.removeLast() }
        }
    }
}
