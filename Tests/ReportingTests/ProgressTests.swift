internal import MediaModel
internal import Reporting
internal import Testing

@Suite struct ProgressTests {
    private func sample(_ copied: Int, bytes: Int64 = 0, total: Int? = nil, totalBytes: Int64? = nil) -> ProgressSample
    {
        var counts = Counts()
        counts.copied = copied
        counts.files = copied
        counts.bytesWritten = bytes
        counts.bytesSeen = bytes
        return ProgressSample(counts: counts, totalEntries: total, totalBytes: totalBytes)
    }

    private func rates(_ steps: [(Double, ProgressSample)]) -> RateMeter {
        var meter = RateMeter()
        for (seconds, sample) in steps { meter.update(sample, elapsed: .seconds(seconds)) }
        return meter
    }

    @Test("with a total there is a share and the time left")
    func known() {
        let now = sample(500, bytes: 1 << 30, total: 1_000)
        let lines = ProgressLine.live(
            now,
            elapsed: .seconds(4_000),
            rates: rates([(4_000, now)]),
            stage: "copy",
            columns: 200
        )
        #expect(
            lines == [
                "[1:06:40] copy  50.0%  500 / 1,000 entries  500 files  1.0 GiB  262.1 KiB/s  0/s  0 failed  ETA 1:06:40"
            ]
        )
    }

    @Test("without a total nothing is invented")
    func unknown() {
        let line = ProgressLine.live(
            sample(1),
            elapsed: .seconds(2),
            rates: RateMeter(),
            stage: "verify",
            columns: 200
        ).joined()
        #expect(line == "[0:02] verify  1 entry  1 file  0 B  0 B/s  0/s  0 failed")
    }

    @Test("a total that proves too small does not give more than everything")
    func totalTooSmall() {
        let line = ProgressLine.live(
            sample(12, total: 10),
            elapsed: .seconds(2),
            rates: RateMeter(),
            stage: "copy",
            columns: 200
        ).joined()
        #expect(line.contains("100.0%  12 / 12 entries"))
    }

    @Test("lines fit every width", arguments: [1, 10, 20, 40, 60, 80, 120, 300])
    func widths(columns: Int) {
        let lines = ProgressLine.live(
            ProgressSample(counts: busyCounts, totalEntries: 900_000),
            elapsed: .seconds(4_000),
            rates: RateMeter(),
            stage: "copy",
            columns: columns
        )
        #expect((1...3).contains(lines.count))
        #expect(lines.allSatisfy { $0.count < max(columns, 11) })
    }

    @Test("the rate is true from the first sample and follows a change")
    func rate() {
        #expect(rates([(1, sample(100, bytes: 1_000))]).entriesPerSecond == 100)
        var steps = (1...60).map { (Double($0), sample($0 * 100)) }
        #expect(abs(rates(steps).entriesPerSecond - 100) < 0.001)
        steps += (61...120).map { (Double($0), sample(6_000)) }
        #expect(rates(steps).entriesPerSecond < 1)
    }

    @Test("time that stands still changes no rate")
    func standingClock() {
        let meter = rates([(1, sample(10)), (1, sample(500))])
        #expect(meter.entriesPerSecond == 10)
    }

    @Test("the slower of entries and bytes says when it ends; nothing does when nothing moves")
    func timeLeft() {
        let now = sample(10, bytes: 100, total: 20, totalBytes: 1_000)
        #expect(rates([(10, now)]).secondsLeft(now) == 90)
        #expect(rates([(10, sample(0, total: 20))]).secondsLeft(sample(0, total: 20)) == nil)
        #expect(rates([(10, now)]).secondsLeft(sample(10)) == nil)
    }

    private func weighed(_ share: Double, done: Int64 = 1, current: String? = nil) -> ProgressSample {
        let work = WorkProgress(done: done, total: 10, unit: .steps, share: share, current: current)
        return ProgressSample(counts: Counts(), work: work)
    }

    @Test("steps that are weighed have a share, the time left and what is in hand")
    func steps() {
        let now = weighed(0.25, done: 4, current: "index on statuses")
        let line = ProgressLine.live(
            now,
            elapsed: .seconds(20),
            rates: rates([(10, weighed(0, done: 0)), (20, now)]),
            stage: "index",
            columns: 200
        )
        #expect(line == ["[0:20] index  25.0%  4 / 10 steps  ETA 0:30  index on statuses"])
        let bare = ProgressSample(counts: Counts(), work: WorkProgress(done: 4, total: 10, unit: .steps))
        let bareLine = ProgressLine.live(
            bare,
            elapsed: .seconds(20),
            rates: rates([(10, bare), (20, bare)]),
            stage: "index",
            columns: 200
        )
        #expect(bareLine == ["[0:20] index  40.0%  4 / 10 steps"])
    }

    @Test("the time left of weighed steps counts down between them, and is not told when it was too little")
    func stepsBetween() {
        var samples = [(0.0, weighed(0)), (10, weighed(0)), (20, weighed(0.5))]
        #expect(rates(samples).secondsLeft(weighed(0.5)) == 10)
        samples.append((26, weighed(0.5)))
        #expect(rates(samples).secondsLeft(weighed(0.5)) == 4)
        samples.append((31, weighed(0.5)))
        #expect(rates(samples).secondsLeft(weighed(0.5)) == nil)
        samples.append((40, weighed(0.9)))
        #expect(rates(samples).secondsLeft(weighed(0.9)) == 4)
    }

    @Test("a stage that begins anew has no time left of the one before")
    func stepsAnew() {
        let samples = [
            (0.0, weighed(0, done: 0)), (10, weighed(0.9, done: 9)), (11, weighed(0, done: 0)),
            (12, weighed(0, done: 0)),
        ]
        #expect(rates(samples).secondsLeft(weighed(0, done: 0)) == nil)
    }

    @Test("a plain line is key=value with the time in UTC")
    func plain() throws {
        let now = ProgressSample(counts: busyCounts, totalEntries: 900_000)
        let line = ProgressLine.plain(
            now,
            at: ReportTime(elapsed: .seconds(161), secondsSince1970: 1_795_400_161),
            rates: rates([(161, now)]),
            command: "copy",
            stage: "copy"
        )
        try expectGolden(line + "\n", "plain-line.txt")
    }
}
