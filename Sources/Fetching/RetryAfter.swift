/// How long a server asks to be left alone.
enum RetryAfter {
    /// What is longer is as good as for ever.
    private static let longestSeconds: Int64 = 366 * 86_400

    /// - Parameters:
    ///   - retryAfter: the header's value: seconds, or a date.
    ///   - rateLimitReset: that of `X-RateLimit-Reset`, Mastodon's way: a date in ISO form, or seconds since 1970 or from now.
    ///   - date: the server's own `Date`, so that its clock need not be ours.
    ///   - now: seconds since 1970.
    /// - Returns: nil where nothing that can be read was said.
    static func duration(
        retryAfter: [UInt8]?,
        rateLimitReset: [UInt8]?,
        date: [UInt8]?,
        now: Int64
    ) -> Duration? {
        let reference = date.flatMap { HTTPDate.parse($0) } ?? now
        if let retryAfter {
            if let seconds = number(retryAfter) { return duration(seconds) }
            if let time = HTTPDate.parse(retryAfter) { return duration(time - reference) }
        }
        if let rateLimitReset {
            // Some count from now, some from 1970.
            if let number = number(rateLimitReset) {
                return duration(number > 1_000_000_000 ? number - reference : number)
            }
            if let time = HTTPDate.parseISO(rateLimitReset) { return duration(time - reference) }
        }
        return nil
    }

    private static func duration(_ seconds: Int64) -> Duration { .seconds(min(max(seconds, 0), longestSeconds)) }

    /// Digits only; more of them than any time has stay a large number.
    private static func number(_ bytes: [UInt8]) -> Int64? {
        guard !bytes.isEmpty, bytes.count <= 64, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(String(decoding: bytes, as: UTF8.self)) ?? .max / 2
    }
}
