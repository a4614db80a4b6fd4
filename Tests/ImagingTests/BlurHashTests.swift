import Glibc
import MediaModel
import MediasyncTesting
import Testing

@testable import Imaging

@Suite(.enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools")) struct BlurHashTests {
    /// The published algorithm, written down without any thought of speed.
    private func reference(_ path: BytePath) throws -> String {
        let place = try TemporaryDirectory()
        let thumbnail = place.path / "thumbnail.png"
        let raw = place.path / "pixels.rgb"
        try Samples.vips(["thumbnail", Samples.text(path), Samples.text(thumbnail), "100", "--height", "100"])
        try Samples.ffmpeg(["-i", Samples.text(thumbnail), "-f", "rawvideo", "-pix_fmt", "rgb24", Samples.text(raw)])
        let size = try Inspector.size(thumbnail)
        let (width, height) = (size.width, size.height)
        let pixels = try Disk.read(raw)
        guard pixels.count == width * height * 3 else { throw TestFault("\(pixels.count) bytes of \(size) pixels") }
        func linear(_ byte: UInt8) -> Double {
            let value = Double(byte) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        var sums: [Float] = []
        for j in 0..<4 {
            for i in 0..<4 {
                var color = [0.0, 0.0, 0.0]
                for y in 0..<height {
                    for x in 0..<width {
                        let basis =
                            cos(.pi * Double(i * x) / Double(width)) * cos(.pi * Double(j * y) / Double(height))
                        for c in 0..<3 { color[c] += basis * linear(pixels[(y * width + x) * 3 + c]) }
                    }
                }
                let scale = (i == 0 && j == 0 ? 1.0 : 2.0) / Double(width * height)
                sums += color.map { Float($0 * scale) }
            }
        }
        return BlurHash.encode(sums)
    }

    @Test(
        "a picture has the blurhash that the algorithm gives for libvips' thumbnail of it",
        arguments: ["picture.jpg", "picture.png", "picture.webp", "picture.gif"]
    )
    func same(name: String) async throws {
        for (width, height) in [(640, 360), (60, 40), (301, 401)] {
            let path = try await Samples.converted(width, height, name)
            let result = try Processed(path)
            let hash = try #require(result.media.blurhash)
            let expected = try reference(path)
            #expect(BlurHash.isValid(hash))
            if name == "picture.gif" {
                #expect(hash == expected)
                continue
            }
            // Two scalers differ by a level here and there: these are scaled by our own.
            let difference = zip(levels(hash), levels(expected)).map { abs($0 - $1) }.max() ?? 0
            #expect(difference <= 1, "\(hash) \(expected)")
        }
    }

    /// The 19 levels of red, green and blue of all components but the first.
    private func levels(_ hash: String) -> [Int] {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~")
        let digits = hash.compactMap { alphabet.firstIndex(of: $0) }
        return stride(from: 6, to: digits.count - 1, by: 2).flatMap { index in
            let value = digits[index] * 83 + digits[index + 1]
            return [value / 361, value / 19 % 19, value % 19]
        }
    }

    @Test("black and white have the hashes that other implementations give them")
    func known() {
        var sums = [Float](repeating: 0, count: 48)
        let nothing = String(repeating: "fQ", count: 15)
        #expect(BlurHash.encode(sums) == "U00000" + nothing)
        for index in 0..<3 { sums[index] = 1 }
        #expect(BlurHash.encode(sums) == "U0TSUA" + nothing)
    }
}
