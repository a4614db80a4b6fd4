package import MediaModel

/// The headers of a tar archive that is written: plain ustar where everything fits, pax records before it where something
/// does not. Every entry is a whole number of blocks, so that entries made by different threads can follow each other.
package enum TarHeader {
    private static let block = 512
    private static let slash = UInt8(ascii: "/")

    /// The end of an archive.
    package static let end = [UInt8](repeating: 0, count: 2 * block)

    /// Zeros behind a content of this length.
    package static func padding(_ size: Int64) -> Int { Int((Int64(block) - size % Int64(block)) % Int64(block)) }

    /// What stands before a file's content.
    package static func file(_ path: BytePath, size: Int64, permissions: UInt32, modified: Int64) -> [UInt8] {
        entry(path, type: UInt8(ascii: "0"), size: size, permissions: permissions, modified: modified)
    }

    package static func directory(_ path: BytePath, permissions: UInt32, modified: Int64) -> [UInt8] {
        let name = BytePath(bytes: path.bytes + [slash])
        return entry(name, type: UInt8(ascii: "5"), size: 0, permissions: permissions, modified: modified)
    }

    private static func entry(
        _ path: BytePath,
        type: UInt8,
        size: Int64,
        permissions: UInt32,
        modified: Int64
    ) -> [UInt8] {
        var records: [UInt8] = []
        let split = split(path.bytes)
        if split == nil { records += record("path", path.bytes) }
        if size >= 1 << 33 { records += record("size", Array("\(size)".utf8)) }
        if !(0..<(1 << 33)).contains(modified) { records += record("mtime", Array("\(modified)".utf8)) }
        let (prefix, name) = split ?? ([], path.bytes.suffix(100))
        let main = header(
            prefix: prefix,
            name: name,
            type: type,
            size: size < 1 << 33 ? size : 0,
            permissions: permissions,
            modified: (0..<(1 << 33)).contains(modified) ? modified : 0
        )
        if records.isEmpty { return main }
        let extended = header(
            prefix: [],
            name: Array("PaxHeaders/entry".utf8)[...],
            type: UInt8(ascii: "x"),
            size: Int64(records.count),
            permissions: 0o644,
            modified: 0
        )
        return extended + records + [UInt8](repeating: 0, count: padding(Int64(records.count))) + main
    }

    /// ustar keeps 155 bytes of directories and 100 bytes behind a slash; nil where a path cannot be cut so.
    private static func split(_ path: [UInt8]) -> (prefix: ArraySlice<UInt8>, name: ArraySlice<UInt8>)? {
        // Other bytes than ASCII are no one's guess in a plain header; pax says that they are bytes of UTF-8.
        if path.count <= 100 { return ([], path[...]) }
        guard let cut = path.dropLast().indices.first(where: { path[$0] == slash && path.count - $0 - 1 <= 100 }),
            (1...155).contains(cut)
        else { return nil }
        return (path[..<cut], path[(cut + 1)...])
    }

    private static func header(
        prefix: ArraySlice<UInt8>,
        name: ArraySlice<UInt8>,
        type: UInt8,
        size: Int64,
        permissions: UInt32,
        modified: Int64
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { header[offset + index] = byte }
        }
        put(name, at: 0)
        put(octal(Int64(permissions & 0o7777), digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(modified, digits: 11), at: 136)
        put(repeatElement(UInt8(ascii: " "), count: 8), at: 148)
        header[156] = type
        put("ustar\u{0}00root".utf8, at: 257)
        put("root".utf8, at: 297)
        put(prefix, at: 345)
        put(octal(header.reduce(0) { $0 + Int64($1) }, digits: 6) + [0], at: 148)
        return header
    }

    private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
        var rest = value
        var result = [UInt8](repeating: UInt8(ascii: "0"), count: digits)
        for index in result.indices.reversed() {
            result[index] += UInt8(rest & 7)
            rest >>= 3
        }
        return result
    }

    /// `LENGTH KEY=VALUE` with a newline; the length counts itself.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = body.count
        while "\(length)".utf8.count + body.count != length { length = "\(length)".utf8.count + body.count }
        return Array("\(length)".utf8) + body
    }
}
