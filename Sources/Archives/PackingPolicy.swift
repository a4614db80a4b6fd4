/// Decides which files are worth packing on their way: by the ending of their name, and by what came of others with the
/// same. Media are compressed already.
package struct PackingPolicy: Sendable {
    /// The ending of a file's name, by which the file is judged: up to eight bytes, ASCII in lower case. One number, since every
    /// file that is sent has one made.
    package struct Ending: Hashable, Sendable, ExpressibleByStringLiteral {
        private let code: UInt64

        /// - Parameter name: a name or a path. Its ending is empty where it has none, or a longer one.
        package init(of name: some BidirectionalCollection<UInt8>) {
            var code: UInt64 = 0
            var shift: UInt64 = 0
            for byte in name.reversed() {
                if byte == UInt8(ascii: ".") {
                    self.code = code
                    return
                }
                if shift == 64 || byte == UInt8(ascii: "/") { break }
                let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                code |= UInt64(isUpper ? byte | 0x20 : byte) << shift
                shift += 8
            }
            self.code = 0
        }

        package init(stringLiteral ending: StaticString) {
            self.init(
                of: [UInt8(ascii: ".")] + UnsafeBufferPointer(start: ending.utf8Start, count: ending.utf8CodeUnitCount)
            )
        }
    }

    private static let media: Set<Ending> = [
        "jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "avif", "mp4", "m4v", "mov", "webm", "mkv", "mp3", "ogg",
        "oga",
        "opus", "flac", "aac", "m4a", "3gp", "wma", "gz", "zst", "xz", "bz2", "lz4", "zip", "7z", "woff", "woff2",
    ]
    /// Files of one ending that are tried in vain before the others are sent as they are, but for one of so many.
    private static let triesMax = 4
    private static let tryEvery = 64
    private static let endingsMax = 256

    private var inVain: [Ending: Int] = [:]

    package init() {}

    package mutating func isWorthTrying(_ ending: Ending) -> Bool {
        if Self.media.contains(ending) { return false }
        guard let count = inVain[ending], count >= Self.triesMax else { return true }
        inVain[ending] = count + 1
        return (count - Self.triesMax).isMultiple(of: Self.tryEvery) && count > Self.triesMax
    }

    package mutating func learn(_ ending: Ending, isSmaller: Bool) {
        if isSmaller {
            inVain[ending] = nil
        } else if inVain[ending] != nil || inVain.count < Self.endingsMax {
            inVain[ending, default: 0] += 1
        }
    }
}
