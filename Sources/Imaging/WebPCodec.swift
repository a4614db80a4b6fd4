internal import CWebP

/// Still WebPs with the usual parts. What is unusual or damaged is nobody's fault here: it is libvips' to look at.
enum WebPCodec {
    /// Of larger pictures libvips keeps only some rows at a time.
    private static let pixelsMax = 8_294_400

    /// All of a picture, decoded to its end; nil where libvips has to do it.
    static func decode(_ bytes: MediaBytes, of size: PixelSize, to target: PixelTarget) -> PixelBuffer? {
        defer { withExtendedLifetime(bytes) {} }
        guard size.pixels <= pixelsMax else { return nil }
        var picture = mds_webp_picture()
        let isCoarse: Int32 = target.reduction(of: size) >= 2 ? 1 : 0
        guard mds_webp_decode(bytes.bytes, bytes.count, isCoarse, &picture) == Int32(MDS_WEBP_OK.rawValue),
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
