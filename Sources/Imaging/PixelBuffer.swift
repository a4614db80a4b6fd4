internal import CPixels
internal import Glibc

/// A decoded picture: four bytes a pixel, or one where it is grey. One owner; its memory is freed once.
final class PixelBuffer {
    let size: PixelSize
    let channels: Int
    private let stride: Int
    private let base: UnsafeMutablePointer<UInt8>
    /// The ICC profile that its colours are meant in.
    let profile: [UInt8]

    /// Takes over memory of `malloc`.
    init(_ base: UnsafeMutablePointer<UInt8>, size: PixelSize, channels: Int, stride: Int, profile: [UInt8] = []) {
        self.base = base
        self.size = size
        self.channels = channels
        self.stride = stride
        self.profile = profile
    }

    /// Makes room for pixels; what they are is not said.
    convenience init(size: PixelSize, channels: Int, profile: [UInt8]) throws(ProcessingFault) {
        // Rows of whole blocks, so that all of them are aligned.
        let stride = (size.width * channels + 31) / 32 * 32
        guard let memory = malloc(stride * size.height) else { throw .noMemory("\(size) pixels") }
        self.init(
            memory.assumingMemoryBound(to: UInt8.self),
            size: size,
            channels: channels,
            stride: stride,
            profile: profile
        )
    }

    deinit {
        free(base)
    }

    /// The picture as the C kernels take it; valid while this object lives.
    func withPicture<Result>(
        _ body: (inout mds_picture) throws(ProcessingFault) -> Result
    ) throws(ProcessingFault)
        -> Result
    {
        var picture = picture
        return try body(&picture)
    }

    private var picture: mds_picture {
        mds_picture(
            pixels: base,
            width: Int32(size.width),
            height: Int32(size.height),
            stride: stride,
            channels: Int32(channels)
        )
    }

    /// Resizes a part of the picture, in pixels of its own; all of it where none is given.
    func resized(to target: PixelSize, part: mds_region? = nil) throws(ProcessingFault) -> PixelBuffer {
        let region = part ?? mds_region(x: 0, y: 0, width: Double(size.width), height: Double(size.height))
        return try Self.resized([self], to: target, part: region)[0]
    }

    /// The same of several of one size, with the tables of one.
    static func resized(
        _ pictures: [PixelBuffer],
        to target: PixelSize,
        part: mds_region
    ) throws(ProcessingFault) -> [PixelBuffer] {
        precondition(pictures.allSatisfy { $0.size == pictures[0].size && $0.channels == pictures[0].channels })
        let results = try pictures.map { (picture) throws(ProcessingFault) in
            try PixelBuffer(size: target, channels: picture.channels, profile: picture.profile)
        }
        defer { withExtendedLifetime((pictures, results)) {} }
        let (sources, targets) = (pictures.map(\.picture), results.map(\.picture))
        guard mds_resize(sources, part, targets, Int32(pictures.count)) == 0 else {
            throw .noMemory("the tables of a resizer")
        }
        return results
    }

    /// Makes it what was asked for.
    /// - Parameters:
    ///   - denominator: this is that part of the whole picture.
    ///   - whole: the size of that: the fraction's sides are rounded up.
    func resized(
        to target: PixelTarget,
        denominator: Int = 1,
        of whole: PixelSize
    ) throws(ProcessingFault) -> PixelBuffer {
        if size == target.size, denominator == 1 { return self }
        // What the fraction leaves of the sides: not always whole pixels.
        let width = Double(whole.width) / Double(denominator)
        let height = Double(whole.height) / Double(denominator)
        let across = width / Double(target.scaled.width)
        let down = height / Double(target.scaled.height)
        let part = mds_region(
            x: Double((target.scaled.width - target.size.width) / 2) * across,
            y: Double((target.scaled.height - target.size.height) / 2) * down,
            width: Double(target.size.width) * across,
            height: Double(target.size.height) * down
        )
        return try resized(to: target.size, part: part)
    }

    /// The colour of a pixel.
    func color(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let pixel = base + y * stride + x * channels
        return channels == 1 ? (pixel[0], pixel[0], pixel[0]) : (pixel[0], pixel[1], pixel[2])
    }

    func blurhash() throws(ProcessingFault) -> String {
        try withPicture { picture throws(ProcessingFault) in try BlurHash.encode(&picture) }
    }

    /// What a JPEG encoder needs.
    var rows: (base: UnsafeMutablePointer<UInt8>, stride: Int) { (base, stride) }
}
