import MediaModel
import Testing

/// Formats by the first bytes, as their specifications give them.
@Suite struct MediaFormatTests {
    /// A file's first bytes and what it may be.
    struct Head: Sendable {
        let bytes: [UInt8]
        let formats: Set<MediaContainer>

        init(_ bytes: [UInt8], _ formats: Set<MediaContainer>) {
            self.bytes = bytes
            self.formats = formats
        }

        init(text: String, _ formats: Set<MediaContainer>) {
            self.init(Array(text.utf8), formats)
        }
    }

    private static let heads: [Head] = [
        Head([0xFF, 0xD8, 0xFF, 0xE0], [.jpeg]),
        Head([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], [.png]),
        Head(text: "GIF89a", [.gif]),
        Head(text: "GIF87a", [.gif]),
        Head(text: "RIFF....WEBPVP8 ", [.webp]),
        Head(text: "RIFF....WAVEfmt ", [.wave]),
        Head(text: "\0\0\0 ftypavif", [.heif]),
        Head(text: "\0\0\0 ftypheic", [.heif]),
        Head(text: "\0\0\0 ftypmif1", [.heif]),
        Head(text: "\0\0\0 ftypisom", [.mp4]),
        Head(text: "\0\0\0 ftypqt  ", [.mp4]),
        Head(text: "\0\0\0 ftypM4A ", [.mp4]),
        Head(text: "\0\0\0 moov....", [.mp4]),
        Head([0x1A, 0x45, 0xDF, 0xA3], [.matroska]),
        Head(text: "OggS", [.ogg]),
        Head(text: "fLaC", [.flac]),
        Head(text: "ID3", [.mp3, .aac, .flac]),
        Head([0xFF, 0xFB], [.mp3]),
        Head([0xFF, 0xF3], [.mp3]),
        Head([0xFF, 0xE2], [.mp3]),
        Head([0xFF, 0xF1], [.aac]),
        Head([0xFF, 0xF9], [.aac]),
        Head([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11], [.asf]),
        // What is none of them, or was cut.
        Head([], []),
        Head([0xFF], []),
        Head([0xFF, 0xE0], []),
        Head([UInt8](repeating: 0, count: 64), []),
        Head(text: "<html><body>", []),
        Head(text: "RIFF", []),
        Head(text: "RIFF....AVI ", []),
        Head(text: "\0\0\0 ftyp", []),
        Head(text: "GIF88a", []),
    ]

    @Test("a format is told by its first bytes; what is none of them, or was cut, is nothing", arguments: heads)
    func formats(head: Head) {
        #expect(MediaContainer.all(ofHead: head.bytes) == head.formats)
    }

    @Test("every format is that of a content type, and types that are not known have none")
    func types() {
        let types = [
            "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "video/quicktime", "audio/webm",
            "audio/ogg", "audio/mpeg", "audio/flac", "audio/x-wav", "audio/aac", "video/x-ms-asf",
        ]
        #expect(Set(types.compactMap { MediaContainer(contentType: $0) }) == Set(MediaContainer.allCases))
        #expect(MediaContainer(contentType: "application/zip") == nil)
        #expect(MediaContainer(contentType: "") == nil)
    }
}
