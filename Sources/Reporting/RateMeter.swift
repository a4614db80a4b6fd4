internal import MediaModel

/// Rates that neither jump nor lag: an exponential average over about ten seconds, and the whole run's average until
/// there is enough of it.
package struct RateMeter: Sendable, Equatable {
    /// How far back the average reaches.
    private static let reach = 10.0

    private var lastElapsed = 0.0
    private var lastEntries = 0
    private var lastBytes: Int64 = 0
    package private(set) var entriesPerSecond = 0.0
    package private(set) var bytesPerSecond = 0.0
    /// Of the present stage's own work.
    package private(set) var workPerSecond = 0.0
    private var lastWork: WorkProgress?
    private var workSeconds = 0.0
    private var lastGrowth: Growth?

    /// When the share of a stage's work last grew, in seconds since the stage began, and to what.
    private struct Growth: Sendable, Equatable {
        var share: Double
        var seconds: Double
    }

    package init() {}

    /// Takes a sample. Time that has not moved is ignored.
    package mutating func update(_ sample: ProgressSample, elapsed: Duration) {
        let now = elapsed.inSeconds
        let step = now - lastElapsed
        guard step > 0.01 else { return }
        let entries = Double(sample.counts.finished - lastEntries) / step
        let bytes = Double(sample.bytesMoved - lastBytes) / step
        // The first seconds weigh as much as they last, so that the average starts true.
        let weight = min(1, step / min(Self.reach, now))
        entriesPerSecond += (entries - entriesPerSecond) * weight
        bytesPerSecond += (bytes - bytesPerSecond) * weight
        updateWork(sample.work, step)
        lastElapsed = now
        lastEntries = sample.counts.finished
        lastBytes = sample.bytesMoved
    }

    /// A stage whose work is of another kind, or begins anew, starts a new average.
    private mutating func updateWork(_ work: WorkProgress?, _ step: Double) {
        defer { lastWork = work }
        guard let work, let last = lastWork, last.unit == work.unit, work.done >= last.done else {
            workPerSecond = 0
            workSeconds = 0
            lastGrowth = nil
            return
        }
        workSeconds += step
        if let share = work.share, share > lastGrowth?.share ?? 0 {
            lastGrowth = Growth(share: share, seconds: workSeconds)
        }
        let weight = min(1, step / min(Self.reach, workSeconds))
        workPerSecond += (Double(work.done - last.done) / step - workPerSecond) * weight
    }

    /// Seconds until a stage's own work is done. Steps are of unequal length: where they are not weighed, none.
    func secondsLeft(_ work: WorkProgress) -> Int? {
        if work.share != nil { return secondsLeftOfShare() }
        guard work.unit == .bytes, work.total > 0, workPerSecond > 0 else { return nil }
        let seconds = Double(max(0, work.total - work.done)) / workPerSecond
        return seconds < 8_640_000 ? Int(seconds.rounded(.up)) : nil
    }

    /// Shares grow in leaps, when a step ends: the average since the stage began, as of the last leap, is counted down in
    /// between. Nil in the first moments, and when it proves to have been too little.
    private func secondsLeftOfShare() -> Int? {
        guard let last = lastGrowth, last.share > 0.005, last.seconds > 1 else { return nil }
        let left = last.seconds / last.share - workSeconds
        return left > 0 && left < 8_640_000 ? Int(left.rounded(.up)) : nil
    }

    /// Seconds until everything is done, from the slower of entries and bytes; nil where the total is not known, nothing
    /// moves, or the answer would be more than a hundred days.
    package func secondsLeft(_ sample: ProgressSample) -> Int? {
        if let work = sample.work { return secondsLeft(work) }
        guard let total = sample.totalEntries, entriesPerSecond > 0 else { return nil }
        var seconds = Double(max(0, total - sample.counts.finished)) / entriesPerSecond
        let seen = sample.counts.bytesSeen
        if let totalBytes = sample.totalBytes, seen > 0, bytesPerSecond > 0 {
            // What is left is taken to move as large a part of its bytes as what was seen.
            let share = Double(sample.bytesMoved) / Double(seen)
            seconds = max(seconds, Double(max(0, totalBytes - seen)) * share / bytesPerSecond)
        }
        return seconds < 8_640_000 ? Int(seconds.rounded(.up)) : nil
    }
}
