package import MediaModel
internal import Pacing
package import Running
internal import Synchronization

/// Stages that run one after the other as one run. One that is stopped or fails ends it, and leaves what came before it as
/// it is; single items that fail do not. Their accounts are added up.
package final class StagedEngine: Engine {
    private struct State {
        var active: (any Engine)?
        var finished = Counts()
        var figures: [Figure] = []
        var sections: [ReportSection] = []
        var results: [StageResult] = []
    }

    private let stages: [RunStage]
    private let journal: (any StageJournal)?
    private let control: RunControl
    private let sink: EventSink
    private let state = Mutex(State())

    /// - Parameters:
    ///   - stages: in their order; several plans are told, one for each stage.
    ///   - journal: hears of each stage's begin and end; nil where nothing is to be remembered.
    package init(
        _ stages: [RunStage],
        journal: (any StageJournal)? = nil,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.stages = stages
        self.journal = journal
        self.control = control
        self.sink = sink
    }

    /// The stages that ended so far, the last of them perhaps with an error.
    package var results: [StageResult] { state.withLock { $0.results } }

    package func run() async -> RunResult {
        let clock = ContinuousClock()
        // Making an engine may ask a server something.
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        for (index, stage) in stages.enumerated() {
            if let reason = control.stopReason { return end(reason) }
            if !stage.plan.isEmpty {
                sink(.notice(Notice(.notice, "stage \(index + 1) of \(stages.count), \(stage.name): \(stage.plan)")))
            }
            let begin = clock.now
            let result = await run(stage, pool)
            let ended = StageResult(name: stage.name, result: result, elapsed: begin.duration(to: clock.now))
            state.withLock { state in
                state.figures += state.active?.figures() ?? []
                state.sections += state.active?.sections() ?? []
                state.active = nil
                state.finished = state.finished + result.counts
                state.results.append(ended)
            }
            if let error = result.error { return end(error) }
        }
        return end(nil)
    }

    private func end(_ error: SyncError?) -> RunResult { RunResult(counts: counts(), error: error) }

    private func run(_ stage: RunStage, _ pool: WorkerPool) async -> RunResult {
        do throws(SyncError) {
            let engine = try await make(stage, pool)
            state.withLock { $0.active = engine }
            let result = await engine.run()
            if result.error == nil {
                try await note(pool) { [journal] () throws(SyncError) in try journal?.end(stage.name, result) }
            }
            return result
        } catch {
            return RunResult(counts: state.withLock { $0.active }?.counts() ?? Counts(), error: error)
        }
    }

    private func make(_ stage: RunStage, _ pool: WorkerPool) async throws(SyncError) -> any Engine {
        let made = await withTaskExecutorPreference(pool) { [journal] () -> Result<any Engine, SyncError> in
            Result { () throws(SyncError) in
                try journal?.begin(stage.name)
                return try stage.make()
            }
        }
        return try made.get()
    }

    private func note(
        _ pool: WorkerPool,
        _ body: @escaping @Sendable () throws(SyncError) -> Void
    ) async throws(SyncError) {
        try await withTaskExecutorPreference(pool) { Result { () throws(SyncError) in try body() } }.get()
    }

    private var active: (any Engine)? { state.withLock { $0.active } }

    package func counts() -> Counts {
        let (finished, active) = state.withLock { ($0.finished, $0.active) }
        return active.map { finished + $0.counts() } ?? finished
    }

    package func abandon() { active?.abandon() }
    package func totalCounter() -> (any TotalCounter)? { nil }
    package func work() -> WorkProgress? { active?.work() }
    package func activity() -> [String] { active?.activity() ?? [] }

    package func figures() -> [Figure] {
        let (figures, active) = state.withLock { ($0.figures, $0.active) }
        return figures + (active?.figures() ?? [])
    }

    package func sections() -> [ReportSection] {
        let (sections, active) = state.withLock { ($0.sections, $0.active) }
        return sections + (active?.sections() ?? [])
    }

    package var stopPatience: Duration { active?.stopPatience ?? .milliseconds(1700) }
}
