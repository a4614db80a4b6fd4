internal import CJPEG
internal import MediaModel

/// The fast path: libjpeg decodes at a fraction of the size, and our own resizer does the rest.
enum JPEGCodec {
    /// Decodes all of a picture to its end, and makes it as large as asked; never enlarges.
    static func decode(
        _ bytes: MediaBytes,
        of size: PixelSize,
        to target: PixelTarget
    ) throws(ProcessingFault) -> PixelBuffer {
        let denominator =
            [8, 4, 2].first {
                size.width >= target.scaled.width * $0 && size.height >= target.scaled.height * $0
            } ?? 1
        let picture = try decode(bytes, denominator: denominator)
        return try picture.resized(to: target, denominator: denominator, of: size)
    }

    private static func decode(_ bytes: MediaBytes, denominator: Int) throws(ProcessingFault) -> PixelBuffer {
        var picture = mds_jpeg_picture()
        var message = [CChar](repeating: 0, count: Int(MDS_JPEG_MESSAGE))
        let result = mds_jpeg_decode(bytes.bytes, bytes.count, Int32(denominator), &picture, &message)
        try check(result, message)
        guard let pixels = picture.pixels else { throw .noMemory("pixels") }
        let profile = Array(UnsafeBufferPointer(start: picture.icc, count: picture.icc_size))
        mds_jpeg_free(picture.icc)
        return PixelBuffer(
            pixels,
            size: PixelSize(width: Int(picture.width), height: Int(picture.height)),
            channels: Int(picture.channels),
            stride: picture.stride,
            profile: profile
        )
    }

    /// Whether a picture can be decoded to its end.
    static func check(_ bytes: MediaBytes) throws(ProcessingFault) {
        var message = [CChar](repeating: 0, count: Int(MDS_JPEG_MESSAGE))
        try check(mds_jpeg_check(bytes.bytes, bytes.count, &message), message)
    }

    static func encode(_ pixels: PixelBuffer, quality: Int, progressive: Bool) throws(ProcessingFault) -> MediaBytes {
        var profile = pixels.profile
        var message = [CChar](repeating: 0, count: Int(MDS_JPEG_MESSAGE))
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let result = profile.withUnsafeMutableBufferPointer { profile in
            var picture = mds_jpeg_picture(
                pixels: pixels.rows.base,
                width: Int32(pixels.size.width),
                height: Int32(pixels.size.height),
                channels: Int32(pixels.channels),
                stride: pixels.rows.stride,
                icc: profile.baseAddress,
                icc_size: profile.count
            )
            return mds_jpeg_encode(&picture, Int32(quality), progressive ? 1 : 0, &bytes, &count, &message)
        }
        try check(result, message)
        guard let bytes else { throw .noMemory("an encoded picture") }
        return MediaBytes(bytes, count: count) { mds_jpeg_free($0) }
    }

    private static func check(_ result: Int32, _ message: [CChar]) throws(ProcessingFault) {
        if result == Int32(MDS_JPEG_OK.rawValue) { return }
        let kind: ProcessingFault.Kind =
            switch UInt32(result) {
            case MDS_JPEG_TRUNCATED.rawValue: .truncated
            case MDS_JPEG_NO_MEMORY.rawValue: .outOfMemory
            default: .undecodable
            }
        throw ProcessingFault(kind, "JPEG: \(ProcessingFault.text(message))")
    }
}

extension ProcessingFault {
    /// A C library's message, escaped: parts of it may come from the file.
    static func text(_ message: [CChar]) -> String {
        BytePath.escaped(message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }
}
