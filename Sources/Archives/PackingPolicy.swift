/// Decides which files are worth packing on their way: by the ending of their name, and by what came of others with the
/// same. Media are compressed already.
package struct PackingPolicy: Sendable {
    private static let media: Set<String> = [
        "jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "avif", "mp4", "m4v", "mov", "webm", "mkv", "mp3", "ogg",
        "oga",
        "opus", "flac", "aac", "m4a", "3gp", "wma", "gz", "zst", "xz", "bz2", "lz4", "zip", "7z", "woff", "woff2",
    ]
    /// Files of one ending that are tried in vain before the others are sent as they are, but for one of so many.
    private static let triesMax = 4
    private static let tryEvery = 64
    private static let endingsMax = 256
    private static let endingBytesMax = 9

    private var inVain: [String: Int] = [:]

    package init() {}

    /// The ending by which a name's file is judged; empty where it has none.
    package static func ending(of name: some BidirectionalCollection<UInt8>) -> String {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return "" }
        let ending = name[name.index(after: dot)...]
        return ending.count > endingBytesMax ? "" : String(decoding: ending, as: UTF8.self).lowercased()
    }

    package mutating func isWorthTrying(_ ending: String) -> Bool {
        if Self.media.contains(ending) { return false }
        guard let count = inVain[ending], count >= Self.triesMax else { return true }
        inVain[ending] = count + 1
        return (count - Self.triesMax).isMultiple(of: Self.tryEvery) && count > Self.triesMax
    }

    package mutating func learn(_ ending: String, isSmaller: Bool) {
        if isSmaller {
            inVain[ending] = nil
        } else if inVain[ending] != nil || inVain.count < Self.endingsMax {
            inVain[ending, default: 0] += 1
        }
    }
}
