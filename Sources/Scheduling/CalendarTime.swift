internal import MediaModel

/// When something is run.
package enum CalendarTime: Sendable, Equatable {
    case hourly, daily, weekly, monthly
    /// In systemd's own notation, e.g. `Sun *-*-* 04:00:00`.
    case expression(String)
    /// Once: the hour that begins at this moment, seconds since 1970.
    case hour(Int64)

    private static let expressionBytesMax = 200

    /// Nil where it is neither a word nor could be a calendar expression: empty, longer than any, or of other characters.
    package init?(_ text: String) {
        switch text {
        case "hourly": self = .hourly
        case "daily": self = .daily
        case "weekly": self = .weekly
        case "monthly": self = .monthly
        default:
            let allowed = text.utf8.allSatisfy { byte in
                byte == 0x20 || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || "*-:,./~+_".utf8.contains(byte)
            }
            guard allowed, !text.isEmpty, text.utf8.count <= Self.expressionBytesMax else { return nil }
            self = .expression(text)
        }
    }

    /// The value of `OnCalendar=`.
    package var onCalendar: String {
        switch self {
        case .hourly: "hourly"
        case .daily: "daily"
        case .weekly: "weekly"
        case .monthly: "monthly"
        case .expression(let text): text
        case .hour(let seconds):
            UTCTime(secondsSince1970: seconds).iso8601.replacing("T", with: " ").replacing("Z", with: " UTC")
        }
    }

    /// The five fields of a crontab; nil where they cannot say it.
    /// - Parameter minute: of the hour, so that not all servers of the world ask at the same time.
    package func cronFields(minute: Int) -> String? {
        switch self {
        case .hourly: return "\(minute) * * * *"
        case .daily: return "\(minute) 3 * * *"
        case .weekly: return "\(minute) 4 * * 0"
        case .monthly: return "\(minute) 4 1 * *"
        case .expression: return nil
        case .hour(let seconds):
            // `2026-11-24T14:00:00Z`
            let text = UTCTime(secondsSince1970: seconds).iso8601
            let parts = text.split(whereSeparator: { "-T:Z".contains($0) }).compactMap { Int($0) }
            guard parts.count == 6 else { return nil }
            return "\(minute) \(parts[3]) \(parts[2]) \(parts[1]) *"
        }
    }
}

extension [CalendarTime] {
    /// After a move: every hour of the first day, then every day of a week, each at the hour it began.
    /// - Parameter now: seconds since 1970.
    package static func postMigration(from now: Int64) -> [CalendarTime] {
        let first = (now / 3600 + 1) * 3600
        let hours = (0..<24).map { CalendarTime.hour(first + Int64($0) * 3600) }
        let days = (1...7).map { CalendarTime.hour(first + Int64($0) * 86_400) }
        return hours + days
    }
}
