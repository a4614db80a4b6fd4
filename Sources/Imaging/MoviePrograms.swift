internal import Glibc
package import MediaModel

/// The programs that read video and sound, and the one that takes their rights away before they start.
package struct MoviePrograms: Hashable, Sendable {
    package var ffmpeg: BytePath
    package var ffprobe: BytePath
    /// This program itself, started as `LAUNCHER sandbox-exec`.
    package var launcher: BytePath
    package var limits: ProcessingLimits

    package init(ffmpeg: BytePath, ffprobe: BytePath, launcher: BytePath, limits: ProcessingLimits = .standard) {
        self.ffmpeg = ffmpeg
        self.ffprobe = ffprobe
        self.launcher = launcher
        self.limits = limits
    }

    /// The installed ones; nil where one of them is missing.
    package static func installed(launcher: BytePath, limits: ProcessingLimits = .standard) -> MoviePrograms? {
        let places = ["/usr/bin", "/usr/local/bin", "/bin"]
        func find(_ name: String) -> BytePath? {
            for place in places where access("\(place)/\(name)", X_OK) == 0 { return BytePath("\(place)/\(name)") }
            return nil
        }
        guard let ffmpeg = find("ffmpeg"), let ffprobe = find("ffprobe") else { return nil }
        return MoviePrograms(ffmpeg: ffmpeg, ffprobe: ffprobe, launcher: launcher, limits: limits)
    }
}
