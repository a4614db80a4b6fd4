internal import MediaModel
internal import Pipeline
internal import Running
internal import Synchronization
internal import Testing

@Suite struct StagedEngineTests {
    /// An engine that does nothing but end as it is told.
    private final class Pretender: Engine {
        private let made: Counts
        private let error: SyncError?

        init(copied: Int, error: SyncError? = nil) {
            var counts = Counts()
            counts.seen = copied
            counts.copied = copied
            made = counts
            self.error = error
        }

        func run() async -> RunResult { RunResult(counts: made, error: error) }
        func counts() -> Counts { made }
        func abandon() {}
        func totalCounter() -> (any TotalCounter)? { nil }
        func figures() -> [Figure] { [Figure("copied", made.copied, "Copied.")] }
    }

    /// Writes down what it hears, and fails where it is told to.
    private final class Journal: StageJournal {
        private let heard = Mutex<[String]>([])
        private let refused: String?

        init(refusing refused: String? = nil) { self.refused = refused }

        var lines: [String] { heard.withLock { $0 } }

        func begin(_ stage: String) throws(SyncError) { try hear("begin \(stage)") }
        func end(_ stage: String, _ result: RunResult) throws(SyncError) {
            try hear("end \(stage) \(result.exitStatus.rawValue)")
        }

        private func hear(_ line: String) throws(SyncError) {
            if line.hasPrefix(refused ?? "never") { throw SyncError(.unexpected, "the journal is full") }
            heard.withLock { $0.append(line) }
        }
    }

    private final class Ears: Sendable {
        private let heard = Mutex<[String]>([])
        var notices: [String] { heard.withLock { $0 } }
        func hear(_ event: Event) {
            if case .notice(let notice) = event { heard.withLock { $0.append(notice.message) } }
        }
    }

    private func stage(_ name: String, copied: Int, error: SyncError? = nil) -> RunStage {
        RunStage(name, plan: "does \(name)") { Pretender(copied: copied, error: error) }
    }

    @Test("stages run in their order; plans are told, accounts and figures are added up")
    func order() async {
        let (journal, ears) = (Journal(), Ears())
        let engine = StagedEngine(
            [stage("one", copied: 2), stage("two", copied: 3)],
            journal: journal,
            control: RunControl(),
            sink: ears.hear
        )
        let result = await engine.run()
        #expect(result.error == nil)
        #expect(result.counts.copied == 5 && result.counts.balances)
        #expect(engine.results.map(\.name) == ["one", "two"])
        #expect(engine.figures().map(\.value) == [2, 3])
        #expect(journal.lines == ["begin one", "end one 0", "begin two", "end two 0"])
        #expect(ears.notices == ["stage 1 of 2, one: does one", "stage 2 of 2, two: does two"])
    }

    @Test("a stage that fails ends the run and is not noted as done; what came before stays counted")
    func failure() async {
        let journal = Journal()
        let broken = SyncError(.unusable, "no")
        let stages = [stage("one", copied: 2), stage("two", copied: 1, error: broken), stage("three", copied: 9)]
        let engine = StagedEngine(stages, journal: journal, control: RunControl(), sink: { _ in })
        let result = await engine.run()
        #expect(result.error == broken)
        #expect(result.counts.copied == 3)
        #expect(journal.lines == ["begin one", "end one 0", "begin two"])
        #expect(engine.results.last?.result.error == broken)
    }

    @Test("an engine that cannot be made ends the run")
    func unmade() async {
        let stages = [
            stage("one", copied: 2),
            RunStage("two") { () throws(SyncError) in throw SyncError(.configuration, "no settings") },
        ]
        let engine = StagedEngine(stages, control: RunControl(), sink: { _ in })
        let result = await engine.run()
        #expect(result.error?.code == .configuration)
        #expect(result.counts.copied == 2)
    }

    @Test("items that fail do not end the run")
    func itemsFail() async {
        let journal = Journal()
        let engine = StagedEngine(
            [RunStage("one") { Failing() }, stage("two", copied: 1)],
            journal: journal,
            control: RunControl(),
            sink: { _ in }
        )
        let result = await engine.run()
        #expect(result.exitStatus == .itemsFailed)
        #expect(journal.lines.contains("end one 3") && journal.lines.contains("end two 0"))
    }

    private final class Failing: Engine {
        func run() async -> RunResult { RunResult(counts: counts(), error: nil) }
        func counts() -> Counts {
            var counts = Counts()
            counts.seen = 1
            counts.failed = 1
            return counts
        }
        func abandon() {}
        func totalCounter() -> (any TotalCounter)? { nil }
    }

    @Test("a run that is asked to stop begins no further stage")
    func stop() async {
        let control = RunControl()
        let journal = Journal()
        control.stop(SyncError(.interrupted, "stopped by SIGINT"))
        let engine = StagedEngine([stage("one", copied: 1)], journal: journal, control: control, sink: { _ in })
        #expect(await engine.run().exitStatus == .interrupted)
        #expect(journal.lines == [])
    }

    @Test("a journal that cannot be written ends the run", arguments: ["begin two", "end one"])
    func journalFails(refused: String) async {
        let engine = StagedEngine(
            [stage("one", copied: 1), stage("two", copied: 1)],
            journal: Journal(refusing: refused),
            control: RunControl(),
            sink: { _ in }
        )
        let result = await engine.run()
        #expect(result.error?.what == "the journal is full")
        #expect(result.counts.copied == 1)
    }
}
