import Glibc
import MediasyncTesting
import Testing

@testable import Imaging

/// What our own reader says of JPEGs and makes of them, beside libjpeg. It may only ever say "good", and only where libjpeg does, too.
@Suite(.enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools")) struct JPEGTests {
    /// How a picture is made, and whether it is one of those that are read without libjpeg.
    struct Sample: CustomTestStringConvertible {
        var name: String
        /// ffmpeg's samplings, and what libvips makes of them.
        var pixels: String
        var options: String
        var isUsual = true
        var testDescription: String { name }
    }

    static let samples = [
        Sample(name: "usual", pixels: "rgb24", options: "[Q=80]"),
        Sample(name: "all-colors", pixels: "rgb24", options: "[Q=95,subsample-mode=off]"),
        Sample(name: "own-codes", pixels: "rgb24", options: "[Q=70,optimize-coding]"),
        Sample(name: "restarts", pixels: "rgb24", options: "[Q=80,restart-interval=3]"),
        Sample(name: "grey", pixels: "gray", options: "[Q=85]"),
        Sample(name: "coarse", pixels: "rgb24", options: "[Q=2]"),
        Sample(name: "fine", pixels: "rgb24", options: "[Q=100]"),
        Sample(name: "progressive", pixels: "rgb24", options: "[Q=80,interlace]", isUsual: false),
    ]
    /// No whole number of units either way.
    static let size = PixelSize(width: 123, height: 91)

    private static func bytes(_ sample: Sample) async throws -> [UInt8] {
        let path = try await Samples.path("reader-\(sample.name).jpg") { path in
            // The source makes even sides only.
            let frame =
                "testsrc2=size=124x92,noise=alls=20:all_seed=1,format=\(sample.pixels),crop=\(size.width):\(size.height)"
            let lossless = Samples.text(path) + ".png"
            try Samples.ffmpeg(["-f", "lavfi", "-i", frame, "-frames:v", "1", lossless])
            try Samples.vips(["copy", lossless, Samples.text(path) + sample.options])
        }
        return try Disk.read(path)
    }

    private static func media(_ bytes: [UInt8]) throws -> MediaBytes {
        guard let memory = malloc(max(1, bytes.count)) else { throw TestFault("no memory") }
        let target = memory.assumingMemoryBound(to: UInt8.self)
        target.initialize(from: bytes, count: bytes.count)
        return MediaBytes(target, count: bytes.count) { free($0) }
    }

    private static func isKnownGood(_ bytes: [UInt8]) throws -> Bool { JPEGCodec.isKnownGood(try media(bytes)) }

    /// What was said before there was a reader of our own: libjpeg's verdict, or that of libvips for what is not common.
    private static func isGood(_ bytes: [UInt8]) throws -> Bool {
        let media = try media(bytes)
        do throws(ProcessingFault) {
            let header = try ImageHeader.read(media, .jpeg)
            if header.jpeg.isCommon, header.orientation == 1 {
                try JPEGCodec.checkByLibrary(media)
            } else {
                try VipsLibrary.open().check(media, frames: 1)
            }
            return true
        } catch { return false }
    }

    private static func isAccepted(_ bytes: [UInt8], _ task: ImageTask) throws -> Bool {
        let workbench = try Workbench()
        defer { withExtendedLifetime(workbench) {} }
        return (try? LocalImages().run(task, try workbench.request(bytes, .attachment))) != nil
    }

    @Test("a whole picture is known to be good", arguments: samples)
    func whole(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        #expect(try Self.isKnownGood(bytes) == sample.isUsual)
        #expect(try Self.isGood(bytes))
        // What follows the picture is not part of it.
        #expect(try Self.isKnownGood(bytes + [0, 1, 2]) == sample.isUsual)
    }

    @Test("a file that is cut is judged as libjpeg judges it", arguments: samples)
    func cut(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        for step in 0..<60 {
            let part = Array(bytes[..<(bytes.count - 1 - step * (bytes.count - 40) / 60)])
            #expect(try !Self.isKnownGood(part), "cut to \(part.count) bytes")
            #expect(try Self.isAccepted(part, .check) == Self.isGood(part), "cut to \(part.count) bytes")
            // Cut, and ended as if it were whole.
            let ended = part + [0xFF, 0xD9]
            let isGood = try Self.isGood(ended)
            #expect(try !Self.isKnownGood(ended) || isGood, "cut to \(part.count) bytes and ended")
            #expect(try Self.isAccepted(ended, .check) == isGood, "cut to \(part.count) bytes and ended")
        }
    }

    @Test("a file that is damaged is judged as libjpeg judges it", arguments: samples)
    func damaged(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        var chance = SeededGenerator(seed: 7)
        var (refused, known) = (0, 0)
        for round in 0..<400 {
            var other = bytes
            // Half of the damage is where the structure is told.
            let end = round % 2 == 0 ? min(700, bytes.count) : bytes.count
            let place = Int.random(in: 2..<end, using: &chance)
            other[place] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
            let isGood = try Self.isGood(other)
            let isKnown = try Self.isKnownGood(other)
            #expect(!isKnown || isGood, "byte \(place)")
            #expect(try Self.isAccepted(other, .check) == isGood, "byte \(place)")
            if !isGood { refused += 1 }
            if isKnown { known += 1 }
        }
        #expect(refused > 0)
        #expect((known > 0) == sample.isUsual)
    }

    @Test("what is made smaller is judged as well", arguments: samples)
    func smaller(sample: Sample) async throws {
        let bytes = try await Self.bytes(sample)
        var rules = ProcessingRules.current
        rules.small = .pixels(2000)
        for part in [bytes, Array(bytes[..<(bytes.count - bytes.count / 3)]) + [0xFF, 0xD9]] {
            let workbench = try Workbench()
            defer { withExtendedLifetime(workbench) {} }
            let request = try workbench.request(part, .attachment, rules: rules)
            #expect(((try? LocalImages().run(.process, request)) != nil) == (part.count == bytes.count))
        }
    }

    @Test("pixels are those that libjpeg reads, at each fraction", arguments: samples.filter(\.isUsual), [1, 2, 4, 8])
    func pixels(sample: Sample, part: Int) async throws {
        let media = try Self.media(try await Self.bytes(sample))
        let target = PixelTarget(all: PixelSize(width: Self.size.width / part, height: Self.size.height / part))
        let ours = try #require(try JPEGCodec.pixels(media, of: Self.size, to: target))
        let theirs = try JPEGCodec.decode(media, of: Self.size, to: target)
        #expect(ours.size == theirs.size)
        var sum = 0
        for y in 0..<ours.size.height {
            for x in 0..<ours.size.width {
                let (one, other) = (ours.color(x: x, y: y), theirs.color(x: x, y: y))
                sum += abs(Int(one.red) - Int(other.red)) + abs(Int(one.green) - Int(other.green))
                sum += abs(Int(one.blue) - Int(other.blue))
            }
        }
        // Colours of fewer samples are smoothed differently, and so is what a fraction leaves out.
        let mean = Double(sum) / Double(3 * ours.size.pixels)
        let isExact = part == 1 && ["all-colors", "grey", "fine"].contains(sample.name)
        #expect(mean < (isExact ? 1 : 12), "\(mean) steps apart on average")
    }

    @Test("planes are encoded as they are, whatever their size", arguments: [1, 7, 8, 9, 16, 17, 33])
    func planes(side: Int) async throws {
        let media = try Self.media(try await Self.bytes(Self.samples[1]))
        let target = PixelTarget(all: PixelSize(width: side, height: 91 * side / 123 + 1))
        for quality in [75, 90] {
            let halves = JPEGCodec.halvesColors(quality: quality)
            let planes = try #require(
                try JPEGCodec.planes(media, of: Self.size, to: target, halvesColors: halves)
            )
            #expect(planes.planes[1].samples.size.width == (halves ? (side + 1) / 2 : side))
            let encoded = try JPEGCodec.encode(planes, quality: quality, progressive: false)
            try JPEGCodec.checkByLibrary(encoded)
            let header = try ImageHeader.read(encoded, .jpeg)
            #expect(header.size == target.size)
            #expect(header.jpeg.sampling[0] == (halves ? 0x22 : 0x11))
            // Read again it is still the same picture.
            let all = PixelTarget(all: target.size)
            let again = try JPEGCodec.decode(encoded, of: target.size, to: all)
            let before = try planes.pixels(of: all)
            var sum = 0
            for y in 0..<target.size.height {
                for x in 0..<side {
                    sum += abs(Int(again.color(x: x, y: y).green) - Int(before.color(x: x, y: y).green))
                }
            }
            #expect(Double(sum) / Double(target.size.pixels) < 20)
        }
    }
}
