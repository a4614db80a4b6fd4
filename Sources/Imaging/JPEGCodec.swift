internal import CJPEG
internal import MediaModel

/// The fast path: decoded at a fraction of the size, and our own resizer does the rest. Baseline pictures stay in their planes and are read without
/// libjpeg; libjpeg reads the others, and has the last word on all.
enum JPEGCodec {
    /// Whether colours are stored at half the size.
    static func halvesColors(quality: Int) -> Bool { quality < Int(MDS_JPEG_ALL_COLORS) }

    /// All of a picture, decoded to its end and made as large as asked; nil where libjpeg has to look at it.
    static func planes(
        _ bytes: MediaBytes,
        of size: PixelSize,
        to target: PixelTarget,
        halvesColors: Bool
    ) throws(ProcessingFault) -> PlanarPicture? {
        try read(bytes, of: size, to: target, halvesColors: halvesColors)?.resized(
            to: target,
            halvesColors: halvesColors
        )
    }

    /// The same as pixels.
    static func pixels(
        _ bytes: MediaBytes,
        of size: PixelSize,
        to target: PixelTarget
    ) throws(ProcessingFault) -> PixelBuffer? {
        try read(bytes, of: size, to: target, halvesColors: false)?.pixels(of: target)
    }

    /// All of a picture in planes that are not smaller than what becomes of them.
    private static func read(
        _ bytes: MediaBytes,
        of size: PixelSize,
        to target: PixelTarget,
        halvesColors: Bool
    ) throws(ProcessingFault) -> PlanarPicture? {
        defer { withExtendedLifetime(bytes) {} }
        var wish = mds_jpeg_wish(
            width: Int32(clamping: target.scaled.width),
            height: Int32(clamping: target.scaled.height),
            halves_colors: halvesColors ? 1 : 0
        )
        var picture = mds_jpeg_planes()
        guard mds_jpeg_read(bytes.bytes, bytes.count, &wish, &picture) != 0 else { return nil }
        let profile = Array(UnsafeBufferPointer(start: picture.icc, count: picture.icc_size))
        mds_jpeg_free(picture.icc)
        let all = [picture.planes.0, picture.planes.1, picture.planes.2].prefix(Int(picture.count))
        let planes = all.compactMap { plane in
            plane.samples.map { samples in
                let size = PixelSize(width: Int(plane.width), height: Int(plane.height))
                return PlanarPicture.Plane(
                    samples: PixelBuffer(samples, size: size, channels: 1, stride: plane.stride),
                    across: plane.across,
                    down: plane.down
                )
            }
        }
        return PlanarPicture(size: size, planes: planes, profile: profile)
    }

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
        if !isKnownGood(bytes) { try checkByLibrary(bytes) }
    }

    /// libjpeg's own verdict.
    static func checkByLibrary(_ bytes: MediaBytes) throws(ProcessingFault) {
        defer { withExtendedLifetime(bytes) {} }
        var message = [CChar](repeating: 0, count: Int(MDS_JPEG_MESSAGE))
        try check(mds_jpeg_check(bytes.bytes, bytes.count, &message), message)
    }

    /// Whether a picture is known to be good from its beginning to its end. False says nothing.
    static func isKnownGood(_ bytes: MediaBytes) -> Bool {
        defer { withExtendedLifetime(bytes) {} }
        return mds_jpeg_is_good(bytes.bytes, bytes.count) != 0
    }

    static func encode(
        _ picture: PlanarPicture,
        quality: Int,
        progressive: Bool
    ) throws(ProcessingFault) -> MediaBytes {
        defer { withExtendedLifetime(picture) {} }
        precondition(picture.range == .full, "a JPEG's samples have the full range")
        var profile = picture.profile
        let planes = picture.planes.map(\.samples).map { samples in
            mds_jpeg_plane(
                samples: samples.rows.base,
                width: Int32(samples.size.width),
                height: Int32(samples.size.height),
                stride: samples.rows.stride,
                across: 0,
                down: 0
            )
        }
        return try profile.withUnsafeMutableBufferPointer { profile throws(ProcessingFault) in
            var picture = mds_jpeg_planes()
            picture.count = Int32(planes.count)
            picture.planes.0 = planes[0]
            if planes.count == 3 { (picture.planes.1, picture.planes.2) = (planes[1], planes[2]) }
            (picture.icc, picture.icc_size) = (profile.baseAddress, profile.count)
            return try encoded {
                mds_jpeg_encode_planes(&picture, Int32(quality), progressive ? 1 : 0, &$0.bytes, &$0.count, &$0.message)
            }
        }
    }

    private struct Output {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        var message = [CChar](repeating: 0, count: Int(MDS_JPEG_MESSAGE))
    }

    private static func encoded(_ body: (inout Output) -> Int32) throws(ProcessingFault) -> MediaBytes {
        var output = Output()
        try check(body(&output), output.message)
        guard let bytes = output.bytes else { throw .noMemory("an encoded picture") }
        return MediaBytes(bytes, count: output.count) { mds_jpeg_free($0) }
    }

    static func encode(_ pixels: PixelBuffer, quality: Int, progressive: Bool) throws(ProcessingFault) -> MediaBytes {
        defer { withExtendedLifetime(pixels) {} }
        var profile = pixels.profile
        return try profile.withUnsafeMutableBufferPointer { profile throws(ProcessingFault) in
            var picture = mds_jpeg_picture(
                pixels: pixels.rows.base,
                width: Int32(pixels.size.width),
                height: Int32(pixels.size.height),
                channels: Int32(pixels.channels),
                stride: pixels.rows.stride,
                icc: profile.baseAddress,
                icc_size: profile.count
            )
            return try encoded {
                mds_jpeg_encode(&picture, Int32(quality), progressive ? 1 : 0, &$0.bytes, &$0.count, &$0.message)
            }
        }
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
