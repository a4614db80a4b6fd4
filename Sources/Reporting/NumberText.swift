/// Numbers and durations for people.
enum NumberText {
    /// `812,440`.
    static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return number < 0 ? "-\(result)" : result
    }

    /// `0:07`, `4:12`, `1:02:03`.
    static func clock(seconds: Int) -> String {
        let seconds = max(0, seconds)
        let minutes = seconds / 60 % 60
        let tail = two(seconds % 60)
        return seconds < 3600 ? "\(minutes):\(tail)" : "\(seconds / 3600):\(two(minutes)):\(tail)"
    }

    /// `37.4%`.
    static func percent(_ fraction: Double) -> String {
        "\(oneDecimal(fraction * 100))%"
    }

    /// One digit behind the point, rounded down, so that 99.97 % is not shown as done.
    static func oneDecimal(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "0.0" }
        let tenths = Int((number * 10).rounded(.down))
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    /// `1 file`, `2 files`.
    static func count(_ number: Int, _ singular: String, _ plural: String) -> String {
        "\(grouped(number)) \(number == 1 ? singular : plural)"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Duration {
    /// As seconds with a fraction.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
