/// Tells a type by the first bytes of a file. What the extension or the origin says counts for nothing.
enum FormatSniffer {
    /// What the first bytes are of.
    enum Answer: Hashable {
        case media(MediaFormat)
        /// Something known that is never stored.
        case other(String)
        case unknown
    }

    /// As many bytes as are looked at; `file` and browsers look at fewer.
    static let prefixBytes = 4096

    /// - Parameter bytes: the first `prefixBytes` of the file, or all of it.
    static func identify(_ bytes: [UInt8]) -> Answer {
        if bytes.isEmpty { return .other("an empty file") }
        for (offset, magic, answer) in table where matches(bytes, magic, at: offset) { return answer }
        if matches(bytes, "RIFF", at: 0) { return riff(bytes) }
        if matches(bytes, "ftyp", at: 4) { return isoMedia(bytes) }
        if matches(bytes, "OggS", at: 0) { return ogg(bytes) }
        if matches(bytes, [0x1A, 0x45, 0xDF, 0xA3], at: 0) { return matroska(bytes) }
        if let answer = mpegAudio(bytes) { return answer }
        return text(bytes)
    }

    private static let table: [(Int, [UInt8], Answer)] = [
        (0, [0xFF, 0xD8, 0xFF], .media(.jpeg)),
        (0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .media(.png)),
        (0, Array("GIF87a".utf8), .media(.gif)),
        (0, Array("GIF89a".utf8), .media(.gif)),
        (0, Array("fLaC".utf8), .media(.flac)),
        (0, Array("ID3".utf8), .media(.mp3)),
        (4, Array("moov".utf8), .media(.quicktime)),
        (4, Array("mdat".utf8), .media(.quicktime)),
        (4, Array("wide".utf8), .media(.quicktime)),
        (4, Array("free".utf8), .media(.quicktime)),
        (4, Array("skip".utf8), .media(.quicktime)),
        (0, [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11], .media(.asf)),
        (0, Array("%PDF-".utf8), .other("PDF")),
        (0, Array("PK\u{3}\u{4}".utf8), .other("a ZIP archive")),
        (0, [0x49, 0x49, 0x2A, 0x00], .other("TIFF")),
        (0, [0x4D, 0x4D, 0x00, 0x2A], .other("TIFF")),
        (0, Array("8BPS".utf8), .other("a Photoshop picture")),
        (0, Array("FLV\u{1}".utf8), .other("Flash video")),
        (0, Array("MThd".utf8), .other("MIDI")),
        (0, [0xFF, 0x0A], .other("JPEG XL")),
        (0, [0, 0, 0, 12, 0x4A, 0x58, 0x4C, 0x20], .other("JPEG XL")),
        (0, [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20], .other("JPEG 2000")),
        (0, [0x00, 0x00, 0x01, 0xBA], .other("MPEG video")),
        (0, [0x1F, 0x8B], .other("a compressed file")),
        (0, [0x7F, 0x45, 0x4C, 0x46], .other("a program")),
    ]

    private static func matches(_ bytes: [UInt8], _ magic: [UInt8], at offset: Int) -> Bool {
        bytes.count >= offset + magic.count && bytes[offset..<(offset + magic.count)].elementsEqual(magic)
    }

    private static func matches(_ bytes: [UInt8], _ magic: String, at offset: Int) -> Bool {
        matches(bytes, Array(magic.utf8), at: offset)
    }

    private static func riff(_ bytes: [UInt8]) -> Answer {
        if matches(bytes, "WEBP", at: 8) { return .media(.webp) }
        if matches(bytes, "WAVE", at: 8) { return .media(.wave) }
        if matches(bytes, "AVI ", at: 8) { return .other("AVI video") }
        return .unknown
    }

    /// MP4 and its relatives tell what they are by a brand of four letters.
    private static func isoMedia(_ bytes: [UInt8]) -> Answer {
        guard bytes.count >= 12 else { return .unknown }
        let brand = String(decoding: bytes[8..<12], as: UTF8.self)
        switch brand {
        case "avif", "avis": return .media(.avif)
        case "heic", "heix", "heim", "heis", "hevc", "hevx": return .media(.heic)
        case "mif1", "msf1": return .media(stillImage(bytes))
        case "qt  ": return .media(.quicktime)
        case "M4A ", "M4B ", "M4P ": return .media(.m4a)
        case "M4V ", "M4VP", "M4VH": return .other("iTunes video")
        case "crx ": return .other("a raw photograph")
        case "jp2 ", "jpx ": return .other("JPEG 2000")
        default: return brand.hasPrefix("3g") ? .other("3GPP video") : .media(.mp4)
        }
    }

    /// A general brand of still images: the compatible brands say which codec it is.
    private static func stillImage(_ bytes: [UInt8]) -> MediaFormat {
        let length = bytes[0..<4].reduce(0) { $0 << 8 | Int($1) }
        for offset in stride(from: 16, to: min(length, bytes.count, 256) - 3, by: 4) {
            switch String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self) {
            case "avif", "avis": return .avif
            case "heic", "heix": return .heic
            default: continue
            }
        }
        return .heif
    }

    private static func ogg(_ bytes: [UInt8]) -> Answer {
        // Every stream begins on a page of its own, all of them at the front.
        contains(bytes, [0x80] + Array("theora".utf8)) ? .media(.oggVideo) : .media(.oggAudio)
    }

    private static func matroska(_ bytes: [UInt8]) -> Answer {
        let header = Array(bytes.prefix(128))
        return contains(header, Array("webm".utf8)) ? .media(.webm) : .other("Matroska video")
    }

    /// Frames without a header of the file: MP3 (layers 1 to 3) and AAC.
    private static func mpegAudio(_ bytes: [UInt8]) -> Answer? {
        guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] & 0xE0 == 0xE0 else { return nil }
        if bytes[1] & 0xF6 == 0xF0 { return .media(.aac) }
        let isValid =
            bytes[1] & 0x18 != 0x08 && bytes[1] & 0x06 != 0 && bytes[2] & 0xF0 != 0xF0 && bytes[2] & 0x0C != 0x0C
        return isValid ? .media(.mp3) : nil
    }

    /// Documents that browsers would run.
    private static func text(_ bytes: [UInt8]) -> Answer {
        let start = bytes.prefix(1024).drop { [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
        guard start.first == UInt8(ascii: "<") else { return playlist(bytes) }
        let text = String(decoding: start, as: UTF8.self).lowercased()
        if text.contains("<svg") { return .other("SVG") }
        if text.contains("<html") || text.contains("<!doctype html") || text.contains("<script") {
            return .other("HTML")
        }
        return .other("XML")
    }

    /// Lists that name other files: decoders would open them.
    private static func playlist(_ bytes: [UInt8]) -> Answer {
        for name in ["#EXTM3U", "ffconcat", "[playlist]"] where matches(bytes, name, at: 0) {
            return .other("a playlist")
        }
        return .unknown
    }

    private static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard bytes.count >= needle.count else { return false }
        return (0...(bytes.count - needle.count)).contains { matches(bytes, needle, at: $0) }
    }
}
