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
        let devices: (source: UInt64, target: UInt64)
        let marker: RunMarker
        do throws(FileFault) {
            devices = (try source.metadata().device, try target.metadata().device)
            marker = try RunMarker(in: target, run: run)
        } catch {
            throw error.syncError("cannot look at \(sourcePath) and \(targetPath)")
        }
        var copyOptions = options.selection
        copyOptions.digest = options.digest
        copyOptions.reportsEveryItem = options.reportsEveryItem
        let bounds = Bounds(host: host, jobs: options.jobs)
        let root = DirectoryNode(root: DescriptorBudget(maximum: bounds.openPairs))
        root.source = source
        root.target = target
        root.hold()
        root.set(.keepsHandles)
        defer {
            root.source = .none
            root.target = .none
        }
        let context = CopyContext(
            options: copyOptions,
            run: run,
            host: host,
            control: control,
            account: account,
            sink: sink,
            root: root,
            sourceDevice: devices.source,
            targetDevice: devices.target,
            backup: nil,
            marker: marker
        )
        let queue = WalkQueue(first: .directory(root), workers: bounds.workersMax, limit: bounds.workersFirst)
        let visitor = VerifyVisitor(context: context, options: options)
        let walk = TreeWalk(
            root: root,
            queue: queue,
            visitor: visitor,
            control: control,
            processors: host.processors,
            mayWiden: bounds.workersMax > bounds.workersFirst
        )
        let tally = account.makeTally()
        tally.seen.add()
        tally.directories.add()
        sink(.stage("verify"))
        await walk.run()
        if !control.shouldStop { visitor.finish(root, worker: visitor.makeWorker(index: 9999)) }
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
