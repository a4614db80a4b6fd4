/// `--days N`: a moment before which things count as old. Days are 24 hours, fractions are allowed, as in Mastodon's own
/// commands; the moment it is counted from is passed in (the database's clock, which stamped the rows).
package struct AgeLimit: Sendable, Equatable {
    /// Microseconds since 1970: what the database keeps.
    package let microsecondsSince1970: Int64
    private let days: Double

    /// Rows of the distant past do not need more.
    private static let daysMax = 36_500.0

    /// Nil where it is no number of days: negative, not finite, or more than a century.
    package init?(days: Double, before nowMicroseconds: Int64) {
        guard days.isFinite, (0...Self.daysMax).contains(days) else { return nil }
        self.days = days
        microsecondsSince1970 = nowMicroseconds - Int64((days * 86_400_000_000).rounded())
    }

    /// The second that ids are compared with.
    package var secondsSince1970: Int64 {
        Int64((Double(microsecondsSince1970) / 1_000_000).rounded(.down))
    }

    /// `2026-11-23T02:30:01Z`.
    package var time: String { UTCTime(secondsSince1970: secondsSince1970).iso8601 }

    /// `older than 1 day: before 2026-11-23T02:30:01Z`. The same option selects in opposite directions in different
    /// commands, so it is said in words and as a time before anything starts.
    package var olderInWords: String { "older than \(span): before \(time)" }

    /// `of the last 1 day: since 2026-11-23T02:30:01Z`.
    package var newerInWords: String { "of the last \(span): since \(time)" }

    private var span: String {
        if days == days.rounded() { return "\(Int(days)) \(days == 1 ? "day" : "days")" }
        return "\(days) days"
    }
}
