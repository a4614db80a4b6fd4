internal import MediaModel
internal import Reporting
internal import Testing

@Suite struct ReporterTests {
    private let output = MemoryOutput()
    private let errors = MemoryOutput()
    private let engine = FakeEngine()

    private func reporter(
        columns: Int? = 100,
        _ change: (inout ReporterOptions) -> Void = { _ in }
    ) -> Reporter {
        var options = ReporterOptions(command: "copy", run: sampleRun)
        change(&options)
        let engine = engine
        return Reporter(
            options: options,
            output: output,
            errors: errors,
            columns: { columns },
            sample: { engine.current }
        )
    }

    private func time(_ seconds: Double) -> ReportTime {
        ReportTime(elapsed: .seconds(seconds), secondsSince1970: 1_795_400_000 + Int64(seconds))
    }

    @Test("live lines are drawn, replaced in place and erased at the end")
    func live() {
        let reporter = reporter { $0.progress = .live }
        reporter.receive(.stage("copy"))
        reporter.tick(at: time(1))
        engine.current.counts.copied = 5
        reporter.tick(at: time(2))
        #expect(errors.text.hasPrefix("[0:01] copy  0 entries"))
        #expect(errors.text.contains("\r\u{1b}[J[0:02] copy  5 entries"))
        #expect(!errors.text.contains("%"))
        reporter.finish(busySummary(.done), at: time(3))
        #expect(errors.text.hasSuffix("\r\u{1b}[J"))
        #expect(output.text.hasPrefix("copy finished in 2:41"))
    }

    @Test("a failure is printed above the live line, which is drawn again")
    func failureAboveLive() {
        let reporter = reporter { $0.progress = .live }
        reporter.receive(.stage("copy"))
        reporter.tick(at: time(1))
        reporter.receive(.item(failedItem()))
        reporter.tick(at: time(1))
        let expected =
            "\r\u{1b}[Jfailed: could not read a/photo.jpg: Permission denied (EACCES, open)\n[0:01] copy  0 entries"
        #expect(errors.text.contains(expected))
    }

    @Test("nothing is redrawn when nothing changed")
    func unchangedIsNotRedrawn() {
        let reporter = reporter { $0.progress = .live }
        reporter.receive(.stage("copy"))
        reporter.tick(at: time(1))
        let drawn = errors.text
        reporter.tick(at: time(1.1))
        #expect(errors.text == drawn)
    }

    @Test("a narrow terminal gets at most three lines, and two lines are erased upwards")
    func narrow() {
        let reporter = reporter(columns: 30) { $0.progress = .live }
        reporter.receive(.stage("copy"))
        reporter.tick(at: time(1))
        #expect(errors.lines.count == 3)
        reporter.tick(at: time(2))
        #expect(errors.text.contains("\r\u{1b}[2A\u{1b}[J[0:02]"))
    }

    @Test("without a terminal there is one plain line a minute and one at each stage's end")
    func plainLines() {
        let reporter = reporter { $0.progress = .lines }
        reporter.receive(.stage("copy"))
        for second in stride(from: 1, through: 130, by: 1) { reporter.tick(at: time(Double(second))) }
        #expect(errors.lines.count == 2)
        reporter.receive(.stage("delete"))
        reporter.tick(at: time(131))
        #expect(errors.lines.count == 3)
        #expect(errors.lines.last?.contains(" notice copy stage=copy elapsed_s=131 entries=0") == true)
        reporter.finish(busySummary(.done), at: time(132))
        #expect(errors.lines.last?.contains("stage=delete") == true)
        #expect(!errors.text.contains("\u{1b}"))
    }

    @Test("a request prints the status at the next tick, on a terminal too, and once")
    func printNow() {
        let reporter = reporter { $0.progress = .live }
        reporter.receive(.stage("copy"))
        reporter.tick(at: time(1))
        reporter.printNow()
        reporter.tick(at: time(1.2))
        reporter.tick(at: time(1.4))
        #expect(errors.lines.filter { $0.contains("notice copy stage=copy") }.count == 1)
    }

    @Test("the first twenty failures are shown, the rest is pointed at")
    func cappedFailures() {
        let reporter = reporter()
        for number in 0..<1_000 { reporter.receive(.item(failedItem("f\(number)"))) }
        reporter.tick(at: time(1))
        #expect(errors.lines.count == 21)
        #expect(errors.lines.last?.contains("mediasync status --errors") == true)
    }

