/// One of the files that are made of an attachment (Paperclip calls it a style; here it is a variant of the original).
package struct MediaStyle: Sendable, Hashable {
    /// The folder: `original`, `small`, `static`.
    package let name: String
    /// The extension of its file where it is not the stored one's.
    package let format: String?

    package init(_ name: String, format: String? = nil) {
        self.name = name
        self.format = format
    }

    package static let original = MediaStyle("original")

    /// Of each content type of an attachment: with a small variant that is a picture of one frame, or a smaller picture of
    /// the same type; of all others there is the original alone.
    private static let attachments: [String: [MediaStyle]] = {
        let framed = [original, MediaStyle("small", format: "png")]
        let pictured = [original, MediaStyle("small")]
        return [
            "image/gif": framed, "video/webm": framed, "video/mp4": framed, "video/quicktime": framed,
            "video/ogg": framed,
            "image/jpeg": pictured, "image/png": pictured, "image/heic": pictured, "image/heif": pictured,
            "image/webp": pictured, "image/avif": pictured,
        ]
    }()
    private static let alone = [original]
    private static let withStatic = [original, MediaStyle("static", format: "png")]

    /// The variants of an attachment whose row has this content type, the original first. Removal takes exactly these.
    package static func all(of kind: MediaKind, contentType: String?) -> [MediaStyle] {
        switch kind {
        case .attachment: contentType.flatMap { attachments[$0] } ?? alone
        case .avatar, .header: contentType == "image/gif" ? withStatic : alone
        case .emoji: withStatic
        case .thumbnail, .card, .upload, .backup: alone
        }
    }
}
