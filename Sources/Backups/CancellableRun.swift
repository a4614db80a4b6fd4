internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// Runs an engine's stages on a thread of their own. A stop cancels the task, for what waits for another program.
func runCancellable(
    _ control: RunControl,
    _ counts: @Sendable () -> Counts,
    _ stages: @escaping @Sendable () async throws(SyncError) -> Void
) async -> RunResult {
    let pool = WorkerPool(threads: 2)
    defer { pool.shutDown() }
    let isDone = Done()
    let task = Task(executorPreference: pool) { () -> SyncError? in
        do throws(SyncError) {
            try await stages()
            return nil
        } catch { return error }
    }
    let watch = Task(executorPreference: pool) {
        while !isDone.isSet {
            if control.shouldStop { return task.cancel() }
            Host.sleep(nanoseconds: 50_000_000)
        }
    }
    let failure = await task.value
    isDone.set()
    await watch.value
    let error = failure.map { control.stopReason ?? $0 } ?? control.stopReason
    let sum = counts()
    if error == nil, !sum.balances {
        let why = "\(sum.seen) entries were seen, \(sum.finished) reached an outcome"
        return RunResult(
            counts: sum,
            error: SyncError(.unexpected, "the run's account does not balance", why: why)
        )
    }
    return RunResult(counts: sum, error: error)
}

private final class Done: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}
