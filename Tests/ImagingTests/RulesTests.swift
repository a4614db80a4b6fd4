import MediaModel
import Testing

@testable import Imaging

@Suite struct RulesTests {
    @Test("the present release")
    func current() {
        let rules = ProcessingRules.mastodon(major: 4, minor: 6)
        #expect(rules == .current)
        #expect(rules == .mastodon(major: 5, minor: 0))
        #expect(
            MediaRole.allCases.map { rules.downloadBytes($0) }
                == [99, 16, 8, 8, 0, 8].map { $0 == 0 ? 262_144 : $0 << 20 }
        )
        #expect(rules.imagePixels == 33_177_600)
        #expect(rules.gifPixels == 921_600)
        #expect(rules.original == .pixels(8_294_400))
        #expect(rules.small == .pixels(230_400))
    }

    @Test(
        "older releases differ where they differ",
        arguments: [
            (3, 5, 90, false, 2, 1, 10, 40), (4, 0, 90, false, 2, 1, 10, 40), (4, 1, 90, false, 2, 1, 10, 40),
            (4, 2, 90, false, 2, 2, 16, 99), (4, 3, 90, false, 2, 2, 16, 99), (4, 4, 75, true, 8, 8, 16, 99),
            (4, 5, 75, true, 8, 8, 16, 99),
        ] as [(Int, Int, Int, Bool, Int64, Int64, Int64, Int64)]
    )
    func older(
        major: Int,
        minor: Int,
        quality: Int,
        enlarges: Bool,
        profile: Int64,
        card: Int64,
        image: Int64,
        movie: Int64
    ) {
        let rules = ProcessingRules.mastodon(major: major, minor: minor)
        #expect(rules.quality == quality)
        #expect(rules.enlargesCrops == enlarges)
        #expect(rules.profileBytes == profile << 20)
        #expect(rules.cardBytes == card << 20)
        #expect(rules.imageBytes == image << 20)
        #expect(rules.movieBytes == movie << 20)
    }

    @Test(
        "small variants, emoji and formats changed with 4.0, videos and large pictures with 4.2",
        arguments: [
            (3, 5, 160_000, 50, false, 2_073_600, 16_777_216, 2_304_000, 60, 400),
            (4, 0, 230_400, 256, true, 2_073_600, 16_777_216, 2_304_000, 60, 400),
            (4, 1, 230_400, 256, true, 2_073_600, 16_777_216, 2_304_000, 60, 400),
            (4, 2, 230_400, 256, true, 8_294_400, 33_177_600, 8_294_400, 120, 640),
        ] as [(Int, Int, Int, Int64, Bool, Int, Int, Int, Int, Int)]
    )
    func changes(
        major: Int,
        minor: Int,
        small: Int,
        emoji: Int64,
        newFormats: Bool,
        original: Int,
        pixels: Int,
        movie: Int,
        rate: Int,
        frame: Int
    ) {
        let rules = ProcessingRules.mastodon(major: major, minor: minor)
        #expect(rules.small == .pixels(small))
        #expect(rules.thumbnail == .pixels(small))
        #expect(rules.emojiBytes == emoji << 10)
        #expect(rules.original == .pixels(original))
        #expect(rules.imagePixels == pixels)
        #expect(rules.moviePixels == movie)
        #expect(rules.movieRate == rate)
        #expect(rules.frame == PixelSize(width: frame, height: frame))
        for format in [MediaFormat.webp, .avif, .heic, .heif] {
            #expect(MediaRole.attachment.accepts(format, rules) == newFormats, "\(format)")
        }
        for role in [MediaRole.avatar, .header, .emoji] { #expect(role.accepts(.webp, rules) == newFormats) }
        #expect(MediaRole.avatar.accepts(.jpeg, rules) && !MediaRole.avatar.accepts(.avif, rules))
    }

    @Test("a fork's limits replace those of its release; emoji may only get larger")
    func forks() throws {
        let values = [
            "MAX_IMAGE_SIZE": "20000000", "MAX_VIDEO_SIZE": "5000000", "MAX_EMOJI_SIZE": "1000",
            "MAX_REMOTE_EMOJI_SIZE": "524288",
        ]
        let rules = ProcessingRules.current.with(try ProcessingRules.ForkLimits { values[$0] })
        #expect(rules.imageBytes == 20_000_000)
        #expect(rules.movieBytes == 5_000_000)
        #expect(rules.emojiBytes == 524_288)
        #expect(rules.profileBytes == ProcessingRules.current.profileBytes)
        let none = try ProcessingRules.ForkLimits { $0 == "MAX_IMAGE_SIZE" ? "" : nil }
        #expect(ProcessingRules.current.with(none) == .current)
        let small = try ProcessingRules.ForkLimits { $0 == "MAX_EMOJI_SIZE" ? "10" : nil }
        #expect(ProcessingRules.current.with(small).emojiBytes == 262_144)
    }

    @Test(
        "a limit that is no number of bytes is told",
        arguments: ["16MB", "-1", "0", "9999999999999999999", "1e9", " 5"]
    )
    func wrongLimit(text: String) {
        let error = #expect(throws: SyncError.self) {
            _ = try ProcessingRules.ForkLimits { $0 == "MAX_VIDEO_SIZE" ? text : nil }
        }
        #expect(error?.code == .configuration)
        #expect(error?.what.hasPrefix("MAX_VIDEO_SIZE") == true)
    }

    @Test("a release that can use either library goes by what it is set to")
    func library() {
        #expect(ProcessingRules.mastodon(major: 4, minor: 3, libvips: true).quality == 75)
        #expect(ProcessingRules.mastodon(major: 4, minor: 3, libvips: true).profileBytes == 2 << 20)
        #expect(ProcessingRules.mastodon(major: 4, minor: 3, libvips: true).cardBytes == 8 << 20)
        #expect(ProcessingRules.mastodon(major: 4, minor: 5, libvips: false).quality == 90)
        #expect(ProcessingRules.mastodon(major: 4, minor: 5, libvips: false).profileBytes == 2 << 20)
        #expect(ProcessingRules.mastodon(major: 4, minor: 6, libvips: false) == .current)
    }

    @Test(
        "before 4.3 a small avatar is cut to a square and not enlarged",
        .enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools")
    )
    func smallAvatar() async throws {
        let result = try Processed(
            try await Samples.jpeg(200, 300),
            .avatar,
            rules: .mastodon(major: 4, minor: 2)
        )
        #expect(try Inspector.size(try result.file("original")) == PixelSize(width: 200, height: 200))
    }

    @Test(
        "a video's bit rate follows its size and the limit in bytes",
        arguments: [
            (320, 240, 2.0, 253_440), (1920, 1080, 10.0, 6_842_880), (1920, 1080, 600.0, 1_192_120),
            (1920, 1080, 0.1, 6_842_880),
        ]
    )
    func bitrate(width: Int, height: Int, duration: Double, expected: Int) {
        let arguments = MovieEncoding.video(
            PixelSize(width: width, height: height),
            duration: duration,
            .current
        )
        func value(_ name: String) -> String? { arguments.firstIndex(of: name).map { arguments[$0 + 1] } }
        #expect(value("-b:v") == "\(expected)")
        #expect(value("-maxrate") == "\(expected + 192_000)")
        #expect(value("-bufsize") == "\(expected * 5)")
    }
}
