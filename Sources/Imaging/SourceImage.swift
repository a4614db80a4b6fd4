/// A picture's file in memory: what was fetched, or what was made of it.
final class SourceImage {
    /// What a picture is encoded from.
    enum Decoded {
        case pixels(PixelBuffer)
        case planes(PlanarPicture)
    }

    let bytes: MediaBytes
    let format: MediaFormat
    let header: ImageHeader
    /// Whether it is the input itself, whose bytes need not be written again.
    let isInput: Bool
    /// What a made picture was encoded from.
    private let decoded: Decoded?
    /// Whether all of it was decoded without a fault.
    var wasDecoded: Bool

    private init(
        _ bytes: MediaBytes,
        _ format: MediaFormat,
        _ header: ImageHeader,
        isInput: Bool,
        decoded: Decoded? = nil
    ) {
        self.bytes = bytes
        self.format = format
        self.header = header
        self.isInput = isInput
        self.decoded = decoded
        wasDecoded = !isInput
    }

    /// What was fetched: its header is read, nothing is decoded.
    static func input(_ bytes: MediaBytes, _ format: MediaFormat) throws(ProcessingFault) -> SourceImage {
        let header = format.isHEIF ? try VipsLibrary.open().header(bytes) : try ImageHeader.read(bytes, format)
        return SourceImage(bytes, format, header, isInput: true)
    }

    /// What was made.
    static func made(
        _ bytes: MediaBytes,
        _ format: MediaFormat,
        from decoded: Decoded? = nil
    ) throws(ProcessingFault) -> SourceImage {
        SourceImage(bytes, format, try ImageHeader.read(bytes, format), isInput: false, decoded: decoded)
    }

    var size: PixelSize { header.size }
    var byteCount: Int64 { Int64(header.end) }

    /// Whether the fast path can read it.
    private var isCommonJPEG: Bool { format == .jpeg && header.orientation == 1 && header.jpeg.isCommon }

    /// Makes a picture that fits, in a format; this one where it fits already and nothing forces a change.
    func fitted(
        to fit: ProcessingRules.Fit?,
        as target: MediaFormat,
        rules: ProcessingRules,
        quality: Int? = nil,
        progressive: Bool = false
    ) throws(ProcessingFault) -> SourceImage {
        let box = fit.flatMap { boxIfNeeded($0, rules) }
        if box == nil, target == format { return self }
        var crops = false
        if case .crop = fit { crops = box != nil }
        let quality = quality ?? rules.quality
        let wish = VipsLibrary.Wish(box: box, crops: crops, format: target, quality: quality, progressive: progressive)
        if target == format, let box, let goal = goal(box, crops: crops), let decoded = try decode(goal, wish) {
            return try .made(try encode(decoded, wish), target, from: decoded)
        }
        return try convert(wish)
    }

    /// All of the picture, decoded to its end without libvips, and made as large as asked; nil where that is libvips' to do.
    private func decode(_ target: PixelTarget, _ wish: VipsLibrary.Wish) throws(ProcessingFault) -> Decoded? {
        if isCommonJPEG {
            let halves = JPEGCodec.halvesColors(quality: wish.quality)
            if let planes = try JPEGCodec.planes(bytes, of: size, to: target, halvesColors: halves) {
                wasDecoded = true
                return .planes(planes)
            }
        }
        return try fastPixels(target).map { .pixels($0) }
    }

    /// The same as pixels.
    private func fastPixels(_ target: PixelTarget) throws(ProcessingFault) -> PixelBuffer? {
        let result: PixelBuffer?
        switch format {
        case .jpeg where isCommonJPEG:
            let read = try JPEGCodec.pixels(bytes, of: size, to: target)
            result = if let read { read } else { try JPEGCodec.decode(bytes, of: size, to: target) }
        case .png: result = try PNGCodec.decode(bytes)?.resized(to: target, of: size)
        case .webp where !header.isTurned: result = try WebPCodec.pixels(bytes, of: size, to: target)
        default: result = nil
        }
        if result != nil { wasDecoded = true }
        return result
    }

