/// What `file_meta` says of a file, beside the focus that people set.
package struct MediaMeta: Hashable, Sendable {
    /// A video, as its downloaded file is; values that are not known are left out.
    package struct Movie: Hashable, Sendable {
        package var size: PixelSize?
        /// A fraction as ffprobe writes it: `30000/1001`.
        package var frameRate: String?
        /// Seconds.
        package var duration: Double?
        /// Bits per second.
        package var bitrate: Int?

        package init(
            size: PixelSize? = nil,
            frameRate: String? = nil,
            duration: Double? = nil,
            bitrate: Int? = nil
        ) {
            self.size = size
            self.frameRate = frameRate
            self.duration = duration
            self.bitrate = bitrate
        }
    }

    package enum Original: Hashable, Sendable {
        case image(PixelSize)
        case movie(Movie)
        case audio(duration: Double?, bitrate: Int?)
    }

    /// `#rrggbb` each.
    package struct Colors: Hashable, Sendable {
        package var background: String
        package var foreground: String
        package var accent: String

        package init(background: String, foreground: String, accent: String) {
            self.background = background
            self.foreground = foreground
            self.accent = accent
        }
    }

    package var original: Original?
    package var small: PixelSize?
    package var colors: Colors?

    package init(original: Original? = nil, small: PixelSize? = nil, colors: Colors? = nil) {
        self.original = original
        self.small = small
        self.colors = colors
    }
}
