internal import CVips

/// libvips, for everything but common JPEGs. Loaded when it is first needed; only web pictures can be read with it.
struct VipsLibrary {
    /// What a picture becomes.
    struct Wish {
        /// Nil leaves the size alone.
        var box: PixelSize?
        /// Fill the box, and cut off what is beyond it.
        var crops = false
        var format: MediaFormat
        var quality: Int
        var progressive = false
    }

    private init() {}

    private static let opened: Result<VipsLibrary, ProcessingFault> = {
        var message = [CChar](repeating: 0, count: Int(MDS_VIPS_MESSAGE))
        if mds_vips_open(&message) == 0 { return .success(VipsLibrary()) }
        return .failure(ProcessingFault(.unavailable, ProcessingFault.text(message)))
    }()

    static func open() throws(ProcessingFault) -> VipsLibrary { try opened.get() }

    func header(_ bytes: MediaBytes) throws(ProcessingFault) -> ImageHeader {
        var info = mds_vips_info()
        try call { mds_vips_header(bytes.buffer.baseAddress, bytes.count, &info, &$0) }
        return ImageHeader(
            storedSize: PixelSize(width: Int(info.width), height: Int(info.height)),
            orientation: Int(info.orientation),
            frames: Int(info.pages),
            end: bytes.count
        )
    }

    /// Decodes the first `frames` frames to their end.
    func check(_ bytes: MediaBytes, frames: Int) throws(ProcessingFault) {
        try call { mds_vips_check(bytes.buffer.baseAddress, bytes.count, Int32(frames), &$0) }
    }

    func convert(_ bytes: MediaBytes, _ wish: Wish) throws(ProcessingFault) -> MediaBytes {
        var request = request(wish)
        var output = mds_vips_output()
        try call { mds_vips_convert(bytes.buffer.baseAddress, bytes.count, &request, &output, &$0) }
        return try encoded(output)
    }

    /// Encodes pixels with colours; the wish's box is not looked at.
    func encode(_ pixels: PixelBuffer, _ wish: Wish) throws(ProcessingFault) -> MediaBytes {
        defer { withExtendedLifetime(pixels) {} }
        precondition(pixels.channels == 4, "grey pixels are encoded by their own codecs")
        var request = request(wish)
        var input = mds_vips_picture(
            bytes: pixels.rows.base,
            width: Int32(pixels.size.width),
            height: Int32(pixels.size.height),
            stride: pixels.rows.stride
        )
        var output = mds_vips_output()
        try call { mds_vips_encode(&input, &request, &output, &$0) }
        return try encoded(output)
    }

    private func request(_ wish: Wish) -> mds_vips_wish {
        mds_vips_wish(
            width: Int32(clamping: wish.box?.width ?? 0),
            height: Int32(clamping: wish.box?.height ?? 0),
            crop: wish.crops ? 1 : 0,
            format: format(wish.format),
            quality: Int32(wish.quality),
            progressive: wish.progressive ? 1 : 0
        )
    }

    private func encoded(_ output: mds_vips_output) throws(ProcessingFault) -> MediaBytes {
        guard let memory = output.bytes else { throw .noMemory("an encoded picture") }
        return MediaBytes(memory, count: output.size) { mds_vips_free($0) }
    }

    private func format(_ format: MediaFormat) -> mds_vips_format {
        switch format {
        case .png: MDS_VIPS_PNG
        case .webp: MDS_VIPS_WEBP
        default: MDS_VIPS_JPEG
        }
    }

    /// The picture scaled to fit into a box, up or down.
    func pixels(_ bytes: MediaBytes, box: PixelSize) throws(ProcessingFault) -> PixelBuffer {
        var output = mds_vips_output()
        try call {
            mds_vips_pixels(bytes.buffer.baseAddress, bytes.count, Int32(box.width), Int32(box.height), &output, &$0)
        }
        guard let memory = output.bytes else { throw .noMemory("pixels") }
        return PixelBuffer(
            memory,
            size: PixelSize(width: Int(output.width), height: Int(output.height)),
            channels: 4,
            stride: Int(output.width) * 4
        )
    }

    private func call(_ body: (inout [CChar]) -> Int32) throws(ProcessingFault) {
        var message = [CChar](repeating: 0, count: Int(MDS_VIPS_MESSAGE))
        let result = body(&message)
        if result == 0 { return }
        let kind: ProcessingFault.Kind = UInt32(result) == MDS_VIPS_NO_MEMORY.rawValue ? .outOfMemory : .undecodable
        throw ProcessingFault(kind, ProcessingFault.text(message))
    }
}
