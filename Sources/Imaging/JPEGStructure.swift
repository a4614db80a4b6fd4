internal import Glibc

/// Walks over the segments of a JPEG to its end.
enum JPEGStructure {
    static func read(_ bytes: UnsafeRawBufferPointer) throws(ProcessingFault) -> ImageHeader {
        var header = ImageHeader(storedSize: PixelSize(width: 0, height: 0), end: 0)
        var cursor = ByteCursor(bytes, at: 2)
        var hasFrame = false
        var found: Int?
        while true {
            let marker = try nextMarker(&cursor)
            switch marker {
            case 0xD9:
                guard hasFrame else { throw ProcessingFault(.undecodable, "a JPEG without a picture") }
                header.end = cursor.index
                header.orientation = found ?? 1
                return header
            case 0x01, 0xD0...0xD8: continue
            default: break
            }
            let length = try cursor.big16()
            guard length >= 2 else { throw ProcessingFault(.undecodable, "a segment of a JPEG is damaged") }
            var segment = cursor
            try cursor.skip(length - 2)
            switch marker {
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                if hasFrame { throw ProcessingFault(.undecodable, "a JPEG with two pictures in one") }
                hasFrame = true
                try readFrame(&segment, marker, &header)
            // The first one counts.
            case 0xE1 where found == nil: found = orientation(segment, end: cursor.index)
            case 0xEE where length >= 14 && segment.isAt("Adobe"):
                try segment.skip(11)
                header.jpeg.adobeTransform = try segment.byte()
            default: continue
            }
        }
    }

    /// The next marker; what lies before it is compressed data or, between segments, padding.
    private static func nextMarker(_ cursor: inout ByteCursor) throws(ProcessingFault) -> UInt8 {
        while true {
            guard let base = cursor.bytes.baseAddress, cursor.left > 0,
                let found = memchr(base + cursor.index, 0xFF, cursor.left)
            else { throw .cutOff }
            cursor.index = UnsafeRawPointer(found) - base
            while cursor.left > 0, cursor.bytes[cursor.index] == 0xFF { cursor.index += 1 }
            let marker = try cursor.byte()
            // A stuffed 0xFF of the data; restart markers belong to the data as well.
            if marker != 0, !(0xD0...0xD7).contains(marker) { return marker }
        }
    }

    private static func readFrame(
        _ cursor: inout ByteCursor,
        _ marker: UInt8,
        _ header: inout ImageHeader
    ) throws(ProcessingFault) {
        header.jpeg.precision = Int(try cursor.byte())
        let height = try cursor.big16()
        header.storedSize = PixelSize(width: try cursor.big16(), height: height)
        header.jpeg.components = Int(try cursor.byte())
        header.jpeg.sampling = []
        for _ in 0..<header.jpeg.components {
            try cursor.skip(1)
            header.jpeg.sampling.append(try cursor.byte())
            try cursor.skip(1)
        }
        header.jpeg.isCommonProcess = marker <= 0xC2
    }

    /// The orientation that an EXIF segment gives; nil where there is none, or it is damaged.
    private static func orientation(_ segment: ByteCursor, end: Int) -> Int? {
        guard segment.isAt("Exif\0") else { return nil }
        let tiff = UnsafeRawBufferPointer(rebasing: segment.bytes[min(segment.index + 6, end)..<end])
        return EXIF.orientation(tiff)
    }
}
