internal import MediaModel

/// What ffprobe tells of a file.
struct MovieProbe: Hashable {
    var videoCodec: String?
    var audioCodec: String?
    var pixelFormat: String?
    /// As it is shown: turned where the file says so.
    var size: PixelSize?
    /// The average, as a fraction in lowest terms.
    var frameRate: Fraction?
    /// The lowest rate at which all frames can be told apart.
    var nominalRate: Fraction?
    var duration: Double?
    var bitrate: Int?
    /// Whether a picture is embedded beside the sound.
    var hasPicture = false

    struct Fraction: Hashable {
        var numerator: Int
        var denominator: Int

        /// Nil for `0/0`, and for what is no fraction.
        init?(_ text: some StringProtocol) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
            guard parts.count == 2, let top = parts[0], let bottom = parts[1], top >= 0, bottom > 0 else { return nil }
            var (one, two) = (top, bottom)
            while two != 0 { (one, two) = (two, one % two) }
            numerator = top / max(one, 1)
            denominator = bottom / max(one, 1)
        }

        var value: Double { Double(numerator) / Double(denominator) }
        var text: String { "\(numerator)/\(denominator)" }
    }

    /// What is asked for, in lines that need no parser.
    static let arguments = [
        "-show_entries",
        "format=duration,bit_rate:stream=index,codec_type,codec_name,width,height,pix_fmt,avg_frame_rate,r_frame_rate"
            + ":stream_disposition=attached_pic:stream_tags=rotate:stream_side_data=rotation",
        "-of", "flat",
    ]

    /// - Parameter output: lines such as `streams.stream.0.codec_name="h264"`. They hold what a hostile file says.
    init(_ output: [UInt8]) {
        var streams: [Int: [String: String]] = [:]
        for line in output.split(separator: 0x0A) {
            guard let text = String(validating: line, as: UTF8.self), let equals = text.firstIndex(of: "=") else {
                continue
            }
            let value = text[text.index(after: equals)...].filter { $0 != "\"" }
            let path = text[..<equals].split(separator: ".")
            if path.first == "format", let name = path.last {
                if name == "duration" { duration = Double(value) }
                if name == "bit_rate" { bitrate = Int(value) }
            } else if path.count >= 4, path[0] == "streams", path[1] == "stream", let number = Int(path[2]) {
                streams[number, default: [:]][path[3...].joined(separator: ".")] = String(value)
            }
        }
        for number in streams.keys.sorted() { take(streams[number] ?? [:]) }
    }

    private mutating func take(_ stream: [String: String]) {
        let isPicture = stream["disposition.attached_pic"] == "1"
        switch stream["codec_type"] {
        case "audio" where audioCodec == nil: audioCodec = stream["codec_name"] ?? "unknown"
        case "video" where isPicture: hasPicture = true
        case "video" where videoCodec == nil:
            videoCodec = stream["codec_name"] ?? "unknown"
            pixelFormat = stream["pix_fmt"]
            frameRate = stream["avg_frame_rate"].flatMap { Fraction($0) }
            nominalRate = stream["r_frame_rate"].flatMap { Fraction($0) }
            frameRate = frameRate ?? nominalRate
            if let width = stream["width"].flatMap({ Int($0) }), let height = stream["height"].flatMap({ Int($0) }),
                width > 0, height > 0
            {
                let stored = PixelSize(width: width, height: height)
                size = Self.isTurned(stream) ? stored.transposed : stored
            }
        default: break
        }
    }

    /// Whether the picture is shown on its side.
    private static func isTurned(_ stream: [String: String]) -> Bool {
        let angles = stream.compactMap { name, value -> Int? in
            name == "tags.rotate" || name.hasPrefix("side_data_list.") && name.hasSuffix(".rotation") ? Int(value) : nil
        }
        return angles.contains { abs($0) == 90 || abs($0) == 270 }
    }

    var meta: MediaMeta.Movie {
        MediaMeta.Movie(size: size, frameRate: frameRate?.text, duration: duration, bitrate: bitrate)
    }
}
