internal import CPNG

/// PNGs as almost everybody makes them. What is unusual or damaged is nobody's fault here: it is libvips' to look at.
enum PNGCodec {
    /// The most bytes of uncompressed data: of larger pictures libvips keeps only some rows at a time.
    private static let bytesMax = 40 << 20

    /// All of a picture, decoded to its end; nil where libvips has to do it.
    static func decode(_ bytes: MediaBytes) -> PixelBuffer? {
        defer { withExtendedLifetime(bytes) {} }
        var picture = mds_png_picture()
        guard mds_png_decode(bytes.bytes, bytes.count, bytesMax, &picture) == Int32(MDS_PNG_OK.rawValue),
            let pixels = picture.pixels
        else { return nil }
        return PixelBuffer(
            pixels,
            size: PixelSize(width: Int(picture.width), height: Int(picture.height)),
            channels: Int(picture.channels),
            stride: picture.stride
        )
    }

    /// Whether a picture is known to be good from its beginning to its end. False says nothing.
    static func isKnownGood(_ bytes: MediaBytes) -> Bool {
        defer { withExtendedLifetime(bytes) {} }
        return mds_png_check(bytes.bytes, bytes.count, bytesMax) == Int32(MDS_PNG_OK.rawValue)
    }

    static func encode(_ pixels: PixelBuffer) throws(ProcessingFault) -> MediaBytes {
        defer { withExtendedLifetime(pixels) {} }
        var picture = mds_png_picture(
            pixels: pixels.rows.base,
            width: Int32(pixels.size.width),
            height: Int32(pixels.size.height),
            channels: Int32(pixels.channels),
            stride: pixels.rows.stride
        )
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard mds_png_encode(&picture, &bytes, &count) == Int32(MDS_PNG_OK.rawValue), let bytes else {
            throw .noMemory("an encoded picture")
        }
        return MediaBytes(bytes, count: count) { mds_png_free($0) }
    }
}
