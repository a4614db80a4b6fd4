/// What the reporter has drawn and when; guarded by the reporter's lock.
struct Screen: Sendable {
    /// How often a plain line is printed.
    static let lineInterval = Duration.seconds(60)

    var rates = RateMeter()
    /// When the last plain line or status object was printed.
    var lastLine = Duration.zero
    /// Ended stages whose plain line was not printed yet.
    var ended: [EventFold.EndedStage] = []
    private var drawn: [String] = []

    /// Whether a minute has passed since the last line.
    func isLineDue(at elapsed: Duration, progress: ReporterOptions.Progress) -> Bool {
        progress == .lines && elapsed - lastLine >= Self.lineInterval
    }

    /// The bytes that erase the live lines and draw others; none where nothing changes. The cursor stays behind the last
    /// line, so that a killed run leaves at most one unfinished line.
    mutating func replace(with lines: [String]) -> [UInt8] {
        guard lines != drawn else { return [] }
        var text = ""
        if !drawn.isEmpty {
            text += "\r"
            if drawn.count > 1 { text += "\u{1b}[\(drawn.count - 1)A" }
            text += "\u{1b}[J"
        }
        text += lines.joined(separator: "\n")
        drawn = lines
        return Array(text.utf8)
    }
}
