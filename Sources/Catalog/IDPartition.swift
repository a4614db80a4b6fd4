/// How a row's id becomes folders: `000/000/001`, `109/876/543/210/987/654`.
package enum IDPartition {
    /// The folders of an id; nil for an id that no file can have (negative, zero, or with a number of digits whose last ones
    /// Paperclip would drop, so that two rows would share a folder).
    package static func folders(of id: Int64) -> String? {
        guard id > 0 else { return nil }
        let digits = Array(String(id).utf8)
        let width = id < 1_000_000_000 ? 9 : max(12, digits.count)
        guard width % 3 == 0 else { return nil }
        let padded = [UInt8](repeating: UInt8(ascii: "0"), count: width - digits.count) + digits
        var result: [UInt8] = []
        result.reserveCapacity(width + width / 3)
        for (index, digit) in padded.enumerated() {
            if index > 0, index % 3 == 0 { result.append(UInt8(ascii: "/")) }
            result.append(digit)
        }
        return String(decoding: result, as: UTF8.self)
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
