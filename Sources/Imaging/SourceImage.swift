/// A picture's file in memory: what was fetched, or what was made of it.
final class SourceImage {
    let bytes: MediaBytes
    let format: MediaFormat
    let header: ImageHeader
    /// Whether it is the input itself, whose bytes need not be written again.
    let isInput: Bool
    /// What a made picture was encoded from.
    let pixels: PixelBuffer?
    /// Whether all of it was decoded without a fault.
    var wasDecoded: Bool

    private init(
        _ bytes: MediaBytes,
        _ format: MediaFormat,
        _ header: ImageHeader,
        isInput: Bool,
        pixels: PixelBuffer? = nil
    ) {
        self.bytes = bytes
        self.format = format
        self.header = header
        self.isInput = isInput
        self.pixels = pixels
        wasDecoded = !isInput
    }

    /// What was fetched: its header is read, nothing is decoded.
    static func input(_ bytes: MediaBytes, _ format: MediaFormat) throws(ProcessingFault) -> SourceImage {
        let header = format.isHEIF ? try VipsLibrary.open().header(bytes) : try ImageHeader.read(bytes.buffer, format)
        return SourceImage(bytes, format, header, isInput: true)
    }

    /// What was made.
    static func made(
        _ bytes: MediaBytes,
        _ format: MediaFormat,
        size: PixelSize,
        pixels: PixelBuffer? = nil
    ) -> SourceImage {
        let header = ImageHeader(storedSize: size, end: bytes.count)
        return SourceImage(bytes, format, header, isInput: false, pixels: pixels)
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
        if target == .jpeg, isCommonJPEG, let box, let goal = goal(box, crops: crops) {
            let pixels = try JPEGCodec.decode(bytes, of: size, to: goal)
            wasDecoded = true
            let encoded = try JPEGCodec.encode(pixels, quality: quality, progressive: progressive)
            return .made(encoded, .jpeg, size: pixels.size, pixels: pixels)
        }
        return try convert(
            VipsLibrary.Wish(box: box, crops: crops, format: target, quality: quality, progressive: progressive)
        )
    }

    /// Makes a picture of the same size in a format, also where it is of that format already.
    func converted(to target: MediaFormat, rules: ProcessingRules) throws(ProcessingFault) -> SourceImage {
        try convert(VipsLibrary.Wish(box: nil, format: target, quality: rules.quality))
    }

    private func convert(_ wish: VipsLibrary.Wish) throws(ProcessingFault) -> SourceImage {
        let made = try VipsLibrary.open().convert(bytes, wish)
        if header.frames == 1 { wasDecoded = true }
        return .made(made.bytes, wish.format, size: made.size)
    }

    /// The box to scale into; nil where the picture fits as it is.
    private func boxIfNeeded(_ fit: ProcessingRules.Fit, _ rules: ProcessingRules) -> PixelSize? {
        switch fit {
        case .pixels(let most): size.pixels > most ? size.box(pixels: most) : nil
        case .box(let box): size.width > box.width || size.height > box.height ? box : nil
        case .crop(let box):
            // One side that is right is enough: Mastodon leaves such pictures alone.
            if size.width == box.width || size.height == box.height {
                nil
            } else if rules.enlargesCrops {
                box
            } else {
                PixelSize(
                    width: min(box.width, size.width, size.height),
                    height: min(box.height, size.width, size.height)
                )
            }
        }
    }

    /// What the fast path has to do; nil where it would have to enlarge.
    private func goal(_ box: PixelSize, crops: Bool) -> JPEGCodec.Target? {
        guard crops else { return JPEGCodec.Target(all: size.shrunk(into: box)) }
        guard size.width >= box.width, size.height >= box.height else { return nil }
        return JPEGCodec.Target(middle: box, of: size.covering(box))
    }

    /// The picture as blurhash and colours see it: made to fit into 100 x 100, up or down.
    func preview() throws(ProcessingFault) -> PixelBuffer {
        let box = PixelSize(width: 100, height: 100)
        let target = size.fitting(box)
        if let pixels { return try pixels.resized(to: target) }
        if isCommonJPEG, target.width <= size.width {
            let result = try JPEGCodec.decode(bytes, of: size, to: JPEGCodec.Target(all: target))
            wasDecoded = true
            return result
        }
        let result = try VipsLibrary.open().pixels(bytes, box: box)
        if header.frames == 1 { wasDecoded = true }
        return result
    }

    /// Decodes to the end what was not decoded yet: nothing is published that does not open.
    func ensureDecodable() throws(ProcessingFault) {
        if wasDecoded { return }
        if isCommonJPEG {
            try JPEGCodec.check(bytes)
        } else {
            // All frames, as far as that is work for seconds; damage further back is shown as it is.
            let most = max(1, Self.checkedPixels / max(1, size.pixels))
            try VipsLibrary.open().check(bytes, frames: min(header.frames, most))
        }
        wasDecoded = true
    }

    private static let checkedPixels = 500_000_000
}
