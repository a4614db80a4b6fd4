import Glibc
import MediaModel
import MediasyncTesting
import Testing

@testable import Imaging

@Suite(.enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools")) struct ImageTests {
    @Test("a picture within the limits is kept byte for byte, also as its small variant")
    func untouched() async throws {
        let path = try await Samples.jpeg(640, 360)
        let bytes = try Disk.read(path)
        let result = try Processed(path, fileExtension: "jpg")
        #expect(result.media.contentType == "image/jpeg")
        #expect(result.media.fileExtension == "jpg")
        #expect(result.media.variants.map(\.style) == ["original", "small"])
        for style in ["original", "small"] {
            #expect(try result.variant(style).source == .input(bytes: Int64(bytes.count)))
            #expect(try result.variant(style).fileExtension == "jpg")
            #expect(try result.content(style) == bytes)
        }
        let size = PixelSize(width: 640, height: 360)
        #expect(result.media.meta == MediaMeta(original: .image(size), small: size))
    }

    @Test(
        "what follows the end of a picture is cut off",
        arguments: ["picture.jpg", "picture.png", "picture.gif", "picture.webp"]
    )
    func trailing(name: String) async throws {
        let bytes = try Disk.read(try await Samples.converted(320, 200, name))
        let result = try Processed(bytes + Array("<html><script>alert(1)</script>".utf8))
        #expect(try result.content("original") == bytes)
    }

    @Test(
        "a picture that is cut anywhere is refused",
        arguments: ["picture.jpg", "picture.png", "picture.gif", "picture.webp", "picture.avif"]
    )
    func truncated(name: String) async throws {
        let bytes = try Disk.read(try await Samples.converted(320, 200, name))
        for part in [10, 50, 90, 99] {
            #expect(throws: ProcessingFault.self, "\(part) %") {
                try Processed(Array(bytes.prefix(bytes.count * part / 100)))
            }
        }
    }

    @Test("a JPEG whose data end early is refused although its end is marked")
    func emptied() async throws {
        let bytes = try Disk.read(try await Samples.jpeg(640, 360))
        for part in [50, 80] {
            let damaged = Array(bytes.prefix(bytes.count * part / 100)) + [0xFF, 0xD9]
            let fault = #expect(throws: ProcessingFault.self) { try Processed(damaged) }
            #expect(fault?.kind == .truncated)
        }
    }

    /// Sizes around the ratios at which decoders scale, and odd ones.
    @Test(
        "the small variant is as large as libvips would make it, and no less like the picture",
        arguments: [(1440, 1080), (801, 1201), (1224, 1632), (2879, 1003)]
    )
    func small(width: Int, height: Int) async throws {
        let picture = try await Samples.picture(width, height)
        let jpeg = try await Samples.jpeg(width, height)
        let result = try Processed(jpeg)
        let ours = try result.file("small")
        #expect(try Inspector.size(ours) == (try result.variant("small").size))

        let w = (230_400.0 * Double(width) / Double(height)).squareRoot().rounded()
        let h = (230_400.0 * Double(height) / Double(width)).squareRoot().rounded()
        let place = result.workbench.place.path
        let theirs = place / "theirs.jpg"
        try Samples.vips([
            "thumbnail", Samples.text(jpeg), Samples.text(theirs), "\(Int(w))", "--height", "\(Int(h))", "--size",
            "down",
        ])
        let size = try Inspector.size(theirs)
        #expect(try Inspector.size(ours) == size)
        // An independent scaler makes of the lossless picture what both should look like.
        let ideal = place / "ideal.png"
        try Samples.ffmpeg([
            "-i", Samples.text(picture), "-vf", "scale=\(size.width):\(size.height):flags=lanczos+accurate_rnd",
            Samples.text(ideal),
        ])
        let likeness = try Inspector.similarity(ours, ideal)
        let theirLikeness = try Inspector.similarity(theirs, ideal)
        // One size loses a little and another gains; over many, scripts/bench images holds the mean within 0.2 dB.
        #expect(likeness > theirLikeness - 0.3, "ours \(likeness) dB, libvips \(theirLikeness) dB")
        let bytes = (ours: try Disk.read(ours).count, theirs: try Disk.read(theirs).count)
        #expect(Double(bytes.ours) < Double(bytes.theirs) * 1.1, "\(bytes)")
    }

    @Test("a picture over the limit is made smaller, and the small variant of that")
    func large() async throws {
        let result = try Processed(try await Samples.jpeg(4000, 3000))
        #expect(try Inspector.size(try result.file("original")) == PixelSize(width: 3325, height: 2494))
        #expect(try Inspector.size(try result.file("small")) == PixelSize(width: 554, height: 416))
        #expect(result.media.meta.original == .image(PixelSize(width: 3325, height: 2494)))
    }

    @Test("the ICC profile stays, and everything else that is not the picture goes", arguments: [false, true])
    func metadata(turned: Bool) async throws {
        let plain = try Disk.read(try await Samples.jpeg(1000, 800, "[Q=90,profile=p3]"))
        let bytes = inserting(0xE1, orientation(turned ? 6 : 1) + Array("secret place".utf8), into: plain)
        let result = try Processed(inserting(0xFE, Array("secret place".utf8), into: bytes))
        let fields = try Inspector.fields(try result.file("small"))
        #expect(fields.contains("icc-profile-data"))
        #expect(!String(decoding: try result.content("small"), as: UTF8.self).contains("secret place"))
        #expect(!fields.contains { $0.hasPrefix("jpeg-comment") })
        #expect(try Inspector.size(try result.file("small")) == (try result.variant("small").size))
    }

    @Test(
        "a picture that lies on its side is stored upright where it is made anew",
        arguments: [2, 3, 5, 6, 8] as [UInt8]
    )
    func orientations(value: UInt8) async throws {
        let plain = try Disk.read(try await Samples.jpeg(1000, 800, "[Q=90,strip]"))
        let bytes = inserting(0xE1, orientation(value), into: plain)
        let result = try Processed(bytes)
        let isTurned = value >= 5
        let size = isTurned ? PixelSize(width: 800, height: 1000) : PixelSize(width: 1000, height: 800)
        #expect(result.media.meta.original == .image(size))
        #expect(try result.content("original") == bytes)
        let small = try Inspector.size(try result.file("small"))
        #expect(small == (isTurned ? PixelSize(width: 429, height: 536) : PixelSize(width: 536, height: 429)))
    }

    @Test(
        "every kind of JPEG is decoded",
        arguments: [
            "[Q=90,interlace]", "[Q=95,subsample-mode=off]", "[Q=50,optimize-coding]", "[Q=80,restart-interval=3]",
        ]
    )
    func kinds(options: String) async throws {
        let result = try Processed(try await Samples.jpeg(1000, 800, options))
        #expect(try Inspector.size(try result.file("small")) == PixelSize(width: 536, height: 429))
    }

    @Test("grey and CMYK pictures are decoded", arguments: [("b-w", 1), ("cmyk", 3)])
    func colorSpaces(space: String, bands: Int) async throws {
        let picture = try await Samples.picture(1000, 800)
        let path = try await Samples.path("\(space).jpg") { path in
            try Samples.vips(["colourspace", Samples.text(picture), Samples.text(path), space])
        }
        let result = try Processed(path)
        let small = try result.file("small")
        #expect(try Inspector.size(small) == PixelSize(width: 536, height: 429))
        #expect(try Program("/usr/bin/vipsheader").check(["-f", "bands"], small).text == "\(bands)\n")
    }

    @Test("HEIF and AVIF become JPEG", arguments: [("picture.avif", "avif"), ("picture.heic", "heic")])
    func modern(name: String, fileExtension: String) async throws {
        let result = try Processed(try await Samples.converted(1000, 800, name), fileExtension: fileExtension)
        #expect(result.media.contentType == "image/jpeg")
        #expect(result.media.fileExtension == "jpeg")
        #expect(try Inspector.size(try result.file("original")) == PixelSize(width: 1000, height: 800))
        #expect(try result.content("original").starts(with: [0xFF, 0xD8, 0xFF]))
        #expect(try Inspector.size(try result.file("small")) == PixelSize(width: 536, height: 429))
    }

    @Test("PNG and WebP keep their format", arguments: [("picture.png", "image/png"), ("picture.webp", "image/webp")])
    func formats(name: String, type: String) async throws {
        let result = try Processed(try await Samples.converted(1000, 800, name))
        #expect(result.media.contentType == type)
        let small = try result.file("small")
        #expect(try Inspector.size(small) == PixelSize(width: 536, height: 429))
        #expect(FormatSniffer.identify(try Disk.read(small)) == MediaFormat(rawValue: type).map { .media($0) })
    }

    @Test("a GIF without animation is kept, twice, and the copy is called PNG")
    func stillGIF() async throws {
        let path = try await Samples.converted(800, 600, "picture.gif")
        let result = try Processed(path)
        #expect(result.media.contentType == "image/gif")
        #expect(try result.content("small") == (try Disk.read(path)))
        #expect(try result.variant("small").fileExtension == "png")
        #expect(try result.variant("original").fileExtension == "gif")
        #expect(result.media.blurhash?.count == 36)
    }

    // MARK: Other roles

    @Test(
        "an avatar is cut to a square from its middle, unless one side is right",
        arguments: [
            ((1000, 800), (400, 400)), ((800, 1200), (400, 400)), ((200, 300), (400, 400)), ((400, 300), (400, 300)),
            ((900, 400), (900, 400)), ((400, 400), (400, 400)), ((401, 401), (400, 400)),
        ] as [((Int, Int), (Int, Int))]
    )
    func avatar(from: (Int, Int), to: (Int, Int)) async throws {
        for path in [try await Samples.jpeg(from.0, from.1), try await Samples.picture(from.0, from.1)] {
            let result = try Processed(path, .avatar)
            #expect(result.media.variants.map(\.style) == ["original"])
            #expect(try Inspector.size(try result.file("original")) == PixelSize(width: to.0, height: to.1))
            if from == to { #expect(try result.content("original") == (try Disk.read(path))) }
        }
    }

    @Test("the fast path cuts what libvips cuts")
    func sameCrop() async throws {
        let jpeg = try await Samples.jpeg(1440, 1080)
        let ours = try Processed(jpeg, .avatar)
        let place = ours.workbench.place.path
        for name in ["ideal.png", "theirs.jpg"] {
            try Samples.vips([
                "thumbnail", Samples.text(jpeg), Samples.text(place / name), "400", "--height", "400", "--crop",
                "centre",
            ])
        }
        let likeness = try Inspector.similarity(try ours.file("original"), place / "ideal.png")
        let theirLikeness = try Inspector.similarity(place / "theirs.jpg", place / "ideal.png")
        // A pixel to the side would cost ten decibels.
        #expect(likeness > theirLikeness - 2, "ours \(likeness) dB, libvips \(theirLikeness) dB")
    }

    @Test("a header has at most 750,000 pixels")
    func header() async throws {
        let result = try Processed(try await Samples.jpeg(2000, 1500), .header)
        #expect(try Inspector.size(try result.file("original")) == PixelSize(width: 1000, height: 750))
        let small = try Processed(try await Samples.jpeg(640, 360), .header)
        #expect(try small.content("original") == (try Disk.read(try await Samples.jpeg(640, 360))))
    }

    @Test(
        "an emoji is never changed, and always gets a static PNG",
        arguments: ["picture.png", "picture.gif", "picture.webp"]
    )
    func emoji(name: String) async throws {
        let path = try await Samples.converted(64, 48, name)
        let result = try Processed(path, .emoji)
        #expect(try result.content("original") == (try Disk.read(path)))
        let still = try result.content("static")
        #expect(FormatSniffer.identify(still) == .media(.png))
        #expect(try Inspector.size(try result.file("static")) == PixelSize(width: 64, height: 48))
        #expect(result.media.variants.map(\.style) == ["original", "static"])
    }

    @Test("a card's picture is small, and a GIF becomes JPEG")
    func card() async throws {
        let result = try Processed(try await Samples.jpeg(1000, 800), .card)
        #expect(try Inspector.size(try result.file("original")) == PixelSize(width: 536, height: 429))
        #expect(result.media.blurhash?.count == 36)
        let gif = try Processed(try await Samples.animation(), .card)
        #expect(gif.media.contentType == "image/jpeg")
        #expect(gif.media.fileExtension == "jpg")
        #expect(FormatSniffer.identify(try gif.content("original")) == .media(.jpeg))
    }

    @Test("a thumbnail has a blurhash and colours, and is the small size of its row")
    func thumbnail() async throws {
        let result = try Processed(try await Samples.jpeg(1000, 800), .thumbnail)
        #expect(result.media.meta.original == nil)
        #expect(result.media.meta.small == PixelSize(width: 536, height: 429))
        #expect(result.media.meta.colors != nil)
        #expect(result.media.blurhash?.count == 36)
    }

    // MARK: Refusals

    @Test("pixels are counted before they are decoded", arguments: MediaRole.allCases)
    func tooManyPixels(role: MediaRole) throws {
        let fault = #expect(throws: ProcessingFault.self) { try Processed(hollowPNG(50_000, 50_000), role) }
        #expect(fault?.kind == .tooManyPixels)
    }

    @Test("a GIF may have fewer pixels than other pictures")
    func largeGIF() async throws {
        let fault = await #expect(throws: ProcessingFault.self) {
            try Processed(try await Samples.converted(1281, 721, "picture.gif"))
        }
        #expect(fault?.kind == .tooManyPixels)
    }

    @Test(
        "a GIF's screen and its frames count, still or moving, in every role; nothing of them is decoded",
        arguments: MediaRole.allCases
    )
    func hugeFrames(role: MediaRole) throws {
        let cases: [(screen: (Int, Int), frames: [(Int, Int, Int, Int)])] = [
            ((65_535, 65_535), [(0, 0, 1, 1)]), ((10, 10), [(0, 0, 65_535, 65_535)]),
            ((10, 10), [(60_000, 60_000, 1, 1)]),
            ((1281, 721), [(0, 0, 1, 1), (0, 0, 1, 1)]), ((10, 10), [(0, 0, 10, 10), (0, 0, 65_535, 65_535)]),
        ]
        for (screen, frames) in cases {
            let gif = hollowGIF(screen, frames)
            let fault = #expect(throws: ProcessingFault.self) { try Processed(gif, role) }
            // A card and a post take GIFs; all roles do.
            #expect(fault?.kind == .tooManyPixels, "\(screen), \(frames)")
        }
    }

    @Test("a file of as many bytes as its limit is refused, one with a byte less is not")
    func bytes() async throws {
        let path = try await Samples.jpeg(640, 360)
        var rules = ProcessingRules.current
        rules.imageBytes = Int64(try Disk.read(path).count)
        let exact = rules
        let fault = #expect(throws: ProcessingFault.self) { try Processed(path, rules: exact) }
        #expect(fault?.kind == .tooLarge)
        rules.imageBytes += 1
        _ = try Processed(path, rules: rules)
    }

    @Test("a full disk is told apart")
    func fullDisk() async throws {
        let workbench = try Workbench()
        var request = try workbench.request(try Disk.read(try await Samples.jpeg(1440, 1080)), .attachment)
        let full = open("/dev/full", O_RDWR | O_CLOEXEC)
        defer { close(full) }
        request.outputs = [full]
        let fault = #expect(throws: ProcessingFault.self) { try MediaProcessor(programs: nil).process(request) }
        #expect(fault?.kind == .noSpace)
    }
}
