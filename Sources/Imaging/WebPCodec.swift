internal import CWebP

/// Still WebPs with the usual parts. What is unusual or damaged is nobody's fault here: it is libvips' to look at.
enum WebPCodec {
    /// Of larger pictures libvips keeps only some rows at a time.
    private static let pixelsMax = 8_294_400

    /// All of a picture, decoded to its end and made as large as asked; nil where libvips has to do it.
    static func pixels(
        _ bytes: MediaBytes,
        of size: PixelSize,
        to target: PixelTarget
    ) throws(ProcessingFault) -> PixelBuffer? {
        if let planes = planes(bytes, of: size, to: target) { return try planes.pixels(of: target) }
        return try decode(bytes, of: size, to: target)?.resized(to: target, of: size)
    }

    /// What softens the edges of blocks is gone in a picture of half the size.
    private static func isCoarse(_ target: PixelTarget, of size: PixelSize) -> Int32 {
        target.reduction(of: size) >= 2 ? 1 : 0
    }

    /// A lossy picture as it is stored.
    private static func planes(_ bytes: MediaBytes, of size: PixelSize, to target: PixelTarget) -> PlanarPicture? {
        defer { withExtendedLifetime(bytes) {} }
        guard size.pixels <= pixelsMax else { return nil }
        var planes = [mds_webp_plane](repeating: mds_webp_plane(), count: 3)
        let result = mds_webp_planes(bytes.bytes, bytes.count, isCoarse(target, of: size), &planes)
        guard result == Int32(MDS_WEBP_OK.rawValue) else { return nil }
        let parts = planes.enumerated().compactMap { index, plane in
            plane.samples.map { samples in
                let held = PixelSize(width: Int(plane.width), height: Int(plane.height))
                let half = index == 0 ? 1.0 : 2.0
                return PlanarPicture.Plane(
                    samples: PixelBuffer(samples, size: held, channels: 1, stride: plane.stride),
                    across: Double(size.width) / half,
                    down: Double(size.height) / half
                )
            }
        }
        return PlanarPicture(size: size, planes: parts, profile: [], range: .video)
    }

    /// All of a picture, decoded to its end; nil where libvips has to do it.
    static func decode(_ bytes: MediaBytes, of size: PixelSize, to target: PixelTarget) -> PixelBuffer? {
        defer { withExtendedLifetime(bytes) {} }
        guard size.pixels <= pixelsMax else { return nil }
        var picture = mds_webp_picture()
        let coarse = isCoarse(target, of: size)
        guard mds_webp_decode(bytes.bytes, bytes.count, coarse, &picture) == Int32(MDS_WEBP_OK.rawValue),
            let pixels = picture.pixels
        else { return nil }
        return PixelBuffer(
            pixels,
            size: PixelSize(width: Int(picture.width), height: Int(picture.height)),
            channels: 4,
            stride: picture.stride
        )
    }

    /// Whether a picture is known to be good from its beginning to its end. False says nothing.
    static func isKnownGood(_ bytes: MediaBytes) -> Bool {
        defer { withExtendedLifetime(bytes) {} }
        return mds_webp_check(bytes.bytes, bytes.count) == Int32(MDS_WEBP_OK.rawValue)
    }
}
