/// The dump that a database was made of. `restore` writes it at the database itself, in the transaction that makes it live: it
/// goes where the database goes, and whoever can read the database can read it.
package struct RestoredDump: Sendable, Equatable {
    /// When it was made: seconds since 1970.
    package let madeAt: Int64
    /// How that is known.
    package let source: Source

    package enum Source: String, Sendable, CaseIterable {
        /// It says so itself.
        case header
        /// From its newest post, which is never later.
        case newestStatus
        /// From the file's own time.
        case file
    }

    package init(madeAt: Int64, source: Source) {
        self.madeAt = madeAt
        self.source = source
    }

    private static let start = "mediasync: dump of "

    /// `mediasync: dump of 2026-11-20T10:00:00Z (1795168800, header)`.
    package var comment: String {
        "\(Self.start)\(UTCTime(secondsSince1970: madeAt).iso8601) (\(madeAt), \(source.rawValue))"
    }

    /// Reads such a text, or one that ends with it; nil where it is none.
    package init?(comment: String) {
        guard let start = comment.firstRange(of: Self.start) else { return nil }
        let rest = comment[start.upperBound...]
        guard let open = rest.firstIndex(of: "("), rest.last == ")" else { return nil }
        let words = rest[rest.index(after: open)...].dropLast().split(separator: ",")
        guard words.count == 2, let madeAt = Int64(words[0]), (0...Self.latest).contains(madeAt),
            let source = Source(rawValue: String(words[1].drop { $0 == " " }))
        else { return nil }
        self.init(madeAt: madeAt, source: source)
    }

    /// The year 9999: later ones are none that anybody made a dump in.
    private static let latest: Int64 = 253_402_300_799
}
