/// What the structure of a picture's file says, without decoding it.
struct ImageHeader: Hashable {
    /// What a JPEG says beyond its size.
    struct JPEGTraits: Hashable {
        var precision = 8
        var components = 3
        /// Horizontal and vertical sampling of each component.
        var sampling: [UInt8] = []
        /// Baseline, extended or progressive with Huffman codes.
        var isCommonProcess = true
        /// The colour transform of an Adobe marker, if there is one.
        var adobeTransform: UInt8?

        /// Whether the fast path decodes it: grey or YCbCr of eight bits in the usual samplings.
        var isCommon: Bool {
            guard isCommonProcess, precision == 8, adobeTransform ?? 1 == 1, sampling.count == components else {
                return false
            }
            switch components {
            case 1: return true
            case 3: return [0x11, 0x21, 0x12, 0x22].contains(sampling[0]) && sampling[1...].allSatisfy { $0 == 0x11 }
            default: return false
            }
        }
    }

    /// As it is stored.
    var storedSize: PixelSize
    /// As EXIF numbers them; 1 is upright.
    var orientation = 1
    /// Whether EXIF says that a WebP is shown otherwise than it is stored; its size is told as it is stored all the same.
    var isTurned = false
    /// Image blocks of a GIF, frames of an animated WebP.
    var frames = 1
    /// Up to where the frames of a GIF reach, which may lie outside of its screen: some decoders make room for them.
    var reach = PixelSize(width: 0, height: 0)
    /// Where the picture ends; what follows is not part of it.
    var end: Int
    var jpeg = JPEGTraits()

    /// What a decoder may have to make room for.
    var decodedPixels: Int { max(storedSize.pixels, reach.pixels) }

    /// As it is shown.
    var size: PixelSize { orientation >= 5 ? storedSize.transposed : storedSize }

    /// Reads the header of a JPEG, PNG, GIF or WebP. The memory lives as long as this call.
    static func read(_ bytes: MediaBytes, _ format: MediaFormat) throws(ProcessingFault) -> ImageHeader {
        defer { withExtendedLifetime(bytes) {} }
        return try read(bytes.buffer, format)
    }

    /// Reads the header of a JPEG, PNG, GIF or WebP.
    static func read(_ bytes: UnsafeRawBufferPointer, _ format: MediaFormat) throws(ProcessingFault) -> ImageHeader {
        let header =
            switch format {
            case .jpeg: try JPEGStructure.read(bytes)
            case .png: try PNGStructure.read(bytes)
            case .gif: try GIFStructure.read(bytes)
            case .webp: try WebPStructure.read(bytes)
            default: preconditionFailure("the header of \(format) is libvips' to read")
            }
        guard header.storedSize.width > 0, header.storedSize.height > 0 else {
            throw ProcessingFault(.undecodable, "the picture has no size")
        }
        return header
    }
}

/// Reads numbers of a file and never beyond its end.
struct ByteCursor {
    let bytes: UnsafeRawBufferPointer
    var index = 0

    init(_ bytes: UnsafeRawBufferPointer, at index: Int = 0) {
        self.bytes = bytes
        self.index = index
    }

    var left: Int { bytes.count - index }

    mutating func byte() throws(ProcessingFault) -> UInt8 {
        guard index < bytes.count else { throw .cutOff }
        defer { index += 1 }
        return bytes[index]
    }

    mutating func big16() throws(ProcessingFault) -> Int { Int(try byte()) << 8 | Int(try byte()) }
    mutating func big32() throws(ProcessingFault) -> Int { try big16() << 16 | (try big16()) }
    mutating func little16() throws(ProcessingFault) -> Int { Int(try byte()) | Int(try byte()) << 8 }
    mutating func little24() throws(ProcessingFault) -> Int { try little16() | Int(try byte()) << 16 }
    mutating func little32() throws(ProcessingFault) -> Int { try little16() | (try little16()) << 16 }

    mutating func skip(_ count: Int) throws(ProcessingFault) {
        guard count >= 0, count <= left else { throw .cutOff }
        index += count
    }

    /// Whether these bytes come next; they are not passed over.
    func isAt(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { text in left >= text.count && bytes[index..<(index + text.count)].elementsEqual(text) }
    }
}

extension ProcessingFault {
    static let cutOff = ProcessingFault(.truncated, "the file ends in the middle of the picture")
}
