/// Mastodon's ids that carry a time: milliseconds since 1970 in the upper 48 bits.
package enum Snowflake {
    private static let timeShift: Int64 = 16

    /// The smallest id that can be given in this second. Mastodon cuts fractions of a second off.
    package static func lowestID(secondsSince1970: Int64) -> Int64 {
        let (milliseconds, overflow) = secondsSince1970.multipliedReportingOverflow(by: 1000)
        let limit = Int64.max >> timeShift
        guard !overflow, milliseconds <= limit else { return secondsSince1970 < 0 ? 0 : Int64.max }
        return max(0, milliseconds) << timeShift
    }

    /// The second an id was given in. Serial ids of old rows come out as the first seconds of 1970.
    package static func secondsSince1970(of id: Int64) -> Int64 {
        (id >> timeShift) / 1000
    }
}
