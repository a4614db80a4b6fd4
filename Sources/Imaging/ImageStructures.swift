/// Walks over the chunks of a PNG to its end.
enum PNGStructure {
    static func read(_ bytes: UnsafeRawBufferPointer) throws(ProcessingFault) -> ImageHeader {
        var cursor = ByteCursor(bytes, at: 8)
        var header = ImageHeader(storedSize: PixelSize(width: 0, height: 0), end: 0)
        var isFirst = true
        while true {
            let length = try cursor.big32()
            let isEnd = cursor.isAt("IEND")
            guard isFirst == cursor.isAt("IHDR") else { throw ProcessingFault(.undecodable, "a PNG without a header") }
            try cursor.skip(4)
            if isFirst {
                var fields = cursor
                header.storedSize = PixelSize(width: try fields.big32(), height: try fields.big32())
                isFirst = false
            }
            // The content and its checksum, which decoders compare.
            try cursor.skip(length)
            try cursor.skip(4)
            if isEnd {
                header.end = cursor.index
                return header
            }
        }
    }
}

/// Walks over the blocks of a GIF to its end.
enum GIFStructure {
    static func read(_ bytes: UnsafeRawBufferPointer) throws(ProcessingFault) -> ImageHeader {
        var cursor = ByteCursor(bytes, at: 6)
        let screen = PixelSize(width: try cursor.little16(), height: try cursor.little16())
        var header = ImageHeader(storedSize: screen, frames: 0, end: 0)
        let flags = try cursor.byte()
        try cursor.skip(2)
        try skipColors(&cursor, flags)
        while true {
            // Many encoders forget the trailer: a file that ends between two blocks is whole.
            guard cursor.left > 0 else { break }
            let block = try cursor.byte()
            if block == 0x3B { break }
            switch block {
            case 0x21:
                try cursor.skip(1)
                try skipData(&cursor)
            case 0x2C:
                header.frames += 1
                let (left, top) = (try cursor.little16(), try cursor.little16())
                header.reach.width = max(header.reach.width, left + (try cursor.little16()))
                header.reach.height = max(header.reach.height, top + (try cursor.little16()))
                try skipColors(&cursor, try cursor.byte())
                try cursor.skip(1)
                try skipData(&cursor)
            default:
                // Decoders stop here; what came before is the picture.
                guard header.frames > 0 else { throw ProcessingFault(.undecodable, "a block of a GIF is damaged") }
                cursor.index -= 1
                header.end = cursor.index
                return header
            }
        }
        guard header.frames > 0 else { throw ProcessingFault(.undecodable, "a GIF without a picture") }
        header.end = cursor.index
        return header
    }

    private static func skipColors(_ cursor: inout ByteCursor, _ flags: UInt8) throws(ProcessingFault) {
        if flags & 0x80 != 0 { try cursor.skip(3 << (Int(flags & 0x07) + 1)) }
    }

    private static func skipData(_ cursor: inout ByteCursor) throws(ProcessingFault) {
        while true {
            let count = try cursor.byte()
            if count == 0 { return }
            try cursor.skip(Int(count))
        }
    }
}

/// Reads the header and the frames of a WebP.
enum WebPStructure {
    static func read(_ bytes: UnsafeRawBufferPointer) throws(ProcessingFault) -> ImageHeader {
        var cursor = ByteCursor(bytes, at: 4)
        let length = try cursor.little32()
        let end = length + 8 + length % 2
        // The last byte may be padding that some encoders leave out.
        guard length >= 12, length + 8 <= bytes.count else { throw .cutOff }
        try cursor.skip(4)
        var header = ImageHeader(storedSize: PixelSize(width: 0, height: 0), frames: 0, end: min(end, bytes.count))
        while cursor.index + 8 <= length + 8 {
            let chunk = cursor
            try cursor.skip(4)
            let size = try cursor.little32()
            var content = cursor
            if chunk.isAt("ANMF") { header.frames += 1 }
            if header.storedSize.width == 0 {
                if chunk.isAt("VP8X") {
                    try content.skip(4)
                    header.storedSize = PixelSize(width: try content.little24() + 1, height: try content.little24() + 1)
                } else if chunk.isAt("VP8L") {
                    try content.skip(1)
                    let bits = try content.little32()
                    header.storedSize = PixelSize(width: bits & 0x3FFF + 1, height: bits >> 14 & 0x3FFF + 1)
                } else if chunk.isAt("VP8 ") {
                    try content.skip(6)
                    let width = try content.little16() & 0x3FFF
                    header.storedSize = PixelSize(width: width, height: try content.little16() & 0x3FFF)
                }
            }
            if chunk.isAt("EXIF") { header.isTurned = isTurned(content, size) }
            try cursor.skip(min(size + size % 2, cursor.left))
        }
        header.frames = max(1, header.frames)
        return header
    }

    private static func isTurned(_ content: ByteCursor, _ size: Int) -> Bool {
        // Some put the word before it that JPEG has.
        let start = min(content.index + (content.isAt("Exif\0\0") ? 6 : 0), content.bytes.count)
        let end = min(content.index + size, content.bytes.count)
        guard start < end else { return false }
        return EXIF.orientation(UnsafeRawBufferPointer(rebasing: content.bytes[start..<end])) ?? 1 != 1
    }
}
