/// Sizes for people, and sizes people type.
package enum ByteCount {
    /// `1.5 MiB`, `812 B`: binary units, three significant digits.
    package static func describe(_ bytes: Int64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(bytes) / 1024
        var unit = 0
        while value >= 1023.95, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = (value * 10).rounded() / 10
        return "\(tenths) \(units[unit])"
    }

    /// Reads `20M`, `1.5G`, `512K`, `4096`, `10MiB`, `10MB`: units are binary as rsync's and rclone's, but `MB`-style
    /// suffixes are decimal. Nil where it is no size.
    package static func parse(_ text: String) -> Int64? {
        let lower = text.lowercased()
        let number = lower.prefix { $0.isNumber && $0.isASCII || $0 == "." }
        guard let value = Double(number), value >= 0 else { return nil }
        let scales: [String: Double] = [
            "": 1, "b": 1,
            "k": 1024, "kib": 1024, "kb": 1e3,
            "m": 1_048_576, "mib": 1_048_576, "mb": 1e6,
            "g": 1_073_741_824, "gib": 1_073_741_824, "gb": 1e9,
            "t": 1_099_511_627_776, "tib": 1_099_511_627_776, "tb": 1e12,
        ]
        guard let scale = scales[String(lower.dropFirst(number.count))] else { return nil }
        let bytes = (value * scale).rounded()
        return bytes < 9e18 ? Int64(bytes) : nil
    }
}