    private func encode(_ decoded: Decoded, _ wish: VipsLibrary.Wish) throws(ProcessingFault) -> MediaBytes {
        switch (decoded, wish.format) {
        case (.planes(let planes), _):
            try JPEGCodec.encode(planes, quality: wish.quality, progressive: wish.progressive)
        case (.pixels(let pixels), .jpeg):
            try JPEGCodec.encode(pixels, quality: wish.quality, progressive: wish.progressive)
        case (.pixels(let pixels), .png): try PNGCodec.encode(pixels)
        case (.pixels(let pixels), _): try VipsLibrary.open().encode(pixels, wish)
        }
    }

    /// The static variant: a PNG of the first frame, as large as an avatar must be, or as the picture is.
    func still(for role: MediaRole, rules: ProcessingRules) throws(ProcessingFault) -> SourceImage {
        var wish = VipsLibrary.Wish(box: nil, format: .png, quality: rules.quality)
        // Also where one side is right already: only the original is left alone then.
        if role == .avatar, case .crop(let box) = rules.avatar {
            wish.box = cropBox(box, rules)
            wish.crops = true
        }
        return try convert(wish)
    }

    private func convert(_ wish: VipsLibrary.Wish) throws(ProcessingFault) -> SourceImage {
        let made = try VipsLibrary.open().convert(bytes, wish)
        if header.frames == 1 { wasDecoded = true }
        return try .made(made, wish.format)
    }

    /// The box to scale into; nil where the picture fits as it is.
    private func boxIfNeeded(_ fit: ProcessingRules.Fit, _ rules: ProcessingRules) -> PixelSize? {
        guard fit.isExceeded(by: size) else { return nil }
        return switch fit {
        case .pixels(let most): size.box(pixels: most)
        case .box(let box): box
        case .crop(let box): cropBox(box, rules)
        }
    }

    /// Before libvips small pictures were cut to a square of their shorter side.
    private func cropBox(_ box: PixelSize, _ rules: ProcessingRules) -> PixelSize {
        if rules.enlargesCrops { return box }
        let side = min(size.width, size.height)
        return PixelSize(width: min(box.width, side), height: min(box.height, side))
    }

    /// What the fast path has to do; nil where it would have to enlarge.
    private func goal(_ box: PixelSize, crops: Bool) -> PixelTarget? {
        guard crops else { return PixelTarget(all: size.shrunk(into: box)) }
        guard size.width >= box.width, size.height >= box.height else { return nil }
        return PixelTarget(middle: box, of: size.covering(box))
    }

    /// The picture as blurhash and colours see it: made to fit into 100 x 100, up or down.
    func preview() throws(ProcessingFault) -> PixelBuffer {
        let box = PixelSize(width: 100, height: 100)
        let target = size.fitting(box)
        switch decoded {
        case .pixels(let pixels): return try pixels.resized(to: target)
        case .planes(let planes): return try planes.pixels(of: PixelTarget(all: target))
        case nil: break
        }
        if target.width <= size.width, let pixels = try fastPixels(PixelTarget(all: target)) { return pixels }
        let result = try VipsLibrary.open().pixels(bytes, box: box)
        if header.frames == 1 { wasDecoded = true }
        return result
    }

    /// Decodes to the end what was not decoded yet: nothing is published that does not open.
    func ensureDecodable() throws(ProcessingFault) {
        if wasDecoded { return }
        switch format {
        case .jpeg where isCommonJPEG: try JPEGCodec.check(bytes)
        case .png where PNGCodec.isKnownGood(bytes): break
        case .webp where WebPCodec.isKnownGood(bytes): break
        default:
            // All frames, as far as that is work for seconds; damage further back is shown as it is.
            let most = max(1, Self.checkedPixels / max(1, size.pixels))
            try VipsLibrary.open().check(bytes, frames: min(header.frames, most))
        }
        wasDecoded = true
    }

    private static let checkedPixels = 500_000_000
}
