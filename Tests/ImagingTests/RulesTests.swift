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
