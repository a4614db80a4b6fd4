internal import MediaModel

/// Video, sound and animations: what ffmpeg is told, and what is made of its answers.
struct MovieProcessor: Sendable {
    let runner: MovieRunner
    let images: any ImageWork

    /// Nothing but the file itself is opened, and only as what its first bytes say it is: a playlist in the clothes of a
    /// video names other files.
    private static let restrictions = [
        "-protocol_whitelist", "file,pipe", "-format_whitelist",
        "mov,matroska,ogg,mp3,flac,wav,aac,asf,gif,png_pipe",
    ]
    private static let quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]

    func process(_ request: ProcessingRequest, _ format: MediaFormat) throws(ProcessingFault) -> ProcessedMedia {
        format.kind == .video ? try video(request, format) : try audio(request, format)
    }

    /// Whether all of a file can be decoded.
    func check(_ request: ProcessingRequest, _ format: MediaFormat) throws(ProcessingFault) {
        _ = try ffmpeg(
            format,
            input: request.input,
            ["-xerror", "-err_detect", "crccheck"],
            ["-map", "0:v?", "-map", "0:a?", "-f", "null", "-"],
            output: nil,
            bytes: 0
        )
    }

    private func video(_ request: ProcessingRequest, _ format: MediaFormat) throws(ProcessingFault) -> ProcessedMedia {
        let probe = try self.probe(request.input, format)
        let rules = request.rules
        guard let size = probe.size, let rate = probe.frameRate else {
            throw ProcessingFault(.undecodable, "the video has no picture")
        }
        if size.pixels > rules.moviePixels {
            throw ProcessingFault(
                .tooManyPixels,
                "\(size) pixels are more than the \(rules.moviePixels) accepted in a video"
            )
        }
        if Int(rate.value) > rules.movieRate {
            throw ProcessingFault(
                .tooManyPixels,
                "\(rate.text) frames a second are more than the \(rules.movieRate) accepted"
            )
        }
        let isKept = (format == .mp4 || format == .oggVideo) && MovieEncoding.canBeKept(probe, rules)
        let encoding =
            isKept
            ? ["-c:v", "copy", "-c:a", "copy"]
            : MovieEncoding.video(size, duration: probe.duration, rules) + MovieEncoding.rate(probe, rules)
                + MovieEncoding.sound
        return try movie(request, format, probe, encoding: encoding)
    }

    /// Writes the video to the first output and one of its frames to the second.
    func movie(
        _ request: ProcessingRequest,
        _ format: MediaFormat,
        _ probe: MovieProbe,
        encoding: [String]
    ) throws(ProcessingFault) -> ProcessedMedia {
        let video = try request.output(0)
        let frame = try request.output(1)
        let said = try ffmpeg(
            format,
            input: request.input,
            [],
            encoding + ["-map_metadata", "-1", "-movflags", "faststart", "-f", "mp4"],
            output: video,
            bytes: request.rules.movieBytes
        )
        // Without decoding nothing else tells that the end is missing.
        if said.contains("partial file") { throw .cutOff }
        let byteCount = try request.checkedSize(of: video)
        let box = request.rules.frame
        _ = try ffmpeg(
            .mp4,
            input: video,
            ["-ss", "0"],
            [
                "-frames:v", "1", "-an", "-vf",
                "scale=min(\(box.width)\\,iw):min(\(box.height)\\,ih):force_original_aspect_ratio=decrease",
                "-c:v", "png", "-f", "image2pipe",
            ],
            output: frame,
            bytes: request.rules.imageBytes
        )
        let small = try describe(frame)
        // The values are those of what was fetched; only a GIF has none of its own.
        let meta = format == .gif ? try self.probe(video, .mp4) : probe
        return ProcessedMedia(
            contentType: MediaFormat.mp4.rawValue,
            fileExtension: "mp4",
            attachmentType: probe.audioCodec == nil ? .gifv : .video,
            variants: [
                ProcessedVariant(
                    style: "original",
                    source: .output(0),
                    byteCount: byteCount,
                    fileExtension: "mp4",
                    size: meta.size
                ),
                ProcessedVariant(
                    style: "small",
                    source: .output(1),
                    byteCount: try MediaFile.size(frame),
                    fileExtension: "png",
                    size: small.size
                ),
            ],
            meta: MediaMeta(original: .movie(meta.meta), small: small.size),
            blurhash: small.blurhash
        )
    }

    // MARK: Programs

    func probe(_ input: Int32, _ format: MediaFormat) throws(ProcessingFault) -> MovieProbe {
        let output = try runner.run(
            runner.programs.ffprobe,
            ["-loglevel", "error"] + Self.restrictions + MovieProbe.arguments
                + ["-f", format.demuxer, "-i", MovieRunner.inputPath],
            input: input
        )
        return MovieProbe(output.text)
    }

    /// What it complained about.
    func ffmpeg(
        _ format: MediaFormat,
        input: Int32,
        _ before: [String],
        _ after: [String],
        output: Int32?,
        bytes: Int64
    ) throws(ProcessingFault) -> String {
        try runner.run(
            runner.programs.ffmpeg,
            Self.quiet + Self.restrictions + before + ["-f", format.demuxer, "-i", MovieRunner.inputPath] + after
                + (output == nil ? [] : ["-y", MovieRunner.outputPath]),
            input: input,
            output: output,
            bytes: bytes
        ).complaints
    }

    private func describe(_ picture: Int32) throws(ProcessingFault) -> (size: PixelSize?, blurhash: String?) {
        let request = ProcessingRequest(
            role: .attachment,
            rules: .unlimited,
            input: picture,
            inputBytes: try MediaFile.size(picture),
            fileExtension: nil,
            outputs: []
        )
        let media = try images.run(.describe, request)
        return (media.variants.first?.size, media.blurhash)
    }
}

extension MediaFormat {
    /// ffmpeg's name of what reads it.
    var demuxer: String {
        switch self {
        case .mp4, .quicktime, .m4a: "mov"
        case .webm: "matroska"
        case .oggVideo, .oggAudio: "ogg"
        case .mp3: "mp3"
        case .flac: "flac"
        case .aac: "aac"
        case .wave: "wav"
        case .asf: "asf"
        case .gif: "gif"
        case .jpeg, .png, .webp, .avif, .heic, .heif: "png_pipe"
        }
    }
}

extension ProcessingRequest {
    func output(_ index: Int) throws(ProcessingFault) -> Int32 {
        guard index < outputs.count else { throw ProcessingFault(.unreadable, "there is no output left to write to") }
        return outputs[index]
    }

    /// The size of what was made, where it is accepted.
    func checkedSize(of output: Int32) throws(ProcessingFault) -> Int64 {
        let count = try MediaFile.size(output)
        let most = rules.bytes(role, role == .attachment ? .video : .image)
        guard count < most else { throw .tooLarge(count, most) }
        guard count > 0 else { throw ProcessingFault(.undecodable, "ffmpeg made nothing of the file") }
        return count
    }
}
