internal import Foundation
internal import MediaModel
internal import MediasyncTesting
internal import Pipeline
internal import Synchronization
internal import Testing

@Suite struct RunRecorderTests {
    private let tree: TemporaryTree
    private let store: RunStore
    private let id = RunID(secondsSince1970: 0, random: 1)

    init() throws {
        tree = try TemporaryTree()
        store = try RunStore(directory: tree.url.path)
        try store.begin(RunRecord(id: id, command: "copy", pid: ProcessIdentity.current.pid, startedAt: 0))
    }

    private func recorder(limit: Int = RunStore.failureLimit) -> RunRecorder {
        RunRecorder(store: store, run: id, failureLimit: limit, wallClock: { 7 }) {
            var counts = Counts()
            counts.seen = 42
            return RunProgress(counts: counts, share: 0.25)
        }
    }

    private func failed(_ name: String) -> Event {
        .item(
            ItemEvent(path: BytePath(name), kind: .file, outcome: .failed(SyncError(.item, "could not read \(name)")))
        )
    }

    @Test("failures and stages are written at a flush, with the numbers so far")
    func flush() throws {
        let recorder = recorder()
        recorder.receive(.stage("copy"))
        recorder.receive(failed("a"))
        recorder.receive(.item(ItemEvent(path: BytePath("b"), kind: .file, outcome: .copied)))
        #expect(try store.failures(of: id).failures.isEmpty)
        recorder.flush()
        let run = try #require(try store.run(id))
        #expect(run.failuresKept == 1 && run.counts.seen == 42 && run.stages.map(\.name) == ["copy"])
        recorder.flush()
        #expect(try store.run(id)?.failuresKept == 1)
    }

    @Test("what is over the limit is counted only")
    func capped() throws {
        let recorder = recorder(limit: 100)
        for number in 0..<250 { recorder.receive(failed("f\(number)")) }
        recorder.finish(status: .itemsFailed, counts: Counts())
        let run = try #require(try store.run(id))
        #expect(run.failuresKept == 100 && run.failuresDropped == 150 && run.state == .finished)
    }

    @Test("failures of many threads all arrive without a flush being asked for")
    func manyThreads() async throws {
        let recorder = recorder()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for number in 0..<3_000 { recorder.receive(failed("\(worker)/\(number)")) }
                }
            }
        }
        #expect(try store.run(id)?.failuresKept ?? 0 >= 8_192)
        recorder.flush()
        #expect(try store.run(id)?.failuresKept == 12_000)
    }

    @Test("a store that fails ends the recording, not the run")
    func problem() throws {
        let unknown = RunID(secondsSince1970: 9, random: 9)
        let recorder = RunRecorder(
            store: store,
            run: unknown,
            wallClock: { 7 },
            progress: { RunProgress(counts: Counts()) }
        )
        recorder.receive(failed("a"))
        recorder.flush()
        #expect(recorder.problem != nil)
        recorder.receive(failed("b"))
        recorder.finish(status: .done, counts: Counts())
    }

    @Test("samples of a long run stay few, from its begin to its end")
    func samples() throws {
        let clock = Mutex<Int64>(1000)
        let recorder = RunRecorder(store: store, run: id, wallClock: { clock.withLock { $0 } }) {
            var counts = Counts()
            counts.seen = clock.withLock { Int($0) }
            counts.copied = counts.seen
            return RunProgress(counts: counts, share: 0.5)
        }
        for second in stride(from: Int64(1000), to: 6000, by: 2) {
            clock.withLock { $0 = second }
            recorder.flush()
        }
        let samples = try store.samples(of: id)
        #expect((300...600).contains(samples.count))
        #expect(samples.first == RunSample(at: 1000, items: 1000, bytes: 0))
        #expect((samples.last?.at ?? 0) >= 5980)
        #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.at < $1.at && $0.items < $1.items })
        #expect(try store.run(id)?.share == 0.5)
    }

    @Test("the tables of a run's report are kept with it")
    func sections() throws {
        let recorder = recorder()
        let table = ReportSection(
            title: "By <kind>",
            columns: ["kind", "n"],
            rows: [["avatars", "3"], ["a\nb", ""]]
        )
        recorder.finish(status: .done, counts: Counts(), sections: [table])
        #expect(recorder.problem == nil)
        #expect(try store.sections(of: id) == [table])
        #expect(try store.sections(of: RunID(secondsSince1970: 1, random: 9)) == [])
    }
}

@Suite struct StateLocationTests {
    @Test(
        "the flag wins, then MEDIASYNC_STATE, then root's place, then XDG's",
        arguments: [
            ("/f", ["MEDIASYNC_STATE": "/m"], true, "/f"), (nil, ["MEDIASYNC_STATE": "/m"], true, "/m"),
            ("", ["HOME": "/h"], true, "/var/lib/mediasync"),
            (nil, ["XDG_STATE_HOME": "/x", "HOME": "/h"], false, "/x/mediasync"),
            (nil, ["XDG_STATE_HOME": "x", "HOME": "/h"], false, "/h/.local/state/mediasync"),
            (nil, ["MEDIASYNC_STATE": "", "HOME": "/h"], false, "/h/.local/state/mediasync"),
        ] as [(String?, [String: String], Bool, String)]
    )
    func order(flag: String?, environment: [String: String], isRoot: Bool, expected: String) throws {
        #expect(try StateLocation.resolve(flag: flag, environment: environment, isRoot: isRoot) == expected)
    }

    @Test("without a home there is an error that says what to set")
    func nowhere() {
        #expect {
            try StateLocation.resolve(environment: [:], isRoot: false)
        } throws: { ($0 as? SyncError)?.code == .configuration }
    }
}
