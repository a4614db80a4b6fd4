internal import CPixels

/// A decoded picture as JPEG and WebP have it: brightness, and two colours that may have fewer samples. Where it is only made smaller and becomes a
/// JPEG again, its pixels are never made.
final class PlanarPicture {
    /// What samples mean: black and white are the ends of a byte, as in a JPEG, or 16 and 235.
    enum Range {
        case full
        case video
    }

    /// One component, and how far the picture reaches in its samples: not always whole ones.
    struct Plane {
        let samples: PixelBuffer
        let across: Double
        let down: Double
    }

    let size: PixelSize
    /// Brightness alone, or with two colours.
    let planes: [Plane]
    /// The ICC profile that its colours are meant in.
    let profile: [UInt8]
    let range: Range

    init(size: PixelSize, planes: [Plane], profile: [UInt8], range: Range = .full) {
        precondition(planes.count == 1 || planes.count == 3, "brightness, or brightness and two colours")
        self.size = size
        self.planes = planes
        self.profile = profile
        self.range = range
    }

    /// Makes it what was asked for.
    /// - Parameter halvesColors: whether colours become half as large as the picture.
    func resized(to target: PixelTarget, halvesColors: Bool) throws(ProcessingFault) -> PlanarPicture {
        var result = try Self.resized([planes[0]], to: target, half: 1)
        // Both colours are of one size.
        if planes.count == 3 { result += try Self.resized(Array(planes[1...]), to: target, half: halvesColors ? 2 : 1) }
        return PlanarPicture(size: target.size, planes: result, profile: profile, range: range)
    }

    /// Resizes planes of one size.
    private static func resized(_ planes: [Plane], to target: PixelTarget, half: Int) throws(ProcessingFault) -> [Plane]
    {
        let size = PixelSize(
            width: (target.size.width + half - 1) / half,
            height: (target.size.height + half - 1) / half
        )
        // Samples for each pixel of the result.
        let across = planes[0].across / Double(target.scaled.width)
        let down = planes[0].down / Double(target.scaled.height)
        let part = mds_region(
            x: Double((target.scaled.width - target.size.width) / 2) * across,
            y: Double((target.scaled.height - target.size.height) / 2) * down,
            width: Double(size.width * half) * across,
            height: Double(size.height * half) * down
        )
        return try PixelBuffer.resized(planes.map(\.samples), to: size, part: part).map { samples in
            Plane(
                samples: samples,
                across: Double(target.size.width) / Double(half),
                down: Double(target.size.height) / Double(half)
            )
        }
    }

    /// The picture as pixels, of another size.
    func pixels(of target: PixelTarget) throws(ProcessingFault) -> PixelBuffer {
        let same = try resized(to: target, halvesColors: false)
        guard same.planes.count == 3 else { return same.planes[0].samples }
        let result = try PixelBuffer(size: same.size, channels: 4, profile: profile)
        let (luma, blue, red) = (same.planes[0].samples, same.planes[1].samples, same.planes[2].samples)
        try luma.withPicture { luma throws(ProcessingFault) in
            try blue.withPicture { blue throws(ProcessingFault) in
                try red.withPicture { red throws(ProcessingFault) in
                    try result.withPicture { mds_join_planes(&luma, &blue, &red, range == .video ? 1 : 0, &$0) }
                }
            }
        }
        return result
    }
}
