/// What a media file is, told by its first bytes. One format stands for all content types that share a container: what is
/// in it, only a decoder knows.
package enum MediaContainer: String, Sendable, CaseIterable {
    case jpeg
    case png
    case gif
    case webp
    /// HEIC, HEIF and AVIF.
    case heif
    /// MP4, QuickTime, M4A, 3GP.
    case mp4
    /// WebM.
    case matroska
    case ogg
    case mp3
    case flac
    case wave
    case aac
    case asf

    /// How many of the first bytes are looked at.
    package static let headBytes = 64

    private static let types: [String: MediaContainer] = [
        "image/jpeg": .jpeg, "image/jpg": .jpeg, "image/png": .png, "image/gif": .gif, "image/webp": .webp,
        "image/heic": .heif, "image/heif": .heif, "image/avif": .heif, "video/mp4": .mp4, "video/quicktime": .mp4,
        "audio/mp4": .mp4, "audio/m4a": .mp4, "audio/x-m4a": .mp4, "audio/3gpp": .mp4, "video/webm": .matroska,
        "audio/webm": .matroska, "video/ogg": .ogg, "audio/ogg": .ogg, "audio/vorbis": .ogg, "audio/opus": .ogg,
        "audio/mpeg": .mp3, "audio/mp3": .mp3, "audio/flac": .flac, "audio/x-flac": .flac, "audio/wave": .wave,
        "audio/wav": .wave, "audio/x-wav": .wave, "audio/x-pn-wave": .wave, "audio/vnd.wave": .wave, "audio/aac": .aac,
        "video/x-ms-asf": .asf,
    ]

    /// The format of a content type; nil for those that are not known here.
    package init?(contentType: String) {
        guard let format = Self.types[contentType] else { return nil }
        self = format
    }

    /// What a file may be by its first bytes: mostly one format, several where a tag stands in front of the sound, none
    /// where the bytes are nothing that is known.
    package static func all(ofHead head: [UInt8]) -> Set<MediaContainer> {
        if let fixed = signatures.first(where: { $0.matches(head) }) { return fixed.formats }
        if let brand = brandFormat(head) { return [brand] }
        return frameFormat(head).map { [$0] } ?? []
    }

    /// Bytes at fixed places.
    private struct Signature {
        let formats: Set<MediaContainer>
        let parts: [(offset: Int, bytes: [UInt8])]

        init(_ formats: Set<MediaContainer>, _ parts: (Int, [UInt8])...) {
            self.formats = formats
            self.parts = parts.map { (offset: $0.0, bytes: $0.1) }
        }

        func matches(_ head: [UInt8]) -> Bool {
            parts.allSatisfy { head.dropFirst($0.offset).starts(with: $0.bytes) }
        }
    }

    private static let signatures = [
        Signature([.jpeg], (0, [0xFF, 0xD8, 0xFF])),
        Signature([.png], (0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])),
        Signature([.gif], (0, Array("GIF87a".utf8))),
        Signature([.gif], (0, Array("GIF89a".utf8))),
        Signature([.webp], (0, Array("RIFF".utf8)), (8, Array("WEBP".utf8))),
        Signature([.wave], (0, Array("RIFF".utf8)), (8, Array("WAVE".utf8))),
        Signature([.matroska], (0, [0x1A, 0x45, 0xDF, 0xA3])),
        Signature([.ogg], (0, Array("OggS".utf8))),
        Signature([.flac], (0, Array("fLaC".utf8))),
        // Tags that stand in front of any of these.
        Signature([.mp3, .aac, .flac], (0, Array("ID3".utf8))),
        Signature([.asf], (0, [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11])),
    ]

    /// Boxes that QuickTime files of old begin with.
    private static let oldBoxes: Set<String> = ["moov", "mdat", "wide", "free", "skip", "pnot"]
    private static let pictureBrands: Set<String> = [
        "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1", "avif", "avis",
    ]

    /// ISO files name their brand in the first box.
    private static func brandFormat(_ head: [UInt8]) -> MediaContainer? {
        guard head.count >= 12 else { return nil }
        let box = String(decoding: head[4..<8], as: UTF8.self)
        if oldBoxes.contains(box) { return .mp4 }
        guard box == "ftyp" else { return nil }
        return pictureBrands.contains(String(decoding: head[8..<12], as: UTF8.self)) ? .heif : .mp4
    }

    /// Sound that begins with a frame: eleven or twelve bits that are set, then the layer, which AAC has none of.
    private static func frameFormat(_ head: [UInt8]) -> MediaContainer? {
        guard head.count >= 2, head[0] == 0xFF, head[1] & 0xE0 == 0xE0 else { return nil }
        if head[1] & 0x06 != 0 { return .mp3 }
        return head[1] & 0xF0 == 0xF0 ? .aac : nil
    }
}
