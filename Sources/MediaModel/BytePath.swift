/// A file name or a relative path as the kernel knows it: any bytes but NUL. Never a `String`: names need not be UTF-8.
package struct BytePath: Hashable, Sendable, Comparable {
    /// The bytes, without a terminating NUL. Components are separated by `/`.
    package var bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(_ string: String) {
        bytes = Array(string.utf8)
    }

    /// The tree's own root.
    package static let root = BytePath(bytes: [])

    package static func < (left: BytePath, right: BytePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// The path one component further down.
    package func appending(_ name: BytePath) -> BytePath {
        bytes.isEmpty ? name : BytePath(bytes: bytes + [UInt8(ascii: "/")] + name.bytes)
    }

    /// The components, without empty ones.
    package var components: [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "/"))
    }

    /// The last component; empty for the root.
    package var lastComponent: BytePath { BytePath(bytes: Array(lastName)) }

    /// The last component in its place.
    package var lastName: ArraySlice<UInt8> {
        let slash = UInt8(ascii: "/")
        guard let end = bytes.lastIndex(where: { $0 != slash }) else { return [] }
        let start = bytes[...end].lastIndex(of: slash).map { $0 + 1 } ?? 0
        return bytes[start...end]
    }
}

extension BytePath: CustomStringConvertible {
    /// The path for people: control and format characters, backslashes and bytes that are not UTF-8 are written `\xNN`,
    /// so that a name can neither forge a line of a log nor drive a terminal. Reversible; the root is `.`.
    package var description: String {
        bytes.isEmpty ? "." : Self.escaped(bytes)
    }

    /// Escapes any bytes as `description` does.
    package static func escaped(_ bytes: [UInt8]) -> String {
        var result = ""
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let length = scalarLength(leadByte: bytes[index])
            let end = min(index + length, bytes.count)
            if let text = String(validating: bytes[index..<end], as: UTF8.self),
                let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1, isPlain(scalar)
            {
                result += text
                index = end
            } else {
                result += hexadecimalEscape(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// A text that another machine wrote for people: as `escaped`, but what is escaped in it already stays as it is.
    package static func withoutControls(_ bytes: [UInt8]) -> String {
        bytes.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
            .map { escaped(Array($0)) }
            .joined(separator: "\\")
    }

    private static func scalarLength(leadByte: UInt8) -> Int {
        switch leadByte {
        case 0xC0...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF7: 4
        default: 1
        }
    }

    /// Whether a character may reach a terminal or a log as it is.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\\" { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
        default: return true
        }
    }

    private static func hexadecimalEscape(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
    }
}
