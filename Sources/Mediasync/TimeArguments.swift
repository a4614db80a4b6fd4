import ArgumentParser
import Foundation
import MediaModel

/// `90`, `45s`, `30m`, `2h`, `1h30m`.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

    init?(argument: String) {
        var seconds: Int64 = 0
        var digits = ""
        for character in argument {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else if let unit = Self.units[character], let number = Int64(digits), number <= 1_000_000 {
                seconds += number * unit
                digits = ""
            } else {
                return nil
            }
        }
        if !digits.isEmpty {
            guard let number = Int64(digits), number <= 1_000_000, seconds == 0 else { return nil }
            seconds = number
        }
        guard seconds > 0 else { return nil }
        duration = .seconds(seconds)
    }
}

/// A moment: `2026-11-23`, `2026-11-23T02:30:00Z`, UTC where nothing else is said; or `dump`.
struct MomentArgument: ExpressibleByArgument {
    enum Moment: Equatable {
        case seconds(Int64)
        /// When the dump was made that the database was restored from.
        case dump
    }

    let moment: Moment

    init?(argument: String) {
        if argument == "dump" {
            moment = .dump
            return
        }
        var text = argument
        if text.count == 10 { text += "T00:00:00Z" }
        if !text.hasSuffix("Z"), !text.dropFirst(11).contains(where: { "+-".contains($0) }) { text += "Z" }
        guard let date = try? Date(text, strategy: .iso8601), abs(date.timeIntervalSince1970) < 1e11 else { return nil }
        moment = .seconds(Int64(date.timeIntervalSince1970.rounded(.down)))
    }
}
