/// How a row's id becomes folders: `000/000/001`, `109/876/543/210/987/654`.
package enum IDPartition {
    /// The folders of an id; nil for an id that no file can have (negative, zero, or with a number of digits whose last ones
    /// Paperclip would drop, so that two rows would share a folder).
    package static func folders(of id: Int64) -> String? {
        var bytes: [UInt8] = []
        return append(id, to: &bytes) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// The same, behind what is there; false, and nothing is added, for an id that no file can have.
    static func append(_ id: Int64, to bytes: inout [UInt8]) -> Bool {
        guard id > 0 else { return false }
        let digits = digitCount(of: id)
        let width = digits <= 9 ? 9 : max(12, digits)
        guard width % 3 == 0 else { return false }
        let count = width + width / 3 - 1
        bytes += slashes[..<count]
        bytes.withUnsafeMutableBufferPointer { bytes in
            // From the last digit on: three, and a slash is left alone.
            var place = bytes.count
            var rest = UInt64(id)
            for _ in 0..<(width / 3) {
                var digits = UInt16(truncatingIfNeeded: rest % 1000)
                rest /= 1000
                for back in 1...3 {
                    bytes[place - back] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digits % 10)
                    digits /= 10
                }
                place -= 4
            }
        }
        return true
    }

    /// As many as the folders of the largest id have bytes.
    private static let slashes = [UInt8](repeating: UInt8(ascii: "/"), count: 27)

    private static func digitCount(of id: Int64) -> Int {
        var (count, rest) = (1, UInt64(id))
        while rest >= 10 {
            count += 1
            rest /= 10
        }
        return count
    }

    /// The id of these folders; nil where they are not exactly what `folders` makes.
    package static func id(of folders: some Collection<ArraySlice<UInt8>>) -> Int64? {
        guard folders.allSatisfy({ $0.count == 3 && $0.allSatisfy(isDigit) }) else { return nil }
        let text = String(decoding: folders.joined(), as: UTF8.self)
        let spelled = folders.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
        guard let id = Int64(text), Self.folders(of: id) == spelled else { return nil }
        return id
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
