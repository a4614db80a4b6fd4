import MediaModel
import MediasyncTesting
import Testing

@testable import Imaging

@Suite struct TypeTests {
    static let refused: [(String, [UInt8], ProcessingFault.Kind)] = [
        ("empty", [], .typeNotAllowed),
        ("HTML", Array("\n<!DOCTYPE html><html><script>1</script>".utf8), .typeNotAllowed),
        ("HTML behind a mark", [0xEF, 0xBB, 0xBF] + Array("<html>".utf8), .typeNotAllowed),
        ("SVG", Array(#"<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>"#.utf8), .typeNotAllowed),
        ("XML with SVG", Array(#"<?xml version="1.0"?><svg/>"#.utf8), .typeNotAllowed),
        ("playlist", Array("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n".utf8), .typeNotAllowed),
        ("concat list", Array("ffconcat version 1.0\nfile /etc/passwd\n".utf8), .typeNotAllowed),
        ("PDF", Array("%PDF-1.7".utf8), .typeNotAllowed),
        ("TIFF", [0x49, 0x49, 0x2A, 0x00, 8, 0, 0, 0], .typeNotAllowed),
        ("text", Array("not found".utf8), .unknownType),
        ("noise", SeededGenerator.bytes(5000, seed: 3).map { $0 | 1 }, .unknownType),
    ]

    @Test("what is no media is refused, whatever it is called", arguments: refused)
    func notMedia(name: String, bytes: [UInt8], kind: ProcessingFault.Kind) {
        for role in MediaRole.allCases {
            let fault = #expect(throws: ProcessingFault.self) { try Processed(bytes, role) }
            #expect(fault?.kind == kind)
            let disguised = #expect(throws: ProcessingFault.self) { try Processed(bytes, role, fileExtension: "jpg") }
            #expect(disguised?.kind == (kind == .unknownType ? .spoofed : kind))
        }
    }

    @Test(
        "the first bytes tell the type",
        arguments: [
            ("video/mp4", "\0\0\0\u{18}ftypisom\0\0\0\0"), ("video/quicktime", "\0\0\0\u{14}ftypqt  "),
            ("video/quicktime", "\0\0\0\u{8}wide"), ("audio/mp4", "\0\0\0\u{18}ftypM4A "),
            ("image/avif", "\0\0\0\u{18}ftypavif"), ("image/heic", "\0\0\0\u{18}ftypmif1\0\0\0\0heic"),
            ("image/heif", "\0\0\0\u{14}ftypmif1\0\0\0\0mif1"), ("audio/flac", "fLaC"), ("audio/mpeg", "ID3\u{3}"),
            ("audio/vnd.wave", "RIFF\0\0\0\0WAVE"), ("image/webp", "RIFF\0\0\0\0WEBP"), ("audio/ogg", "OggS\0\u{2}"),
        ]
    )
    func known(type: String, bytes: String) {
        #expect(FormatSniffer.identify(Array(bytes.utf8)) == MediaFormat(rawValue: type).map { .media($0) })
    }

    @Test("frames of sound are told from other bytes that begin like them")
    func frames() {
        #expect(FormatSniffer.identify([0xFF, 0xFB, 0x90, 0x64]) == .media(.mp3))
        #expect(FormatSniffer.identify([0xFF, 0xF1, 0x50, 0x80]) == .media(.aac))
        #expect(FormatSniffer.identify([0xFF, 0xFB, 0xF0, 0x64]) == .unknown)
        #expect(FormatSniffer.identify([0xFF, 0xFF, 0xFF, 0xFF]) == .unknown)
    }

    @Test("each role takes the types that Mastodon takes there")
    func roles() {
        for format in MediaFormat.allCases {
            let roles = Set(MediaRole.allCases.filter { $0.accepts(format, .current) })
            let expected: Set<MediaRole> =
                switch format {
                case .jpeg: [.attachment, .thumbnail, .avatar, .header, .card]
                case .png, .gif, .webp: Set(MediaRole.allCases)
                case .avif, .heic, .heif: [.attachment, .thumbnail]
                default: [.attachment]
                }
            #expect(roles == expected, "\(format)")
        }
    }

    @Test(
        "an extension comes from the table, never from the file's name",
        arguments: [
            (.jpeg, "jpg", "jpg"), (.jpeg, "JPG", "jpg"), (.jpeg, "jpe", "jpeg"), (.jpeg, "jfif", "jpeg"),
            (.jpeg, "png", "jpeg"), (.jpeg, nil, "jpeg"), (.jpeg, "../../x", "jpeg"), (.jpeg, "jpg\0", "jpeg"),
            (.png, "php", "png"), (.webp, "", "webp"),
        ] as [(MediaFormat, String?, String)]
    )
    func names(format: MediaFormat, hint: String?, result: String) {
        #expect(format.storedExtension(hint: hint) == result)
    }

    @Test(
        "headers that are cut or damaged are faults, and never more",
        arguments: [MediaFormat.jpeg, .png, .gif, .webp]
    )
    func damagedHeaders(format: MediaFormat) async throws {
        guard Samples.areTools else { return }
        let name = "picture.\(format == .jpeg ? "jpg" : format.extensions[0])"
        let whole = try Disk.read(try await Samples.converted(48, 32, name))
        var random = SeededGenerator(seed: 11)
        for round in 0..<1000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if round % 3 == 0 { bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))) }
            let header = bytes.withUnsafeBytes { buffer in try? ImageHeader.read(buffer, format) }
            if let header { #expect(header.end <= bytes.count, "seed 11, round \(round)") }
        }
    }
}
