import Archives
import MediaModel
import MediasyncTesting
import Testing

/// gzip by ISA-L beside gzip by zlib: the same verdict and the same bytes for whatever is sound, cut or damaged.
@Suite struct GzipLibraryTests {
    /// What came out, and whether the end was one.
    private struct Result: Equatable {
        var bytes: [UInt8]?
        static let refused = Result(bytes: nil)
    }

    /// - Parameters:
    ///   - step: bytes that the source gives at once.
    ///   - room: bytes that are asked for at once.
    private func read(_ stream: [UInt8], by library: GzipLibrary, step: Int, room: Int) -> Result {
        do {
            let source = try DecompressingSource(MemorySource(stream, step: step), compression: .gzip, gzip: library)
            var buffer = [UInt8](repeating: 0, count: room)
            var result: [UInt8] = []
            while true {
                let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
                if count == 0 { return Result(bytes: result) }
                result += buffer[..<count]
            }
        } catch {
            return .refused
        }
    }

    private static func compress(_ bytes: [UInt8], _ options: [String] = []) throws -> [UInt8] {
        try CompressionTests.compress(bytes, ["gzip", "-c"] + options)
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
    }

    /// The same data behind a header that has all there can be.
    private static func withLongHeader(_ stream: [UInt8]) -> [UInt8] {
        var header: [UInt8] = [0x1F, 0x8B, 8, 0x1F, 1, 2, 3, 4, 0, 3, 0x2C, 0x01]
        header += [UInt8](repeating: 0x5A, count: 300)
        header += Array("a name".utf8) + [0] + Array("and what somebody says of it".utf8) + [0]
        let sum = checksum(header)
        return header + [UInt8(sum & 0xFF), UInt8(sum >> 8 & 0xFF)] + stream.dropFirst(10)
    }

    /// Streams of every kind of block and header, by name.
    private static func streams() throws -> [(String, [UInt8])] {
        let text = CompressionTests.text(3000)
        let words = (0..<40_000).flatMap { Array("\($0 % 977) ".utf8) }
        let noise = SeededGenerator.bytes(90_000, seed: 5)
        let plain = try compress(text, ["-n"])
        return [
            ("nothing", try compress([])), ("fixed codes", try compress(Array("hello hello hello".utf8))),
            ("literals", try compress(text)), ("stored", try compress(noise)), ("matches", try compress(words, ["-9"])),
            ("fast", try compress(words, ["-1"])), ("zeros", try compress([UInt8](repeating: 0, count: 200_000))),
            ("a window and more", try compress(Array(noise[..<33_000] + noise[..<33_000]))),
            ("a long header", withLongHeader(plain)),
            ("members", plain + (try compress([])) + (try compress(noise)) + withLongHeader(plain)),
            ("zeros behind it", plain + [UInt8](repeating: 0, count: 512)), ("one zero behind it", plain + [0]),
            ("the beginning of a member behind it", plain + [0x1F, 0x8B]),
            ("text behind it", plain + Array("text".utf8)),
        ]
    }

    private func compare(_ stream: [UInt8], step: Int, room: Int, _ what: @autoclosure () -> String) {
        let (zlib, isal) = (
            read(stream, by: .zlib, step: step, room: room), read(stream, by: .isal, step: step, room: room)
        )
        #expect(zlib == isal, "\(what())")
    }

    @Test("what is sound is the same, whatever comes at once", .enabled(if: GzipLibrary.isal.isThere, "needs ISA-L"))
    func sound() throws {
        for (name, stream) in try Self.streams() {
            for (step, room) in [(1, 1000), (7, 70_000), (1000, 1), (1000, 7), (4096, 4000), (1 << 20, 1 << 20)] {
                compare(stream, step: step, room: room, "\(name), \(step) bytes in, \(room) out")
            }
        }
    }

    @Test("what is cut is refused by both", .enabled(if: GzipLibrary.isal.isThere, "needs ISA-L"))
    func cut() throws {
        for (name, stream) in try Self.streams() {
            // Everywhere in headers, tables and trailers, and now and then between.
            let places = Set(stream.indices.prefix(400)).union(stream.indices.suffix(40))
                .union(stride(from: 0, to: stream.count, by: max(1, stream.count / 100)))
            for place in places {
                compare(Array(stream[..<place]), step: 1000, room: 8192, "\(name), cut at \(place) of \(stream.count)")
            }
        }
    }

    @Test("what is damaged gets one verdict", .enabled(if: GzipLibrary.isal.isThere, "needs ISA-L"))
    func damaged() throws {
        var random = SeededGenerator(seed: 11)
        for (name, stream) in try Self.streams() {
            let places =
                Array(stream.indices.prefix(400)) + Array(stream.indices.suffix(20))
                + (0..<100).map { _ in Int.random(in: stream.indices, using: &random) }
            for place in places {
                var bytes = stream
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                compare(bytes, step: 1000, room: 8192, "\(name), byte \(place) of \(stream.count) is \(bytes[place])")
            }
        }
    }

    @Test("noise behind a header gets one verdict", .enabled(if: GzipLibrary.isal.isThere, "needs ISA-L"))
    func noise() {
        for seed in 0..<2000 as Range<UInt64> {
            let bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + SeededGenerator.bytes(300, seed: seed)
            compare(bytes, step: 64, room: 100_000, "seed \(seed)")
        }
    }

    @Test(
        "a stream that swells a thousandfold is read in pieces of what is asked for",
        .enabled(if: GzipLibrary.isal.isThere, "needs ISA-L"),
        arguments: GzipLibrary.allCases
    )
    func swelling(library: GzipLibrary) throws {
        let stream = try Self.compress([UInt8](repeating: 0, count: 64 << 20))
        let source = try DecompressingSource(MemorySource(stream), compression: .gzip, gzip: library)
        var buffer = [UInt8](repeating: 1, count: 5000)
        var total = 0
        while true {
            let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
            if count == 0 { break }
            #expect(count <= 5000)
            total += count
        }
        #expect(total == 64 << 20)
    }

    @Test("zlib is what remains where ISA-L is not")
    func preferred() {
        #expect(GzipLibrary.zlib.isThere)
        #expect(GzipLibrary.preferred == (GzipLibrary.isal.isThere ? .isal : .zlib))
    }
}
