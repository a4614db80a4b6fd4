package import MediaModel
package import Running
internal import Synchronization

/// Compares rows with files, fetches again what other servers have, and tells what is lost for good.
package final class RepairEngine: Engine {
    /// Lost files that are named in the report; `--json` and the record of the run have all.
    private static let shownMax = 20

    private struct State {
        var active: (any Engine)?
        var compared: Counts?
        var fetched: Counts?
        var sections: [ReportSection] = []
    }

    private let findings: RepairFindings
    private let comparison: any Engine
    private let refresh: @Sendable ([String: [Int64]]) throws(SyncError) -> any Engine
    private let control: RunControl
    private let sink: EventSink
    private let state = Mutex(State())

    /// - Parameters:
    ///   - findings: hears the events of both engines.
    ///   - comparison: of rows with files.
    ///   - refresh: makes the engine that fetches media, numbers by kind; not called where nothing is missing.
    package init(
        findings: RepairFindings,
        comparison: any Engine,
        refresh: @escaping @Sendable ([String: [Int64]]) throws(SyncError) -> any Engine,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.findings = findings
        self.comparison = comparison
        self.refresh = refresh
        self.control = control
        self.sink = sink
    }

    package func run() async -> RunResult {
        state.withLock { $0.active = comparison }
        let compared = await comparison.run()
        state.withLock { state in
            state.compared = compared.counts
            state.sections = comparison.sections()
        }
        if let error = compared.error { return RunResult(counts: counts(), error: error) }
        var error: SyncError?
        let missing = findings.missing
        if missing.isEmpty {
            sink(.notice(Notice(.notice, "nothing is missing that another server has")))
        } else {
            do throws(SyncError) {
                let engine = try refresh(missing)
                state.withLock { $0.active = engine }
                let fetched = await engine.run()
                state.withLock { state in
                    state.fetched = fetched.counts
                    state.sections += engine.sections()
                }
                error = fetched.error
            } catch let failure {
                error = failure
            }
        }
        state.withLock { $0.active = nil }
        if error == nil { tellOfLosses() }
        return RunResult(counts: counts(), error: error ?? control.stopReason)
    }

    private func tellOfLosses() {
        let (named, count) = findings.lost
        guard count > 0 else { return }
        var lines = ["lost unless a backup has them: \(count) files of this server's own"]
        lines += named.prefix(Self.shownMax).map { "  \($0)" }
        if count > Self.shownMax { lines.append("  and \(count - Self.shownMax) more: mediasync status --errors") }
        let fields = [
            Report.Field("count", .number(Int64(count))),
            Report.Field("paths", .list(named.map { .text("\($0)") })),
        ]
        sink(.report(Report(name: "lost", fields: fields, lines: lines)))
    }

    /// What the comparison found in order, what became of the media that were fetched again, and what differs still.
    package func counts() -> Counts {
        let (compared, fetched, active) = state.withLock { ($0.compared, $0.fetched, $0.active) }
        guard var sum = compared else { return comparison.counts() }
        let found = sum.different
        if let now = fetched ?? active?.counts() {
            sum = sum + now
            sum.seen -= found - findings.leftFiles
            sum.different -= found - findings.leftFiles
        }
        return sum
    }

    /// Nothing was missing and nothing is: the third time in a row is worth telling.
    package var isClean: Bool {
        state.withLock { state in
            guard let compared = state.compared else { return false }
            return compared.failed == 0 && findings.leftFiles == 0 && (state.fetched.map { $0.isClean } ?? true)
        }
    }

    package func sections() -> [ReportSection] {
        // What is lost is a table of the comparison.
        state.withLock { $0.sections }
    }

    package func abandon() { state.withLock { $0.active }?.abandon() }
    package func totalCounter() -> (any TotalCounter)? { nil }
    package func work() -> WorkProgress? { state.withLock { $0.active }?.work() }
    package func activity() -> [String] { state.withLock { $0.active }?.activity() ?? [] }
    package func figures() -> [Figure] { state.withLock { $0.active }?.figures() ?? [] }
    package var stopPatience: Duration { state.withLock { $0.active }?.stopPatience ?? .milliseconds(1700) }
}

extension Counts {
    /// A refresh that met only what its servers have no more.
    fileprivate var isClean: Bool { fetched == 0 && failed == 0 }
}
