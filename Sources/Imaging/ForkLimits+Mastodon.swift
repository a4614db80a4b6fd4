package import MediaModel

extension ProcessingRules.ForkLimits {
    /// The most that is taken from a setting: more is no limit for a picture or a video.
    private static let bytesMax: Int64 = 1 << 40

    /// glitch-soc's limits, from the variables that it reads.
    /// - Parameter value: looks a variable of Mastodon's environment up.
    package init(mastodon value: (String) -> String?) throws(SyncError) {
        self.init()
        image = try Self.bytes("MAX_IMAGE_SIZE", value)
        movie = try Self.bytes("MAX_VIDEO_SIZE", value)
        let emoji = [try Self.bytes("MAX_EMOJI_SIZE", value), try Self.bytes("MAX_REMOTE_EMOJI_SIZE", value)]
        self.emoji = emoji.compactMap { $0 }.max()
    }

    private static func bytes(_ name: String, _ value: (String) -> String?) throws(SyncError) -> Int64? {
        guard let text = value(name), !text.isEmpty else { return nil }
        guard let bytes = Int64(text), (1...bytesMax).contains(bytes) else {
            throw SyncError(
                .configuration,
                "\(name) is no number of bytes: \(BytePath(String(text.prefix(100))))",
                hint: "write it in digits alone"
            )
        }
        return bytes
    }
}
