internal import CCurl
internal import Glibc

/// An address that may be asked for: http or https, a host in ASCII, no credentials, path and query encoded in one way. What
/// is sent is put together from the parts that were judged, so that no two readers of URLs can disagree.
package struct FetchURL: Sendable, Hashable {
    package let isSecure: Bool
    /// In lower case, international names in punycode; IPv6 in brackets.
    package let host: String
    package let port: Int
    /// Path and query, as the request line has them.
    package let target: String
    package let text: String

    /// The most bytes of a URL before it is encoded.
    static let longest = 8192

    package init(_ text: String) throws(FetchFault) {
        try self.init(bytes: Array(text.utf8), base: nil)
    }

    /// - Parameters:
    ///   - bytes: as a stranger wrote them.
    ///   - base: what a relative reference begins at.
    init(bytes: [UInt8], base: FetchURL?) throws(FetchFault) {
        guard !bytes.isEmpty, bytes.count <= Self.longest else {
            throw Self.bad(bytes.isEmpty ? "it is empty" : "it is longer than \(Self.longest) bytes")
        }
        guard bytes.allSatisfy({ $0 > 0x1F && $0 != 0x7F }) else { throw Self.bad("it contains a control character") }
        // libcurl is content with one slash, and with three.
        guard Self.hasTwoSlashes(bytes) else { throw Self.bad("there are not two slashes before its host") }
        guard let parts = curl_url() else { throw Self.bad("no memory") }
        defer { curl_url_cleanup(parts) }
        if let base { try Self.check(curl_url_set(parts, CURLUPART_URL, base.text, 0)) }
        let result = (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                curl_url_set(parts, CURLUPART_URL, $0.baseAddress, UInt32(CURLU_URLENCODE))
            }
        }
        try Self.check(result)
        switch try Self.part(parts, CURLUPART_SCHEME).map({ String(decoding: $0, as: UTF8.self) }) {
        case "https": isSecure = true
        case "http": isSecure = false
        default: throw Self.bad("it is neither http nor https")
        }
        for secret in [CURLUPART_USER, CURLUPART_PASSWORD] where try Self.part(parts, secret) != nil {
            throw Self.bad("it contains a user name or password")
        }
        guard try Self.part(parts, CURLUPART_ZONEID) == nil else { throw Self.bad("its address has a zone") }
        host = try Self.host(parts)
        let usual = isSecure ? 443 : 80
        port = try Self.port(parts) ?? usual
        let path = PercentEncoding.path(try Self.part(parts, CURLUPART_PATH) ?? [])
        let query = try Self.part(parts, CURLUPART_QUERY).map { PercentEncoding.query($0) }
        target = String(decoding: path + (query.map { [UInt8(ascii: "?")] + $0 } ?? []), as: UTF8.self)
        text = "\(isSecure ? "https" : "http")://\(host)\(port == usual ? "" : ":\(port)")\(target)"
    }

    /// The Host header: the port where it is not the usual one.
    package var authority: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }

    /// A name of a network that hides its hosts.
    var isHidden: Bool { host.hasSuffix(".onion") || host.hasSuffix(".i2p") }

    /// The address, where the host is one and not a name.
    var address: IPAddress? {
        host.hasPrefix("[") ? IPAddress(String(host.dropFirst().dropLast())) : IPAddress(host)
    }

    // MARK: Parts

    /// Whether a host, where there is one, stands behind exactly two slashes.
    private static func hasTwoSlashes(_ bytes: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        let lower = bytes.prefix(6).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        for scheme in ["http:", "https:"] where lower.starts(with: scheme.utf8) {
            let rest = bytes.dropFirst(scheme.utf8.count)
            return rest.starts(with: [slash, slash]) && !rest.starts(with: [slash, slash, slash])
        }
        return !bytes.starts(with: [slash, slash, slash])
    }

    private static func host(_ parts: OpaquePointer) throws(FetchFault) -> String {
        guard var bytes = try part(parts, CURLUPART_HOST) else { throw bad("it has no host") }
        // Only international names need the other call, which reads a locale.
        if bytes.contains(where: { $0 >= 0x80 }) {
            var text: UnsafeMutablePointer<CChar>?
            let result = mds_url_ascii_host(parts, &text)
            bytes = try self.bytes(text, result) ?? []
        }
        guard !bytes.isEmpty, bytes.count <= 255 else { throw bad("it has no host") }
        let lower = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        let isAddress = lower.first == UInt8(ascii: "[")
        guard lower.allSatisfy(isAddress ? isInAddress : isInName) else { throw bad("its host is no name") }
        return String(decoding: lower, as: UTF8.self)
    }

    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isInAddress(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x66, 0x30...0x3A, UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "]"): true
        default: false
        }
    }

    private static func port(_ parts: OpaquePointer) throws(FetchFault) -> Int? {
        guard let digits = try part(parts, CURLUPART_PORT) else { return nil }
        guard let number = Int(String(decoding: digits, as: UTF8.self)), (1...65_535).contains(number) else {
            throw bad("its port is none")
        }
        return number
    }

    /// A part's bytes; nil where the URL has none.
    private static func part(_ parts: OpaquePointer, _ what: CURLUPart) throws(FetchFault) -> [UInt8]? {
        var text: UnsafeMutablePointer<CChar>?
        let result = curl_url_get(parts, what, &text, 0)
        return try bytes(text, result)
    }

    private static func bytes(
        _ text: UnsafeMutablePointer<CChar>?,
        _ result: CURLUcode
    ) throws(FetchFault) -> [UInt8]? {
        defer { curl_free(text) }
        switch result {
        case CURLUE_OK: return text.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        case CURLUE_NO_USER, CURLUE_NO_PASSWORD, CURLUE_NO_ZONEID, CURLUE_NO_PORT, CURLUE_NO_QUERY, CURLUE_NO_SCHEME,
            CURLUE_NO_HOST:
            return nil
        default:
            try check(result)
            return nil
        }
    }

    private static func check(_ result: CURLUcode) throws(FetchFault) {
        if result != CURLUE_OK {
            throw bad(curl_url_strerror(result).map { String(cString: $0) } ?? "it cannot be read")
        }
    }

    private static func bad(_ why: String) -> FetchFault { FetchFault(.badURL, "the URL cannot be fetched: \(why)") }
}
