internal import MediaModel
internal import Reporting
internal import Testing

@Suite struct StatusPrinterTests {
    private func run(_ state: RunRecord.State) throws -> RunRecord {
        var run = RunRecord(
            id: sampleRun,
            command: "copy",
            arguments: ["/old\u{1b}", "/new"],
            source: "/old\u{1b}",
            target: "/new",
            pid: 4_711,
            startedAt: 1_795_400_000,
            counts: busyCounts
        )
        run.state = state
        run.stages = [
            RunRecord.Stage(name: "copy", startedAt: 1_795_400_000, endedAt: 1_795_400_150),
            RunRecord.Stage(name: "delete", startedAt: 1_795_400_150),
        ]
        if state == .finished || state == .interrupted || state == .failed {
            run.endedAt = 1_795_400_161
            run.stages[1].endedAt = 1_795_400_161
            run.exitStatus = [.finished: 3, .interrupted: 130, .failed: 14][state]
        }
        run.heardAt = run.endedAt ?? 1_795_400_180
        run.failuresKept = 5
        run.failuresDropped = state == .failed ? 2_000 : 0
        return run
    }

    @Test("a run in every state", arguments: RunRecord.State.allCases)
    func states(state: RunRecord.State) throws {
        let run = try run(state)
        try expectGolden(StatusPrinter.text(run, now: 1_795_400_200), "status-\(state).txt")
        try expectGolden(String(decoding: StatusPrinter.json(run), as: UTF8.self), "status-\(state).jsonl")
    }

    @Test("the list of runs is a table")
    func list() throws {
        var small = RunRecord(id: sampleRun, command: "verify", pid: 1, startedAt: 1_795_300_000)
        small.state = .finished
        small.endedAt = 1_795_310_000
        small.exitStatus = 0
        try expectGolden(
            StatusPrinter.list([try run(.running), try run(.finished), small], now: 1_795_400_200),
            "status-list.txt"
        )
        #expect(StatusPrinter.list([], now: 0) == "no runs yet\n")
    }

    @Test("failures are one a line, and what was dropped is said")
    func errors() throws {
        let failures = [
            FailureRecord(path: BytePath("a/b"), kind: .file, error: noSpace, at: 0),
            FailureRecord(
                path: BytePath(bytes: [0xff]),
                kind: .directory,
                error: SyncError(.item, "could not open \\xff"),
                at: 5
            ),
        ]
        #expect(
            StatusPrinter.errors(failures)
                == "a/b: could not write b/one.jpg: No space left on device (ENOSPC, write)\ncould not open \\xff\n"
        )
        let lines = failures.map { String(decoding: StatusPrinter.json($0, of: sampleRun), as: UTF8.self) }
        try expectGolden(lines.joined(), "status-errors.jsonl")
        #expect(StatusPrinter.droppedLine(try run(.finished)) == nil)
        #expect(StatusPrinter.droppedLine(try run(.failed)) == "and 2,000 more, which were too many to keep\n")
    }
}
