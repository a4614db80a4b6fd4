/// What ffmpeg is told about the result, by the rules of a release.
enum MovieEncoding {
    private static let frameMax = 36_000
    private static let audioBitrate = 192_000

    static let sound = ["-c:a", "aac", "-b:a", "\(audioBitrate)"]

    /// Whether every browser plays it as it is.
    static func canBeKept(_ probe: MovieProbe, _ rules: ProcessingRules) -> Bool {
        probe.videoCodec == "h264" && (probe.audioCodec == nil || probe.audioCodec == "aac")
            && (probe.pixelFormat == "yuv420p" || rules.keepsFullRange && probe.pixelFormat == "yuvj420p")
    }

    /// Arguments for ffmpeg.
    static func video(_ size: PixelSize, duration: Double?, _ rules: ProcessingRules) -> [String] {
        let common = ["-c:v", "h264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-frames:v", "\(frameMax)"]
        let even = ["-threads", "2", "-vf"]
        switch rules.encoding {
        case .quality:
            return common + ["-crf", "18", "-maxrate", "1300K", "-bufsize", "1300K"]
                + even + ["scale=trunc(iw/2)*2:trunc(ih/2)*2"]
        case .bitrate:
            let bySize = Double(size.width * size.height) * 30 * 0.11
            let seconds = max(duration ?? 1, 1)
            let byLimit = (Double(rules.movieBytes * 8) / seconds).rounded(.down) - Double(audioBitrate)
            let bitrate = max(1000, Int(min(bySize.rounded(.down), byLimit)))
            return common
                + ["-b:v", "\(bitrate)", "-maxrate", "\(bitrate + audioBitrate)", "-bufsize", "\(bitrate * 5)"]
                + even + ["crop=floor(iw/2)*2:floor(ih/2)*2"]
        }
    }

    /// Videos whose frames come faster than accepted keep their times, at the accepted rate at most.
    static func rate(_ probe: MovieProbe, _ rules: ProcessingRules) -> [String] {
        guard let nominal = probe.nominalRate, nominal.value > Double(rules.movieRate) else { return [] }
        return ["-vsync", "vfr", "-r", "\(rules.movieRate)"]
    }
}
