import MediaModel
import MediasyncTesting
import Testing

@testable import Imaging

@Suite(.enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools")) struct MovieTests {
    static let programs = MoviePrograms.installed(launcher: BytePath(BinaryRunner.path))

    private func process(
        _ path: BytePath,
        _ role: MediaRole = .attachment,
        rules: ProcessingRules = .current
    ) throws
        -> Processed
    {
        try Processed(path, role, rules: rules, by: MediaProcessor(programs: Self.programs))
    }

    private func kind(_ path: BytePath, rules: ProcessingRules = .current) -> ProcessingFault.Kind? {
        #expect(throws: ProcessingFault.self) { try process(path, rules: rules) }?.kind
    }

    @Test("a video that browsers play is kept, without its metadata")
    func kept() async throws {
        let path = try await Samples.movie(
            "titled.mp4",
            [
                "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-metadata",
                "title=secret",
            ]
        )
        let result = try process(path)
        #expect(result.media.contentType == "video/mp4")
        #expect(result.media.fileExtension == "mp4")
        #expect(result.media.attachmentType == .video)
        #expect(result.media.variants.map(\.style) == ["original", "small"])
        #expect(result.media.variants.map(\.fileExtension) == ["mp4", "png"])
        let original = try result.file("original")
        #expect(try Inspector.stream(original, "stream=codec_name") == ["h264", "aac"])
        #expect(try Inspector.stream(original, "format_tags=title") == [])
        // The index stands before the content, so that players need not read to the end.
        let bytes = try result.content("original")
        let index = try #require(place(of: "moov", in: bytes))
        #expect(index < (try #require(place(of: "mdat", in: bytes))))
        let small = try result.file("small")
        #expect(try Inspector.size(small) == PixelSize(width: 320, height: 240))
        #expect(FormatSniffer.identify(try Disk.read(small)) == .media(.png))
        #expect(result.media.blurhash?.count == 36)
        guard case .movie(let movie) = result.media.meta.original else {
            Issue.record("no video: \(result.media.meta)")
            return
        }
        #expect(movie.size == PixelSize(width: 320, height: 240))
        #expect(movie.frameRate == "30/1")
        #expect(abs((movie.duration ?? 0) - 2) < 0.1)
        #expect(movie.bitrate ?? 0 > 10_000)
    }

    private func place(of text: String, in bytes: [UInt8]) -> Int? {
        let text = Array(text.utf8)
        return bytes.indices.dropLast(3).first { bytes[$0..<($0 + 4)].elementsEqual(text) }
    }

    @Test("the frames of a kept video are the fetched ones, bit by bit")
    func sameFrames() async throws {
        let path = try await Samples.h264("kept.mp4")
        let result = try process(path)
        func frames(_ path: BytePath) throws -> String {
            try Program("/usr/bin/ffmpeg").check([
                "-v", "error", "-i", Samples.text(path), "-map", "0:v", "-f", "md5", "-",
            ]).text
        }
        #expect(try frames(try result.file("original")) == (try frames(path)))
    }

    @Test(
        "other videos are encoded anew",
        arguments: [
            ("other.webm", ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"]),
            ("other.mov", ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]),
            ("other.mp4", ["-c:v", "mpeg4", "-c:a", "aac"]),
            ("deep.mp4", ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", "-c:a", "aac"]),
            ("other.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"]),
        ]
    )
    func encoded(name: String, arguments: [String]) async throws {
        let result = try process(try await Samples.movie(name, size: "321x241", arguments))
        let original = try result.file("original")
        #expect(try Inspector.stream(original, "stream=codec_name") == ["h264", "aac"])
        #expect(try Inspector.stream(original, "stream=pix_fmt,width,height").prefix(3) == ["320", "240", "yuv420p"])
        #expect(result.media.attachmentType == .video)
        #expect(result.media.contentType == "video/mp4")
    }

    @Test("a video without sound is a gifv")
    func silent() async throws {
        #expect(try process(try await Samples.h264("silent.mp4", sound: false)).media.attachmentType == .gifv)
    }

    @Test("a frame fits into 640 x 640, and into 400 x 400 before 4.2")
    func frame() async throws {
        let path = try await Samples.h264("wide.mp4", size: "1280x720", sound: false)
        #expect(try process(path).variant("small").size == PixelSize(width: 640, height: 360))
        let old = try process(path, rules: .mastodon(major: 4, minor: 1))
        #expect(try old.variant("small").size == PixelSize(width: 400, height: 225))
    }

    @Test("an animated GIF becomes a gifv")
    func animation() async throws {
        let result = try process(try await Samples.animation())
        #expect(result.media.attachmentType == .gifv)
        #expect(result.media.contentType == "video/mp4")
        #expect(try Inspector.stream(try result.file("original"), "stream=codec_name") == ["h264"])
        #expect(result.media.variants.map(\.fileExtension) == ["mp4", "png"])
        guard case .movie(let movie) = result.media.meta.original else {
            Issue.record("no video: \(result.media.meta)")
            return
        }
        #expect(movie.size == PixelSize(width: 320, height: 240))
        #expect(abs((movie.duration ?? 0) - 1) < 0.15)
    }

    @Test("an animated avatar stays animated, is cut to a square, and has a static PNG")
    func animatedAvatar() async throws {
        let path = try await Samples.animation("500x450")
        let result = try process(path, .avatar)
        #expect(result.media.contentType == "image/gif")
        #expect(result.media.variants.map(\.style) == ["original", "static"])
        #expect(try Inspector.stream(try result.file("original"), "stream=width,height") == ["400", "400"])
        let header = try Disk.read(try result.file("original")).withUnsafeBytes { try ImageHeader.read($0, .gif) }
        #expect(header.frames > 5)
        #expect(try Inspector.size(try result.file("static")) == PixelSize(width: 400, height: 400))
    }

    @Test("an animated avatar that fits is kept byte for byte")
    func fittingAvatar() async throws {
        let path = try await Samples.animation("400x300")
        let result = try process(path, .avatar)
        #expect(try result.content("original") == (try Disk.read(path)))
        #expect(result.media.variants.map(\.fileExtension) == ["gif", "png"])
        #expect(try Inspector.size(try result.file("static")) == PixelSize(width: 400, height: 400))
    }

    @Test("an animated header that is too large stays animated, and its static PNG is as large as it")
    func animatedHeader() async throws {
        let result = try process(try await Samples.animation("1200x700"), .header)
        #expect(try Inspector.stream(try result.file("original"), "stream=width,height") == ["1133", "661"])
        #expect(try Inspector.size(try result.file("static")) == PixelSize(width: 1133, height: 661))
    }

    static let sounds: [(String, [String])] = [
        ("sound.mp3", ["-c:a", "libmp3lame"]), ("sound.flac", []), ("sound.ogg", ["-c:a", "libvorbis"]),
        ("sound.opus", ["-c:a", "libopus"]), ("sound.wav", []), ("sound.m4a", ["-c:a", "aac"]),
        ("sound.aac", ["-c:a", "aac"]),
    ]

    static func sound(_ name: String, _ arguments: [String]) async throws -> BytePath {
        try await Samples.path(name) { path in
            try Samples.ffmpeg(
                ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"] + arguments + ["-metadata", "title=secret"]
                    + [Samples.text(path)]
            )
        }
    }

    @Test("sound becomes MP3, also where it is MP3 already", arguments: sounds)
    func audio(name: String, arguments: [String]) async throws {
        let result = try process(try await Self.sound(name, arguments))
        #expect(result.media.attachmentType == .audio)
        #expect(result.media.contentType == "audio/mpeg")
        #expect(result.media.variants.map(\.style) == ["original"])
        #expect(try Inspector.stream(try result.file("original"), "stream=codec_name") == ["mp3"])
        #expect(try Inspector.stream(try result.file("original"), "format_tags=title") == [])
        #expect(result.media.blurhash == nil)
        #expect(result.media.thumbnail == nil)
        guard case .audio(let duration, let bitrate) = result.media.meta.original else {
            Issue.record("no sound: \(result.media.meta)")
            return
        }
        #expect(abs((duration ?? 0) - 2) < 0.2)
        #expect(bitrate ?? 0 > 8000)
    }

    @Test("a picture embedded in sound becomes its thumbnail")
    func cover() async throws {
        let picture = try await Samples.jpeg(1000, 800)
        let sound = try await Self.sound("sound.mp3", ["-c:a", "libmp3lame"])
        let path = try await Samples.path("cover.mp3") { path in
            try Samples.ffmpeg([
                "-i", Samples.text(sound), "-i", Samples.text(picture), "-map", "0:a", "-map", "1:v", "-c", "copy",
                "-id3v2_version", "3", "-disposition:v", "attached_pic", Samples.text(path),
            ])
        }
        let result = try process(path)
        #expect(try Inspector.stream(try result.file("original"), "stream=codec_name") == ["mp3"])
        let thumbnail = try #require(result.media.thumbnail)
        #expect(thumbnail.contentType == "image/png")
        let size = PixelSize(width: 536, height: 429)
        #expect(thumbnail.variants.map(\.size) == [size])
        #expect(thumbnail.variants.map(\.source) == [.output(2)])
        let bytes = Workbench.content(thumbnail.variants[0], of: result.request)
        #expect(FormatSniffer.identify(bytes) == .media(.png))
        #expect(result.media.meta.small == size)
        #expect(result.media.meta.colors != nil)
        #expect(result.media.blurhash == thumbnail.blurhash)
    }

    // MARK: Refusals

    @Test("a video with too many pixels or frames is refused")
    func limits() async throws {
        var rules = ProcessingRules.current
        rules.moviePixels = 320 * 240 - 1
        let path = try await Samples.h264("kept.mp4")
        #expect(kind(path, rules: rules) == .tooManyPixels)
        rules.moviePixels += 1
        rules.movieRate = 29
        #expect(kind(path, rules: rules) == .tooManyPixels)
        rules.movieRate = 30
        _ = try process(path, rules: rules)
    }

    @Test("a result over the limit is refused while it is written")
    func large() async throws {
        let path = try await Self.sound("small.opus", ["-c:a", "libopus", "-b:a", "6k"])
        var rules = ProcessingRules.current
        rules.movieBytes = Int64(try Disk.read(path).count + 1)
        let fault = #expect(throws: ProcessingFault.self) { try process(path, rules: rules) }
        #expect(fault?.kind == .tooLarge, "\(fault?.message ?? "")")
    }

    @Test("a video that is cut is refused", arguments: [20, 60, 95])
    func truncated(part: Int) async throws {
        let bytes = try process(try await Samples.h264("kept.mp4")).content("original")
        let fault = #expect(throws: ProcessingFault.self) {
            try Processed(Array(bytes.prefix(bytes.count * part / 100)), by: MediaProcessor(programs: Self.programs))
        }
        #expect(fault.map { [.truncated, .undecodable].contains($0.kind) } == true, "\(fault?.message ?? "")")
    }

    @Test("sound in the clothes of a video is refused")
    func noPicture() async throws {
        let path = try await Samples.path("sound-only.mp4") { path in
            try Samples.ffmpeg(["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", Samples.text(path)])
        }
        #expect(kind(path) == .undecodable)
    }

    @Test("a playlist behind the first bytes of a video opens nothing")
    func disguised() async throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "secret.txt", "secret")
        let list =
            "\n#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://\(Samples.text(place.path))/secret.txt\n#EXT-X-ENDLIST\n"
        for start in ["\0\0\0\u{18}ftypisom", "ID3", "fLaC", "OggS\0\u{2}"] {
            let fault = #expect(throws: ProcessingFault.self) {
                try Processed(Array((start + list).utf8), by: MediaProcessor(programs: Self.programs))
            }
            #expect(fault?.kind == .undecodable, "\(fault?.message ?? "")")
        }
    }

    @Test("a program that takes too long is killed")
    func deadline() async throws {
        var programs = try #require(Self.programs)
        programs.limits.movieTime = .zero
        let slow = programs
        let fault = await #expect(throws: ProcessingFault.self) {
            try Processed(try await Samples.h264("kept.mp4"), by: MediaProcessor(programs: slow))
        }
        #expect(fault?.kind == .timedOut)
    }

    @Test("without ffmpeg only pictures are processed")
    func missing() async throws {
        let fault = await #expect(throws: ProcessingFault.self) {
            try Processed(try await Samples.h264("kept.mp4"), by: MediaProcessor(programs: nil))
        }
        #expect(fault?.kind == .unavailable)
    }

    @Test(
        "ffmpeg sees the file it was given, and nothing of ours, no network and no other file",
        .enabled(if: Requirement.has("bash"))
    )
    func sandbox() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "secret", "secret")
        let script = """
            cat \(Samples.text(place.path))/secret; echo x > \(Samples.text(place.path))/new; exec 5<>/dev/tcp/127.0.0.1/9; env
            """
        let result = try BinaryRunner.program().run([
            "sandbox-exec", "1000000000", "10", "1000000", "0", "/bin/bash", "-c", script,
        ])
        #expect(result.text.contains("PATH=/usr/bin:/bin"))
        #expect(!result.text.contains("MEDIASYNC_STATE"))
        #expect(result.errorText.contains("socket: Operation not permitted"), "\(result.errorText)")
        // Files are confined where the kernel can.
        if Confinement.canConfineFiles {
            #expect(!result.text.contains("secret"))
            #expect(!Disk.exists(place.path / "new"))
        }
    }

    // MARK: Checking

    @Test("a stored file is checked to its end")
    func check() async throws {
        let processor = MediaProcessor(programs: Self.programs)
        let whole = [
            try await Samples.h264("kept.mp4"), try await Samples.jpeg(1000, 800), try await Samples.animation(),
            try await Self.sound("sound.mp3", ["-c:a", "libmp3lame"]),
        ]
        for path in whole {
            let bytes = try Disk.read(path)
            let workbench = try Workbench()
            let request = try workbench.request(bytes, .attachment)
            try processor.check(request.input, bytes: request.inputBytes)
        }
        for path in whole.dropLast() {
            let bytes = try Disk.read(path)
            let workbench = try Workbench()
            let cut = try workbench.request(Array(bytes.prefix(bytes.count * 3 / 4)), .attachment)
            #expect(throws: ProcessingFault.self, "\(path)") { try processor.check(cut.input, bytes: cut.inputBytes) }
        }
    }
}
