/// A type of content that Mastodon stores, and its names. The raw value is the MIME type.
package enum MediaFormat: String, Hashable, Sendable, CaseIterable {
    case jpeg = "image/jpeg"
    case png = "image/png"
    case gif = "image/gif"
    case webp = "image/webp"
    case avif = "image/avif"
    case heic = "image/heic"
    case heif = "image/heif"
    case mp4 = "video/mp4"
    case webm = "video/webm"
    case quicktime = "video/quicktime"
    case oggVideo = "video/ogg"
    case mp3 = "audio/mpeg"
    case oggAudio = "audio/ogg"
    case flac = "audio/flac"
    case aac = "audio/aac"
    case wave = "audio/vnd.wave"
    case m4a = "audio/mp4"
    /// Windows media, which Mastodon counts as sound.
    case asf = "video/x-ms-asf"

    /// What Mastodon's rules go by.
    package enum Kind: Hashable, Sendable {
        case image, video, audio
    }

    package var kind: Kind {
        switch self {
        case .jpeg, .png, .gif, .webp, .avif, .heic, .heif: .image
        case .mp4, .webm, .quicktime, .oggVideo: .video
        case .mp3, .oggAudio, .flac, .aac, .wave, .m4a, .asf: .audio
        }
    }

    /// HEIF and what is made like it: always stored as JPEG.
    var isHEIF: Bool { self == .avif || self == .heic || self == .heif }

    /// The extensions of a type, the preferred one first.
    var extensions: [String] {
        switch self {
        case .jpeg: ["jpeg", "jpg", "jpe", "jfif", "jif", "jfi"]
        case .png: ["png"]
        case .gif: ["gif"]
        case .webp: ["webp"]
        case .avif: ["avif"]
        case .heic: ["heic", "hif"]
        case .heif: ["heif", "hif"]
        case .mp4: ["mp4", "mpg4", "f4v", "f4p", "mp4v"]
        case .webm: ["webm"]
        case .quicktime: ["qt", "mov"]
        case .oggVideo: ["ogg", "ogv"]
        case .mp3: ["mp3", "mpga", "mp2", "m2a", "m3a", "mp2a"]
        case .oggAudio: ["oga", "ogg", "spx", "opus"]
        case .flac: ["flac"]
        case .aac: ["aac"]
        case .wave: ["wav"]
        case .m4a: ["m4a", "f4a", "f4b", "mp4a", "m4b"]
        case .asf: ["asf", "wma", "wmv"]
        }
    }

    /// The extension of a file that is stored as it came: the one it had where the table knows it for this type. What a
    /// remote server wrote never becomes part of a name.
    func storedExtension(hint: String?) -> String {
        let known = hint.flatMap { hint in extensions.first { $0 == hint.lowercased() } } ?? extensions[0]
        return known == "jpe" || known == "jfif" ? "jpeg" : known
    }

    /// Whether an extension is one of a type that is stored: a file that has it claims to be media.
    static func isKnown(fileExtension: String) -> Bool {
        let name = fileExtension.lowercased()
        return allCases.contains { $0.extensions.contains(name) }
    }
}

extension MediaRole {
    /// Whether Mastodon accepts a type for this role.
    func accepts(_ format: MediaFormat, _ rules: ProcessingRules) -> Bool {
        if format.isHEIF || format == .webp, !rules.acceptsNewFormats { return false }
        if format.isHEIF { return self == .attachment || self == .thumbnail }
        return switch self {
        case .attachment: true
        case .thumbnail, .avatar, .header, .card: format.kind == .image
        case .emoji: format == .png || format == .gif || format == .webp
        }
    }
}

extension ProcessingRules {
    /// A file must have fewer bytes than this, before and after processing.
    func bytes(_ role: MediaRole, _ kind: MediaFormat.Kind) -> Int64 {
        switch role {
        case .attachment: kind == .image ? imageBytes : movieBytes
        default: downloadBytes(role)
        }
    }
}
