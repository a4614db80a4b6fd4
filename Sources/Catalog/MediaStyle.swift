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

    /// Types whose small variant is a picture of one frame.
    private static let framedTypes: Set<String> = [
        "image/gif", "video/webm", "video/mp4", "video/quicktime", "video/ogg",
    ]

    private static let imageTypes: Set<String> = [
        "image/jpeg", "image/png", "image/heic", "image/heif", "image/webp", "image/avif",
    ]

    /// The variants of an attachment whose row has this content type, the original first. Removal takes exactly these.
    package static func all(of kind: MediaKind, contentType: String?) -> [MediaStyle] {
        let type = contentType ?? ""
        switch kind {
        case .attachment:
            if framedTypes.contains(type) { return [.original, MediaStyle("small", format: "png")] }
            return imageTypes.contains(type) ? [.original, MediaStyle("small")] : [.original]
        case .avatar, .header:
            return type == "image/gif" ? [.original, MediaStyle("static", format: "png")] : [.original]
        case .emoji:
            return [.original, MediaStyle("static", format: "png")]
        case .thumbnail, .card, .upload, .backup:
            return [.original]
        }
    }
}
