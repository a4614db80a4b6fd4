internal import MediaModel

/// Dates as HTTP writes them.
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// Seconds since 1970 by this machine's clock.
    package static var now: Int64 { Monotonic.wallSeconds }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func text(secondsSince1970: Int64) -> String {
        let time = UTCTime(secondsSince1970: secondsSince1970)
        let daysSince1970 = Int((Double(secondsSince1970) / 86_400).rounded(.down))
        let day = days[((daysSince1970 % 7) + 7) % 7]
        let clock = [time.hour, time.minute, time.second].map(two).joined(separator: ":")
        return "\(day), \(two(time.day)) \(months[time.month - 1]) \(time.year) \(clock) GMT"
    }

    /// Reads the three forms that RFC 9110 knows; nil for anything else.
    /// - Returns: seconds since 1970.
    package static func parse(_ bytes: some Collection<UInt8>) -> Int64? {
        guard bytes.count <= 64 else { return nil }
        let words = String(decoding: bytes, as: UTF8.self)
            .split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        // `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`
        if words.count == 6, words[5] == "GMT" || words[5] == "UTC" {
            return time(year: words[3], month: words[2], day: words[1], clock: words[4])
        }
        // `Sun Nov  6 08:49:37 1994`
        if words.count == 5 { return time(year: words[4], month: words[1], day: words[2], clock: words[3]) }
        return nil
    }

    /// Reads `2026-11-24T10:00:00Z`, with a fraction or an offset of zero; nil for anything else.
    package static func parseISO(_ bytes: some Collection<UInt8>) -> Int64? {
        guard (19...40).contains(bytes.count) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let halves = text.split(separator: "T")
        guard halves.count == 2 else { return nil }
        let date = halves[0].split(separator: "-")
        guard date.count == 3, let month = number(date[1]), (1...12).contains(month) else { return nil }
        let rest = halves[1].dropFirst(8)
        let zone = rest.drop { $0 == "." || $0.isASCII && $0.isNumber }
        guard zone == "Z" || zone == "+00:00" else { return nil }
        return time(
            year: String(date[0]),
            month: months[month - 1],
            day: String(date[2]),
            clock: String(halves[1].prefix(8))
        )
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func number(_ text: some StringProtocol) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } && text.utf8.count <= 4 ? Int(text) : nil
    }

    private static func time(year: String, month: String, day: String, clock: String) -> Int64? {
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false).compactMap { number($0) }
        guard var year = number(year), let month = months.firstIndex(of: month), let day = number(day),
            parts.count == 3,
            (1...31).contains(day), parts[0] < 24, parts[1] < 60, parts[2] <= 60
        else { return nil }
        // Two digits: the century is the nearest past one, near enough.
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        guard (1970...9999).contains(year) else { return nil }
        // Days are counted from 1 March, so that the leap day is the last of its year.
        let shiftedYear = month < 2 ? year - 1 : year
        let monthFromMarch = (month + 10) % 12
        let days =
            shiftedYear * 365 + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400
            + (monthFromMarch * 153 + 2) / 5 + day - 1 - 719_468
        return Int64(days) * 86_400 + Int64(parts[0] * 3600 + parts[1] * 60 + parts[2])
    }
}
