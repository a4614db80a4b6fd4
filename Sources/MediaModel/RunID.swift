/// Names one run: the UTC time it began and eight random digits, e.g. `20261123-023001-5f0c9a1e`.
package struct RunID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Accepts only what this type prints: digits, lower-case hexadecimal and two dashes at their places.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes[8] == UInt8(ascii: "-"), bytes[15] == UInt8(ascii: "-") else { return nil }
        for (index, byte) in bytes.enumerated() where index != 8 && index != 15 {
            let digit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            let letter = (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte) && index > 15
            guard digit || letter else { return nil }
        }
        self.text = String(text)
    }

    /// - Parameter secondsSince1970: the wall clock, passed in.
    package init(secondsSince1970: Int64, random: UInt32) {
        let time = UTCTime(secondsSince1970: secondsSince1970)
        let hexadecimal = String(random, radix: 16)
        text = time.compact + "-" + String(repeating: "0", count: 8 - hexadecimal.count) + hexadecimal
    }

    /// Another name, for a run that begins again: its digits are so many further.
    package func following(_ count: UInt32) -> RunID {
        let random = UInt32(text.suffix(8), radix: 16) ?? 0
        let hexadecimal = String(random &+ count, radix: 16)
        return RunID(unchecked: text.prefix(16) + String(repeating: "0", count: 8 - hexadecimal.count) + hexadecimal)
    }

    private init(unchecked text: some StringProtocol) {
        self.text = String(text)
    }

    package var description: String { text }
}