    @Test("a flood of warnings is cut, and says so once")
    func cappedNotices() {
        let reporter = reporter()
        for number in 0..<500 { reporter.receive(.notice(Notice(.warning, "w\(number)"))) }
        reporter.tick(at: time(1))
        #expect(errors.lines.count == 101)
        #expect(errors.lines.last == "warning: further notices and warnings are not shown")
    }

    @Test("quiet leaves failures and warnings, and a closing line only after trouble")
    func quiet() {
        let reporter = reporter {
            $0.isQuiet = true
            $0.progress = .lines
        }
        reporter.receive(.stage("copy"))
        reporter.receive(.notice(Notice(.notice, "for your information")))
        reporter.receive(.notice(Notice(.warning, "clocks differ", hint: "use --modify-window")))
        reporter.tick(at: time(100))
        reporter.finish(busySummary(.done), at: time(101))
        #expect(output.text.isEmpty)
        #expect(errors.text == "warning: clocks differ\n  hint: use --modify-window\n")
        reporter.finish(busySummary(), at: time(102))
        #expect(errors.lines.last?.hasPrefix("4 entries failed") == false)
        #expect(errors.lines.last?.contains("5 entries failed") == true)
    }

    @Test("itemized lines are rsync's; unchanged entries only with -v")
    func itemize() {
        let quiet = reporter { $0.itemizes = true }
        let events = [
            ItemEvent(path: BytePath("new"), kind: .file, outcome: .copied, changes: .new),
            ItemEvent(path: BytePath("same"), kind: .file, outcome: .unchanged),
            ItemEvent(path: BytePath("a\nb"), kind: .file, outcome: .skipped(.excluded)),
        ]
        for event in events { quiet.receive(.item(event)) }
        quiet.tick(at: time(1))
        #expect(output.text == ">f+++++++++ new\n")
        let verbose = reporter {
            $0.itemizes = true
            $0.isVerbose = true
        }
        verbose.receive(.item(events[1]))
        verbose.tick(at: time(1))
        #expect(output.lines.last == ".f          same")
    }

    @Test("JSON has start, stages, failures and the summary, in order, and nothing else on standard output")
    func json() throws {
        let reporter = reporter { $0.output = .json }
        reporter.start(arguments: ["/src", "/d\"st"], version: "0.1.0")
        reporter.receive(.stage("copy"))
        reporter.receive(.item(failedItem()))
        reporter.receive(.item(ItemEvent(path: BytePath("ok"), kind: .file, outcome: .copied, changes: .new)))
        reporter.receive(.notice(Notice(.warning, "clocks differ")))
        reporter.tick(at: time(61))
        engine.current = ProgressSample(counts: busyCounts)
        reporter.finish(busySummary(.exhausted, fatal: noSpace), at: time(62))
        try expectGolden(output.text, "reporter.jsonl")
        try expectGolden(errors.text, "reporter-error.jsonl")
    }

    @Test("JSON status objects come once a minute")
    func jsonStatus() {
        let reporter = reporter {
            $0.output = .json
            $0.progress = .lines
        }
        reporter.receive(.stage("copy"))
        for second in 1...125 { reporter.tick(at: time(Double(second))) }
        #expect(output.lines.filter { $0.contains(#""type":"status""#) }.count == 2)
        #expect(errors.text.isEmpty)
    }

    @Test("lines of many threads never mix, and what waits stays bounded")
    func manyThreads() async {
        let reporter = reporter { $0.isVerbose = true }
        let name = String(repeating: "n", count: 100)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for number in 0..<2_000 {
                        let path = BytePath("\(name)\(worker)-\(number)")
                        reporter.receive(.item(ItemEvent(path: path, kind: .file, outcome: .copied)))
                    }
                }
            }
        }
        // 1.7 MB passed a buffer of 256 KiB although nobody ticked.
        #expect(output.text.utf8.count > 1_000_000)
        reporter.tick(at: time(1))
        #expect(output.lines.count == 16_000)
        #expect(output.lines.allSatisfy { $0.hasPrefix("copied \(name)") })
    }

    @Test("the ticking task stops when it is cancelled")
    func ticking() async {
        let reporter = reporter { $0.progress = .live }
        reporter.receive(.stage("copy"))
        let clock = InstantClock()
        let task = Task { await reporter.run(clock: clock, wallClock: { 0 }) }
        while errors.text.isEmpty { await Task.yield() }
        task.cancel()
        await task.value
        #expect(errors.text.contains("copy"))
    }
}

/// A clock on which every sleep is over at once.
struct InstantClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    var now: Instant { Instant(offset: .seconds(5)) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        await Task.yield()
    }
}
