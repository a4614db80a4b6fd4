import Archives
import MediaModel
import MediasyncTesting
import Testing

/// Bytes in memory, a few at a time.
final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private let step: Int
    private var index = 0

    init(_ bytes: [UInt8], step: Int = 1000) {
        self.bytes = bytes
        self.step = step
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(step, buffer.count, bytes.count - index)
        buffer.copyBytes(from: bytes[index..<(index + count)])
        index += count
        return count
    }
}

/// Streams made by the real programs.
@Suite struct CompressionTests {
    static let programs: [(Compression, [String])] = [
        (.gzip, ["gzip", "-c"]), (.zstd, ["zstd", "-q", "-c"]), (.xz, ["xz", "-c"]), (.lz4, ["lz4", "-q", "-c"]),
        (.bzip2, ["bzip2", "-c"]),
    ]

    static func isInstalled(_ command: [String]) -> Bool {
        ["/usr/bin", "/bin"].contains { Disk.exists(BytePath("\($0)/\(command[0])")) }
    }

    static var areInstalled: Bool { programs.allSatisfy { isInstalled($0.1) } }

    /// Text with little repetition, the same for every run.
    static func text(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0..<16, using: &generator) }
    }

    static func compress(_ text: [UInt8], _ command: [String]) throws -> [UInt8] {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "text", text)
        return try Program("/usr/bin/env").check(command, place.path / "text").output
    }

    private func decompress(_ bytes: [UInt8], _ compression: Compression, step: Int = 1000) throws -> [UInt8] {
        let source = try DecompressingSource(MemorySource(bytes, step: step), compression: compression)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4000, alignment: 16)
        defer { buffer.deallocate() }
        var result: [UInt8] = []
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { return result }
            result.append(contentsOf: buffer[..<count])
        }
    }

    @Test(
        "what the programs wrote is told by its beginning and read back, in pieces of any size",
        .enabled(if: areInstalled, "needs gzip, zstd, xz, lz4 and bzip2"),
        arguments: programs
    )
    func readBack(compression: Compression, command: [String]) throws {
        for count in [0, 1, 3999, 4000, 4001, 300_000] {
            let text = Self.text(count)
            let stream = try Self.compress(text, command)
            #expect(Compression(prefix: stream) == compression)
            for step in count < 10_000 ? [1, 7, 1000] : [1000, 1 << 20] {
                #expect(try decompress(stream, compression, step: step) == text, "\(count) bytes, steps of \(step)")
            }
        }
    }

    @Test(
        "streams that follow one another are one",
        .enabled(if: areInstalled, "needs gzip, zstd, xz, lz4 and bzip2"),
        arguments: programs
    )
    func concatenated(compression: Compression, command: [String]) throws {
        let first = Self.text(50_000, seed: 1)
        let second = Self.text(50_000, seed: 2)
        let stream = try Self.compress(first, command) + Self.compress(second, command)
        #expect(try decompress(stream, compression) == first + second)
    }

    @Test(
        "a stream that is cut is an error wherever it is cut",
        .enabled(if: areInstalled, "needs gzip, zstd, xz, lz4 and bzip2"),
        arguments: programs
    )
    func cut(compression: Compression, command: [String]) throws {
        let stream = try Self.compress(Self.text(3000), command)
        for length in 0..<stream.count {
            #expect(throws: SyncError.self, "\(length) of \(stream.count) bytes") {
                try decompress(Array(stream[..<length]), compression)
            }
        }
    }

    @Test(
        "a damaged byte is an error, or changes nothing of the text",
        .enabled(if: areInstalled, "needs gzip, zstd, xz, lz4 and bzip2"),
        arguments: programs
    )
    func damaged(compression: Compression, command: [String]) throws {
        let text = Self.text(3000)
        let stream = try Self.compress(text, command)
        for place in stream.indices {
            for bit in [0x01, 0x10, 0x80] as [UInt8] {
                var bytes = stream
                bytes[place] ^= bit
                guard let result = try? decompress(bytes, compression) else { continue }
                #expect(result == text, "bit \(bit) of byte \(place)")
            }
        }
    }

    @Test(
        "what follows a stream and is none is an error",
        .enabled(if: areInstalled, "needs gzip, zstd, xz, lz4 and bzip2"),
        arguments: programs
    )
    func garbage(compression: Compression, command: [String]) throws {
        let stream = try Self.compress(Self.text(3000), command)
        #expect(throws: SyncError.self) { try decompress(stream + Array("garbage at the end".utf8), compression) }
    }

    @Test("an error of the source is told as it is", arguments: programs.map(\.0))
    func sourceFails(compression: Compression) throws {
        final class Broken: ByteSource {
            func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
                throw SyncError(.exhausted, "no more")
            }
        }
        let error = #expect(throws: SyncError.self) {
            let source = try DecompressingSource(Broken(), compression: compression)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 1)
            defer { buffer.deallocate() }
            _ = try source.read(into: buffer)
        }
        #expect(error?.code == .exhausted)
    }

    @Test("text is not taken for a compressed stream")
    func plainText() {
        for text in ["", "-", "--\n-- PostgreSQL database dump", "PGDMP", "BZ", "\u{1F}"] {
            #expect(Compression(prefix: Array(text.utf8)) == .none)
        }
    }
}
