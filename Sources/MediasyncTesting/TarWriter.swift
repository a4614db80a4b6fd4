/// Writes tar archives entry by entry, honest ones and others: every field can be anything.
package struct TarWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// What a header says; the defaults are those of a plain file.
    package struct Header: Sendable {
        package var name: [UInt8]
        package var type: Character = "0"
        package var size: Int64 = 0
        package var mode = 0o644
        package var modified = 1_700_000_000
        package var linkName: [UInt8] = []
        package var magic = "ustar\u{0}00"

        package init(_ name: String, type: Character = "0", size: Int64 = 0) {
            self.name = Array(name.utf8)
            self.type = type
            self.size = size
        }
    }

    /// A header of 512 bytes with a right checksum; what does not fit its field is cut.
    package static func block(_ header: Header) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], _ offset: Int, _ room: Int) {
            for (index, byte) in bytes.prefix(room).enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, _ width: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits).utf8) + [0]
        }
        put(header.name, 0, 100)
        put(octal(header.mode, 8), 100, 8)
        put(octal(0, 8), 108, 8)
        put(octal(0, 8), 116, 8)
        if (0..<(1 << 33)).contains(header.size) {
            put(octal(Int(header.size), 12), 124, 12)
        } else {
            let raw = withUnsafeBytes(of: header.size.bigEndian) { Array($0) }
            put(
                [header.size < 0 ? 0xFF : 0x80] + [UInt8](repeating: header.size < 0 ? 0xFF : 0, count: 3) + raw,
                124,
                12
            )
        }
        put(octal(header.modified, 12), 136, 12)
        put(Array(repeating: 0x20, count: 8), 148, 8)
        put(Array(String(header.type).utf8), 156, 1)
        put(header.linkName, 157, 100)
        put(Array(header.magic.utf8), 257, 8)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(Array(octal(sum, 7)) + [0x20], 148, 8)
        return block
    }

    package mutating func add(raw: [UInt8]) { bytes += raw }

    /// A header, and content padded to whole blocks whatever the header says of it.
    package mutating func add(_ header: Header, _ content: [UInt8] = []) {
        bytes += Self.block(header) + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    package mutating func file(_ name: String, _ content: String, modified: Int = 1_700_000_000, mode: Int = 0o644) {
        file(name, Array(content.utf8), modified: modified, mode: mode)
    }

    package mutating func file(_ name: String, _ content: [UInt8], modified: Int = 1_700_000_000, mode: Int = 0o644) {
        var header = Header(name, size: Int64(content.count))
        header.modified = modified
        header.mode = mode
        if name.utf8.count > 100 { addLongName(name) }
        add(header, content)
    }

    package mutating func directory(_ name: String) {
        var header = Header(name.hasSuffix("/") ? name : name + "/", type: "5")
        header.mode = 0o755
        add(header)
    }

    package mutating func link(_ name: String, to target: String, type: Character) {
        var header = Header(name, type: type)
        header.linkName = Array(target.utf8)
        add(header)
    }

    /// GNU's header for a name that does not fit.
    private mutating func addLongName(_ name: String) {
        let content = Array(name.utf8) + [0]
        var header = Header("././@LongLink", type: "L", size: Int64(content.count))
        header.magic = "ustar  \u{0}"
        add(header, content)
    }

    /// pax records for the entry that follows.
    package mutating func pax(_ records: [(String, String)]) {
        let content = records.flatMap { key, value -> [UInt8] in
            let body = " \(key)=\(value)\n"
            var length = body.utf8.count
            while "\(length)".utf8.count + body.utf8.count != length {
                length = "\(length)".utf8.count + body.utf8.count
            }
            return Array("\(length)\(body)".utf8)
        }
        add(Header("PaxHeaders/x", type: "x", size: Int64(content.count)), content)
    }

    /// The archive with its end.
    package func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
