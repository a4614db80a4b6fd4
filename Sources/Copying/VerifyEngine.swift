package import MediaModel
internal import Pacing
package import Running
package import Storage

/// Compares two trees: both sides are read, in parallel, and every difference is told.
package final class VerifyEngine: Engine {
    let sourcePath: BytePath
    private let targetPath: BytePath
    let options: VerifyOptions
    private let run: RunID
    let host: Host
    private let control: RunControl
    private let sink: EventSink
    private let account = Account()

    package init(
        source: BytePath,
        target: BytePath,
        options: VerifyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        sourcePath = source
        targetPath = target
        self.options = options
        self.run = run
        self.host = host
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { account.counts() }

    /// Nothing is written, nothing is left behind.
    package func abandon() {}

    package func run() async -> RunResult {
        await runOnOwnThread(account, control) { () async throws(SyncError) in try await self.compare() }
    }

    private func compare() async throws(SyncError) {
        let source = try TreePair.openSource(sourcePath)
        defer { source.close() }
        let target = try TreePair.openSource(targetPath, role: "target")
        defer { target.close() }
        var selection = options.selection
        selection.digest = options.digest
        selection.jobs = options.jobs
        selection.reportsEveryItem = options.reportsEveryItem
        let walk: ReadingWalk
        do throws(FileFault) {
            walk = try ReadingWalk(
                source: source,
                target: target,
                options: selection,
                run: run,
                host: host,
                control: control,
                account: account,
                sink: sink
            )
        } catch {
            throw error.syncError("cannot look at \(sourcePath) and \(targetPath)")
        }
        await walk.run(VerifyVisitor(context: walk.context, options: options), stage: "verify")
    }
}

/// Runs an engine's stages on a thread of its own, so that no blocking call reaches the cooperative pool, and closes the
/// account.
func runOnOwnThread(
    _ account: Account,
    _ control: RunControl,
    _ stages: @Sendable () async throws(SyncError) -> Void
) async -> RunResult {
    let pool = WorkerPool(threads: 1)
    defer { pool.shutDown() }
    return await withTaskExecutorPreference(pool) {
        var failure: SyncError?
        do throws(SyncError) {
            try await stages()
        } catch {
            failure = error
        }
        let counts = account.counts()
        let error = failure ?? control.stopReason
        if error == nil, !counts.balances {
            let why = "\(counts.seen) entries were seen, \(counts.finished) reached an outcome"
            return RunResult(
                counts: counts,
                error: SyncError(.unexpected, "the run's account does not balance", why: why)
            )
        }
        return RunResult(counts: counts, error: error)
    }
}
