package import MediaModel

extension MediaPath {
    /// The file behind a URL or a path as people have it: with a host, a root or a bucket in front, and a query behind.
    package init?(address: BytePath) {
        let end = address.bytes.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        let parts = BytePath(bytes: Array(address.bytes[..<(end ?? address.bytes.endIndex)])).components
        for count in [7, 10] where parts.count >= count {
            var start = parts.count - count
            let cache = MediaLayout.cacheFolder.bytes
            if start > 0, parts[start - 1].elementsEqual(cache) { start -= 1 }
            let joined = Array(parts[start...].joined(separator: [UInt8(ascii: "/")]))
            if let path = MediaPath(BytePath(bytes: joined)) {
                self = path
                return
            }
        }
        return nil
    }

    /// A path as Mastodon's own search for orphans reads it: folders called `cache` are passed over wherever they are, so
    /// that a file in the wrong one is still known to be somebody's.
    package init?(passingCacheFolders path: BytePath) {
        let parts = path.components
        let cache = MediaLayout.cacheFolder.bytes
        let rest = parts.filter { !$0.elementsEqual(cache) }
        let joined = Array(rest.joined(separator: [UInt8(ascii: "/")]))
        guard let plain = MediaPath(BytePath(bytes: joined)) else { return nil }
        self = plain
        isCached = parts.first?.elementsEqual(cache) == true
    }
}
