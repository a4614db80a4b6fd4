import Archives
import MediaModel
import MediasyncTesting
import Testing

/// Headers that are written, and blocks that are compressed, beside the tools that read them.
@Suite struct TarTests {
    private final class Bytes: ByteSource {
        private var rest: ArraySlice<UInt8>
        init(_ bytes: [UInt8]) { rest = bytes[...] }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
            // Odd pieces: nothing may depend on how much comes at once.
            let piece = rest.prefix(min(buffer.count, 1013))
            buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
    }

    private static let paths: [BytePath] = [
        "media/a", "media/\(String(repeating: "n", count: 94))", "media/\(String(repeating: "n", count: 95))",
        "media/" + String(repeating: "directory/", count: 14) + "name",
        "media/" + String(repeating: "directory/", count: 30) + String(repeating: "n", count: 200),
        String(repeating: "p", count: 155) + "/" + String(repeating: "n", count: 100), "media/gr\u{fc}n",
    ].map { BytePath($0) }

    private func archive() -> [UInt8] {
        var bytes = TarHeader.directory(BytePath("media"), permissions: 0o755, modified: 5)
        for (index, path) in Self.paths.enumerated() {
            let content = [UInt8](repeating: 65, count: index * 300)
            bytes += TarHeader.file(path, size: Int64(content.count), permissions: 0o640, modified: 1_700_000_000)
            bytes += content + [UInt8](repeating: 0, count: TarHeader.padding(Int64(content.count)))
        }
        return bytes + TarHeader.end
    }

    @Test("what is written is what is read: by us, and by GNU tar", .enabled(if: Requirement.has("tar"), "needs tar"))
    func roundTrip() throws {
        let bytes = archive()
        let reader = try TarReader(Bytes(bytes))
        #expect(try reader.next()?.kind == .directory)
        for (index, path) in Self.paths.enumerated() {
            let entry = try #require(try reader.next())
            #expect(entry.path == path)
            #expect(entry.kind == .file && entry.size == Int64(index * 300) && entry.permissions == 0o640)
            #expect(entry.modificationSeconds == 1_700_000_000 && entry.modificationNanoseconds == nil)
            var found = 0
            while let piece = try reader.content() { found += piece.bytes.count }
            #expect(found == index * 300)
        }
        #expect(try reader.next() == nil)
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "a.tar", bytes)
        let listed = try Program("tar").check(["--quoting-style=literal", "-tf"], place.path / "a.tar")
        #expect(listed.lines == ["media/"] + Self.paths.map { String(decoding: $0.bytes, as: UTF8.self) })
        #expect(listed.errorText.isEmpty)
    }

    @Test("times before 1970 and sizes beyond 8 GiB are kept")
    func extremes() throws {
        let path = BytePath("media/a")
        let header = TarHeader.file(path, size: 1 << 34, permissions: 0o600, modified: -5)
        let reader = try TarReader(Bytes(header))
        let entry = try #require(try reader.next())
        #expect(entry.size == 1 << 34 && entry.modificationSeconds == -5 && entry.path == path)
        #expect(throws: SyncError.self) { try reader.next() }
    }

    @Test("a cut at every block but the end is an error")
    func cuts() throws {
        let bytes = archive()
        for count in stride(from: 512, through: bytes.count - 1024, by: 512) {
            #expect(throws: SyncError.self, "\(count)") {
                let reader = try TarReader(Bytes(Array(bytes.prefix(count))))
                while try reader.next() != nil {}
            }
        }
    }

    @Test("blocks one behind the other are one stream", arguments: [Compression.gzip, .zstd])
    func blocks(compression: Compression) throws {
        let compressor = try BlockCompressor(compression)
        let parts: [[UInt8]] = [
            Array("hello ".utf8), [], SeededGenerator.bytes(1 << 20, seed: 3), [UInt8](repeating: 0, count: 3 << 20),
            [1],
        ]
        var packed: [UInt8] = []
        for part in parts { packed += try part.withUnsafeBytes { try compressor.compress($0) } }
        let whole = parts.flatMap { $0 }
        let source = try DecompressingSource(Bytes(packed), compression: compression)
        var found: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 100_000)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
            if count == 0 { break }
            found += buffer[..<count]
        }
        #expect(found == whole)
        guard Requirement.has(compression.rawValue) else { return }
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "packed", packed)
        #expect(try Program(compression.rawValue).check(["-dc"], place.path / "packed").output == whole)
    }
}
