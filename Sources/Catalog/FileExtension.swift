/// The extensions of the content types that Mastodon keeps.
package enum FileExtension {
    /// Registered extensions, the first one is the default.
    private static let registered: [String: [String]] = [
        "image/jpeg": ["jpeg", "jpg", "jpe", "jfif", "jif", "jfi"],
        "image/png": ["png"],
        "image/gif": ["gif"],
        "image/webp": ["webp"],
        "image/avif": ["avif"],
        "image/heic": ["heic", "hif"],
        "image/heif": ["heif", "hif"],
        "video/mp4": ["mp4", "mpg4", "f4v", "f4p", "mp4v"],
        "video/webm": ["webm"],
        "video/quicktime": ["qt", "mov"],
        "video/ogg": ["ogg", "ogv"],
        "audio/mpeg": ["mpga", "mp2", "mp3", "m2a", "m3a", "mp2a"],
        "audio/ogg": ["oga", "ogg", "spx", "opus"],
        "audio/mp4": ["mp4", "mpg4", "f4a", "f4b", "mp4a", "m4a", "m4b"],
        "audio/flac": ["flac"],
        "audio/aac": ["aac"],
        "audio/wav": ["wav"],
    ]

    /// The extension a new file of this type gets: the current one where it is one of the type's, else the type's first;
    /// none where the type has none.
    package static func chosen(for contentType: String, current: String) -> String? {
        guard let all = registered[contentType], let first = all.first else { return nil }
        let kept = all.contains(current) ? current : first
        return kept == "jpe" || kept == "jfif" ? "jpeg" : kept
    }
}
