package import MediaModel
internal import Pacing
package import Running

/// Judges a server before a run changes it: the first problem that the run itself does not mend ends it.
package final class DoctorEngine: Engine {
    private let tolerated: Set<String>
    private let facts: @Sendable () -> ServerFacts
    private let control: RunControl
    private let sink: EventSink

    /// - Parameters:
    ///   - tolerated: names of findings that are only told: what a later stage makes or judges for itself.
    ///   - facts: gathers them; called on a thread of its own.
    package init(
        tolerated: Set<String>,
        facts: @escaping @Sendable () -> ServerFacts,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.tolerated = tolerated
        self.facts = facts
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { Counts() }
    package func abandon() {}
    package func totalCounter() -> (any TotalCounter)? { nil }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        sink(.stage("doctor"))
        let findings = await withTaskExecutorPreference(pool) { [facts] in Check.findings(facts()) }
        var problem: SyncError?
        for finding in findings {
            switch finding.verdict {
            case .good: continue
            case .problem(let code) where !tolerated.contains(finding.name):
                problem = problem ?? SyncError(code, "\(finding.name): \(finding.value)", hint: finding.remedy)
            case .warning:
                sink(.notice(Notice(.warning, "\(finding.name): \(finding.value)", hint: finding.remedy)))
            case .problem:
                sink(.notice(Notice(.notice, "\(finding.name), before this run: \(finding.value)")))
            }
        }
        return RunResult(counts: Counts(), error: control.stopReason ?? problem)
    }
}
