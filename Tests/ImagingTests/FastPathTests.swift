import Glibc
import MediaModel
import MediasyncTesting
import Testing

@testable import Imaging

/// What our own readers say of PNG and WebP, beside libvips. They may only ever say "good", and only where libvips does, too.
@Suite(.enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools")) struct FastPathTests {
    /// A picture and whether it is one of those that the fast path is for.
    struct Sample: CustomTestStringConvertible {
        var name: String
        var options: [String]
        var isUsual: Bool
        var testDescription: String { name }
    }

    static let samples = [
        Sample(name: "rgb.png", options: ["-pix_fmt", "rgb24", "-pred", "mixed"], isUsual: true),
        Sample(name: "rgba.png", options: ["-pix_fmt", "rgba"], isUsual: true),
        Sample(name: "grey.png", options: ["-pix_fmt", "gray"], isUsual: true),
        Sample(name: "palette.png", options: ["-pix_fmt", "pal8"], isUsual: true),
        Sample(name: "bits.png", options: ["-pix_fmt", "monob"], isUsual: true),
        Sample(name: "deep.png", options: ["-pix_fmt", "rgb48be"], isUsual: true),
        Sample(name: "lossy.webp", options: ["-c:v", "libwebp", "-quality", "75"], isUsual: true),
        Sample(name: "lossless.webp", options: ["-c:v", "libwebp", "-lossless", "1"], isUsual: true),
        Sample(
            name: "transparent.webp",
            options: ["-vf", "format=rgba,geq=r=p(X\\,Y):a=X*2", "-c:v", "libwebp", "-quality", "75"],
            isUsual: true
        ),
    ]

    private static func bytes(_ sample: Sample) async throws -> [UInt8] {
        let path = try await Samples.path("fast-\(sample.name)") { path in
            let frame = ["-f", "lavfi", "-i", "testsrc2=size=120x90,noise=alls=20:all_seed=1", "-frames:v", "1"]
            try Samples.ffmpeg(frame + sample.options + [Samples.text(path)])
        }
        return try Disk.read(path)
    }

    private static func media(_ bytes: [UInt8]) throws -> MediaBytes {
        guard let memory = malloc(max(1, bytes.count)) else { throw TestFault("no memory") }
        let target = memory.assumingMemoryBound(to: UInt8.self)
        target.initialize(from: bytes, count: bytes.count)
        return MediaBytes(target, count: bytes.count) { free($0) }
    }

    private static func isKnownGood(_ bytes: [UInt8], _ format: MediaFormat) throws -> Bool {
        format == .png ? PNGCodec.isKnownGood(try media(bytes)) : WebPCodec.isKnownGood(try media(bytes))
    }

    /// What was said before there was a fast path.
    private static func isGood(_ bytes: [UInt8], _ format: MediaFormat) throws -> Bool {
        let media = try media(bytes)
        do throws(ProcessingFault) {
            _ = try ImageHeader.read(media, format)
            try VipsLibrary.open().check(media, frames: 1)
            return true
        } catch { return false }
    }

    /// What is said now, with everything before and behind the fast path.
    private static func isAccepted(_ bytes: [UInt8]) throws -> Bool {
        let workbench = try Workbench()
        defer { withExtendedLifetime(workbench) {} }
        return (try? LocalImages().run(.check, try workbench.request(bytes, .attachment))) != nil
    }

    @Test("a whole picture is known to be good", arguments: samples)
    func whole(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        let format: MediaFormat = sample.name.hasSuffix("png") ? .png : .webp
        #expect(try Self.isKnownGood(bytes, format) == sample.isUsual)
        #expect(try Self.isGood(bytes, format))
    }

    @Test("a file that is cut is judged as libvips judges it", arguments: samples)
    func cut(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        let format: MediaFormat = sample.name.hasSuffix("png") ? .png : .webp
        for step in 0..<60 {
            let part = Array(bytes[..<(bytes.count - 1 - step * (bytes.count - 40) / 60)])
            #expect(try !Self.isKnownGood(part, format) || Self.isGood(part, format), "cut to \(part.count) bytes")
            #expect(try Self.isAccepted(part) == Self.isGood(part, format), "cut to \(part.count) bytes")
        }
    }

    @Test("a file that is damaged is judged as libvips judges it", arguments: samples)
    func damaged(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        let format: MediaFormat = sample.name.hasSuffix("png") ? .png : .webp
        var chance = SeededGenerator(seed: 7)
        var refused = 0
        for round in 0..<150 {
            var other = bytes
            // Half of the damage is where the structure is told.
            let place = Int.random(in: 12..<(round % 2 == 0 ? min(100, bytes.count) : bytes.count), using: &chance)
            other[place] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
            let isGood = try Self.isGood(other, format)
            #expect(try !Self.isKnownGood(other, format) || isGood, "byte \(place)")
            #expect(try Self.isAccepted(other) == isGood, "byte \(place)")
            if !isGood { refused += 1 }
        }
        #expect(refused > 0)
    }

    @Test("chunks that are no part of the picture are left to libvips, or known")
    func chunks() async throws {
        let bytes = try await Self.bytes(Self.samples[0])
        let behindHeader = 33
        func adding(_ name: String, _ content: [UInt8]) -> [UInt8] {
            Array(bytes[..<behindHeader]) + pngChunk(name, content) + Array(bytes[behindHeader...])
        }
        #expect(PNGCodec.isKnownGood(try Self.media(adding("tEXt", Array("Title\0a".utf8)))))
        // An animation, and what nobody knows.
        #expect(!PNGCodec.isKnownGood(try Self.media(adding("acTL", [0, 0, 0, 2, 0, 0, 0, 0]))))
        #expect(!PNGCodec.isKnownGood(try Self.media(adding("abCd", [1]))))
        let long = adding("tEXt", Array("Title\0".utf8) + [UInt8](repeating: 0x61, count: 1 << 20))
        #expect(!PNGCodec.isKnownGood(try Self.media(long)))
        // A profile changes what the pixels mean: they are not taken, the picture is as good as before.
        let profiled = adding("iCCP", Array("icc\0\0".utf8) + [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1])
        #expect(PNGCodec.decode(try Self.media(profiled)) == nil)
        // More behind the data than belongs to them.
        let end = bytes.count - 12
        let more = Array(bytes[..<end]) + pngChunk("IDAT", [1, 2, 3]) + Array(bytes[end...])
        #expect(!PNGCodec.isKnownGood(try Self.media(more)))
    }

    @Test("pixels are those that others read, and what is written is read by others", arguments: samples.prefix(4))
    func pixels(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        let pixels = try #require(PNGCodec.decode(try Self.media(bytes)))
        let place = try TemporaryDirectory()
        let (before, after) = (place.path / "before.png", place.path / "after.png")
        try Disk.write(before, bytes)
        let written = try PNGCodec.encode(pixels)
        try Disk.write(after, Array(written.buffer))
        #expect(try Self.raw(before) == Self.raw(after))
        let again = try #require(PNGCodec.decode(written))
        for y in 0..<90 {
            for x in 0..<120 { #expect(again.color(x: x, y: y) == pixels.color(x: x, y: y)) }
        }
    }

    private static func raw(_ path: BytePath) throws -> [UInt8] {
        let out = BytePath(bytes: path.bytes + Array(".rgb".utf8))
        try Samples.ffmpeg([
            "-i", Samples.text(path), "-f", "rawvideo", "-pix_fmt", "rgb24", Samples.text(out),
        ])
        return try Disk.read(out)
    }

    @Test("transparent pictures are libvips' to make smaller")
    func transparent() async throws {
        let frame = "testsrc2=size=120x90,format=rgba,geq=r=p(X\\,Y):a=X*2"
        let path = try await Samples.path("fast-see-through.png") { path in
            try Samples.ffmpeg(["-f", "lavfi", "-i", frame, "-frames:v", "1", Samples.text(path)])
        }
        #expect(PNGCodec.decode(try Self.media(try Disk.read(path))) == nil)
        #expect(PNGCodec.isKnownGood(try Self.media(try Disk.read(path))))
        let size = PixelSize(width: 120, height: 90)
        let webp = try await Self.bytes(Self.samples[8])
        #expect(WebPCodec.decode(try Self.media(webp), of: size, to: PixelTarget(all: size)) == nil)
    }

    @Test("a lossy WebP that stays in its planes has the colours that libwebp makes of it", arguments: [1.0, 1.5, 3.0])
    func planes(reduction: Double) async throws {
        let (media, size) = (try Self.media(try await Self.bytes(Self.samples[6])), PixelSize(width: 120, height: 90))
        let target = PixelTarget(all: PixelSize(width: Int(120 / reduction), height: Int(90 / reduction)))
        let ours = try #require(try WebPCodec.pixels(media, of: size, to: target))
        let theirs = try #require(WebPCodec.decode(media, of: size, to: target)).resized(to: target, of: size)
        #expect(ours.size == theirs.size)
        var (sum, bias) = (0, 0)
        for y in 0..<ours.size.height {
            for x in 0..<ours.size.width {
                let (one, other) = (ours.color(x: x, y: y), theirs.color(x: x, y: y))
                let steps = [(one.red, other.red), (one.green, other.green), (one.blue, other.blue)].map {
                    Int($0) - Int($1)
                }
                sum += steps.reduce(0) { $0 + abs($1) }
                bias += steps.reduce(0, +)
            }
        }
        // Edges of colours are smoothed differently; nothing becomes brighter or darker.
        let values = Double(3 * ours.size.pixels)
        #expect(Double(sum) / values < 12, "\(Double(sum) / values) steps apart on average")
        #expect(abs(Double(bias) / values) < 1, "\(Double(bias) / values) steps brighter")
    }

    @Test("a WebP that EXIF turns is libvips' to make smaller", arguments: [UInt8(1), 6])
    func turnedWebP(value: UInt8) async throws {
        let simple = try await Self.bytes(Self.samples[6])
        func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) } }
        let exif = Array(orientation(value).dropFirst(6))
        let head = Array("VP8X".utf8) + little(10, 4) + [8, 0, 0, 0] + little(119, 3) + little(89, 3)
        let tail = Array("EXIF".utf8) + little(exif.count, 4) + exif
        // The simple file's own chunk, made even.
        let content = Array("WEBP".utf8) + head + Array(simple[12...]) + tail
        let bytes = Array("RIFF".utf8) + little(content.count, 4) + content
        #expect(WebPCodec.isKnownGood(try Self.media(bytes)))
        #expect(try Self.isGood(bytes, .webp))
        let header = try ImageHeader.read(try Self.media(bytes), .webp)
        #expect(header.isTurned == (value != 1))
    }

    @Test("an even surface stays even, whatever becomes of its size", arguments: [1, 4])
    func even(channels: Int) throws {
        for (from, to) in [((50, 37), (13, 9)), ((50, 37), (99, 80)), ((7, 5), (7, 5)), ((1, 1), (6, 3))] {
            for value in [0, 1, 127, 254, 255] as [UInt8] {
                let stride = (from.0 * channels + 31) / 32 * 32
                let memory = try #require(malloc(stride * from.1)).assumingMemoryBound(to: UInt8.self)
                memory.initialize(repeating: value, count: stride * from.1)
                let size = PixelSize(width: from.0, height: from.1)
                let picture = PixelBuffer(memory, size: size, channels: channels, stride: stride)
                let result = try picture.resized(to: PixelSize(width: to.0, height: to.1))
                for y in 0..<to.1 {
                    for x in 0..<to.0 { #expect(result.color(x: x, y: y) == (value, value, value)) }
                }
            }
        }
    }
}
