/// Limits and variants as one release of Mastodon has them. All of it is values, so that a fork's own limits can be put in.
package struct ProcessingRules: Hashable, Sendable {
    /// How large a variant may be.
    package enum Fit: Hashable, Sendable {
        /// No more pixels than this, in the picture's own proportion; never enlarged.
        case pixels(Int)
        /// Within this box, in the picture's own proportion; never enlarged.
        case box(PixelSize)
        /// Exactly this, from the middle.
        case crop(PixelSize)
    }

    /// How videos are compressed.
    package enum MovieEncoding: UInt8, Hashable, Sendable {
        /// A bit rate that follows the size and the limit in bytes.
        case bitrate
        /// A constant quality below a fixed bit rate.
        case quality
    }

    private static let mebibyte: Int64 = 1 << 20

    // MARK: Bytes, before and after processing

    /// Pictures of posts, and what thumbnails of posts' media may have.
    package var imageBytes: Int64
    /// Videos and sound; the most that is fetched for a post's attachment of any kind.
    package var movieBytes: Int64
    package var profileBytes: Int64
    package var emojiBytes: Int64
    package var cardBytes: Int64

    // MARK: Pixels that are accepted

    package var imagePixels: Int
    package var gifPixels: Int
    package var moviePixels: Int
    /// Frames a second, rounded down.
    package var movieRate: Int

    // MARK: Variants

    package var original: Fit
    package var small: Fit
    package var thumbnail: Fit
    package var avatar: Fit
    package var header: Fit
    package var card: Fit
    /// What a video's frame fits into.
    package var frame: PixelSize
    /// Quality of JPEG.
    package var quality: Int
    /// Whether a crop enlarges what is smaller. Else a small picture is cut to a square of its shorter side.
    package var enlargesCrops: Bool
    /// WebP, HEIC, HEIF and AVIF.
    package var acceptsNewFormats: Bool
    /// Whether a video with full-range colours is kept as it is.
    package var keepsFullRange: Bool
    package var encoding: MovieEncoding

    /// The present release, 4.6.
    package static let current = ProcessingRules(
        imageBytes: 16 * mebibyte,
        movieBytes: 99 * mebibyte,
        profileBytes: 8 * mebibyte,
        emojiBytes: 256 << 10,
        cardBytes: 8 * mebibyte,
        imagePixels: 33_177_600,
        gifPixels: 921_600,
        moviePixels: 8_294_400,
        movieRate: 120,
        original: .pixels(8_294_400),
        small: .pixels(230_400),
        thumbnail: .pixels(230_400),
        avatar: .crop(PixelSize(width: 400, height: 400)),
        header: .pixels(750_000),
        card: .pixels(230_400),
        frame: PixelSize(width: 640, height: 640),
        quality: 75,
        enlargesCrops: true,
        acceptsNewFormats: true,
        keepsFullRange: true,
        encoding: .bitrate
    )

    /// The rules of a release. What is newer than the newest known goes by the newest, what is older than 3.5 by that.
    ///
    /// From 4.3 on, and for 3.4, the numbers were read in the releases themselves. What changed between is told by upstream's release
    /// notes and the descriptions of its changes (numbers of pull requests of mastodon/mastodon):
    /// - 4.2: pictures 10 to 16 MB, at most Full HD to 4K, accepted up to 4K to 8K; videos 40 to 99 MB, 60 to 120 frames a
    ///   second, Full HD to 4K; cards 1 to 2 MB (#23726); a bit rate in place of a quality (#26631); larger cards (closing words of
    ///   #19984).
    /// - 4.0: emoji 50 to 256 KB (#18788); small variants 400 x 400 to 640 x 360 (#19619); WebP (#18506), HEIC (#19618),
    ///   AVIF (#19647).
    ///
    /// Not found: when a video's frame went from 400 to 640; it goes with 4.2's videos here.
    /// - Parameter libvips: whether a release that can do both uses libvips (`MASTODON_USE_LIBVIPS`); nil for its default (from
    ///   4.4 on).
    package static func mastodon(major: Int, minor: Int, libvips: Bool? = nil) -> ProcessingRules {
        var rules = current
        if (major, minor) >= (4, 6) { return rules }
        // ImageMagick in place of libvips.
        if !(libvips ?? ((major, minor) >= (4, 4))) || (major, minor) < (4, 3) {
            rules.profileBytes = 2 * mebibyte
            rules.cardBytes = 2 * mebibyte
            rules.quality = 90
            rules.enlargesCrops = false
        }
        if (major, minor) < (4, 4) {
            rules.profileBytes = 2 * mebibyte
            rules.keepsFullRange = false
        }
        if (major, minor) < (4, 2) {
            rules.cardBytes = mebibyte
            rules.imageBytes = 10 * mebibyte
            rules.movieBytes = 40 * mebibyte
            rules.imagePixels = 16_777_216
            rules.moviePixels = 2_304_000
            rules.movieRate = 60
            rules.original = .pixels(2_073_600)
            rules.card = .box(PixelSize(width: 400, height: 400))
            rules.frame = PixelSize(width: 400, height: 400)
            rules.encoding = .quality
        }
        if (major, minor) < (4, 0) {
            rules.emojiBytes = 50 << 10
            rules.small = .pixels(160_000)
            rules.thumbnail = .pixels(160_000)
            rules.acceptsNewFormats = false
        }
        return rules
    }

    /// Limits in bytes that a fork lets its administrators set; nil for the release's own.
    package struct ForkLimits: Hashable, Sendable {
        /// `MAX_IMAGE_SIZE`.
        package var image: Int64?
        /// `MAX_VIDEO_SIZE`; the bit rate of videos follows it.
        package var movie: Int64?
        /// The larger one of `MAX_EMOJI_SIZE` and `MAX_REMOTE_EMOJI_SIZE`.
        package var emoji: Int64?

        package init() {}
    }

    /// The same rules with a fork's limits.
    package func with(_ limits: ForkLimits) -> ProcessingRules {
        var rules = self
        rules.imageBytes = limits.image ?? imageBytes
        rules.movieBytes = limits.movie ?? movieBytes
        rules.emojiBytes = max(limits.emoji ?? 0, emojiBytes)
        return rules
    }

    /// The most bytes that are fetched for a role: what a download is cut off at.
    package func downloadBytes(_ role: MediaRole) -> Int64 {
        switch role {
        case .attachment: movieBytes
        case .thumbnail: imageBytes
        case .avatar, .header: profileBytes
        case .emoji: emojiBytes
        case .card: cardBytes
        }
    }
}
