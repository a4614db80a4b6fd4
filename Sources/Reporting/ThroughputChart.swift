internal import MediaModel

/// Bytes and entries a second over the time of a run, as one drawing.
enum ThroughputChart {
    private static let width = 800.0
    private static let height = 180.0
    private static let bottom = 20.0
    private static let top = 20.0

    /// Nothing where there are too few samples for a line.
    static func text(_ samples: [RunSample]) -> String {
        let rates = zip(samples, samples.dropFirst()).compactMap {
            before,
            after -> (at: Int64, items: Double, bytes: Double)? in
            let seconds = Double(after.at - before.at)
            guard seconds > 0 else { return nil }
            return (
                after.at, max(0, Double(after.items - before.items) / seconds),
                max(0, Double(after.bytes - before.bytes) / seconds)
            )
        }
        guard let first = samples.first, let last = samples.last, rates.count > 1, last.at > first.at else { return "" }
        let span = Double(last.at - first.at)
        let bytesMax = rates.map(\.bytes).max() ?? 0
        let itemsMax = rates.map(\.items).max() ?? 0
        func points(_ value: ((at: Int64, items: Double, bytes: Double)) -> Double, _ most: Double) -> String {
            rates.map { rate in
                let x = Double(rate.at - first.at) / span * width
                let y = height - bottom - (most > 0 ? value(rate) / most : 0) * (height - bottom - top)
                return "\(NumberText.oneDecimal(x)),\(NumberText.oneDecimal(y))"
            }.joined(separator: " ")
        }
        let floor = NumberText.oneDecimal(height - bottom)
        let elapsed = NumberText.clock(seconds: Int(span))
        let bytes = "\(ByteCount.describe(Int64(bytesMax)))/s at most"
        let most = itemsMax < 100 ? NumberText.oneDecimal(itemsMax) : NumberText.grouped(Int(itemsMax.rounded()))
        let items = "\(most) entries/s at most"
        return """
            <section>
            <h2>Throughput</h2>
            <svg viewBox="0 0 \(Int(width)) \(Int(height))" role="img" aria-label="Throughput over \(elapsed)">
            <line class="axis" x1="0" y1="\(floor)" x2="\(Int(width))" y2="\(floor)"/>
            <polyline class="bytes" points="\(points({ $0.bytes }, bytesMax))"/>
            <polyline class="items" points="\(points({ $0.items }, itemsMax))"/>
            <text x="0" y="14">blue: \(bytes)</text>
            <text x="\(Int(width))" y="14" text-anchor="end">orange: \(items)</text>
            <text x="0" y="\(Int(height) - 4)">0:00</text>
            <text x="\(Int(width))" y="\(Int(height) - 4)" text-anchor="end">\(elapsed)</text>
            </svg>
            </section>
            """
    }
}

/// When each stage of a run began and ended, as bars.
enum StageBars {
    private static let width = 800.0
    private static let labels = 160.0
    private static let line = 20.0

    /// Nothing where there is one stage only.
    static func text(_ run: RunRecord, now: Int64) -> String {
        guard run.stages.count > 1 else { return "" }
        let end = run.endedAt ?? (run.state == .running ? now : run.heardAt)
        let span = Double(max(1, end - run.startedAt))
        let scale = (width - labels - 60) / span
        let bars = run.stages.enumerated().map { index, stage in
            let seconds = max(0, (stage.endedAt ?? end) - stage.startedAt)
            let x = labels + Double(max(0, stage.startedAt - run.startedAt)) * scale
            let length = max(1, Double(seconds) * scale)
            let y = Double(index) * line
            return """
                <text x="0" y="\(Int(y) + 14)">\(HTMLReport.escaped(stage.name))</text>
                <rect class="bar" x="\(NumberText.oneDecimal(x))" y="\(Int(y) + 4)" width="\(NumberText.oneDecimal(length))" height="12"/>
                <text x="\(NumberText.oneDecimal(x + length + 4))" y="\(Int(y) + 14)">\(NumberText.clock(seconds: Int(seconds)))</text>
                """
        }
        let height = Int(Double(run.stages.count) * line)
        return """
            <section>
            <h2>Stages</h2>
            <svg viewBox="0 0 \(Int(width)) \(height)" role="img" aria-label="Stages">
            \(bars.joined(separator: "\n"))
            </svg>
            </section>
            """
    }
}
