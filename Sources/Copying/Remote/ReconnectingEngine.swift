package import MediaModel
internal import Pacing
package import Running
internal import Storage
internal import Synchronization

/// A copy to or from another machine that is begun again where its connection was lost. It needs no memory: what is in place
/// is found in place, and what is there of large files under their temporaries' names, so each try goes on where the one
/// before it was.
package final class ReconnectingEngine: Engine {
    /// Makes the engine of one try; the control is that try's own, and so is the name of its run: what the tries before it
    /// left is told apart by it.
    package typealias Maker = @Sendable (RunControl, RunID) throws(SyncError) -> any Engine

    /// Tries in turn that get nowhere.
    private static let triesMax = 5
    /// Tries in all.
    private static let triesInAllMax = 100
    /// A try that moved so many bytes got somewhere.
    private static let progressBytes: Int64 = 4 << 20
    private static let backoff = Backoff(first: .seconds(1), cap: .seconds(30))
    private static let napNanoseconds: Int64 = 50_000_000

    /// What comes before the first try.
    package typealias Preparation = @Sendable (RunControl) async throws(SyncError) -> Void

    private let run: RunID
    private let control: RunControl
    private let sink: EventSink
    private let prepare: Preparation?
    private let make: Maker
    private let current = Mutex<(any Engine)?>(nil)
    /// What tries did whose connection was lost.
    private let before = Mutex(Counts())

    package init(
        run: RunID,
        control: RunControl,
        sink: @escaping EventSink,
        prepare: Preparation? = nil,
        make: @escaping Maker
    ) {
        self.prepare = prepare
        self.run = run
        self.control = control
        self.sink = sink
        self.make = make
    }

    package func counts() -> Counts {
        let now = current.withLock { $0 }?.counts() ?? Counts()
        return before.withLock { now.after($0) }
    }

    package func abandon() { current.withLock { $0 }?.abandon() }
    package func totalCounter() -> (any TotalCounter)? { (try? make(RunControl(), run))?.totalCounter() }
    package var stopPatience: Duration { .seconds(8) }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        return await withTaskExecutorPreference(pool) {
            do throws(SyncError) { try await self.prepare?(self.control) } catch {
                return RunResult(counts: Counts(), error: self.control.stopReason ?? error)
            }
            var random = JitterGenerator(seed: UInt64(bitPattern: Host.monotonicNanoseconds()))
            var attempt = 1
            var tries: UInt32 = 0
            while true {
                let result = await self.tryOnce(self.run.following(tries))
                tries += 1
                if result.counts.bytesTransferred >= Self.progressBytes { attempt = 1 }
                guard let error = result.error, tries < Self.triesInAllMax,
                    self.mayTryAgain(error, attempt, isAgain: tries > 1)
                else {
                    return RunResult(counts: self.before.withLock { result.counts.after($0) }, error: result.error)
                }
                self.before.withLock { $0 = result.counts.after($0) }
                self.current.withLock { $0 = nil }
                let delay = Self.backoff.delay(attempt: attempt, using: &random)
                self.sink(
                    .notice(
                        Notice(
                            .warning,
                            "\(error)",
                            hint: "it is tried again (\(attempt + 1) of \(Self.triesMax)) and goes on where it was"
                        )
                    )
                )
                self.wait(Int64(delay.nanoseconds))
                attempt += 1
            }
        }
    }

    private func mayTryAgain(_ error: SyncError, _ attempt: Int, isAgain: Bool) -> Bool {
        if control.shouldStop || attempt >= Self.triesMax { return false }
        // The other end of the lost connection may not have heard of its loss yet.
        return error.retry == .backOff || (isAgain && error.code == .locked)
    }

    private func wait(_ nanoseconds: Int64) {
        let end = Host.monotonicNanoseconds() + nanoseconds
        while !control.shouldStop, Host.monotonicNanoseconds() < end { Host.sleep(nanoseconds: Self.napNanoseconds) }
    }

    private func tryOnce(_ run: RunID) async -> RunResult {
        if let reason = control.stopReason { return RunResult(counts: Counts(), error: reason) }
        let inner = RunControl()
        let engine: any Engine
        do throws(SyncError) { engine = try make(inner, run) } catch {
            return RunResult(counts: Counts(), error: error)
        }
        current.withLock { $0 = engine }
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let isOver = Latch()
        return await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: pool) {
                while !self.control.shouldStop, !isOver.wait(upTo: Self.napNanoseconds) {}
                if let reason = self.control.stopReason { inner.stop(reason) }
            }
            let result = await engine.run()
            isOver.set()
            return result
        }
    }
}

extension Counts {
    /// The account of a try after others: what they did, this one found done.
    fileprivate func after(_ earlier: Counts) -> Counts {
        var sum = self
        for field in [\Counts.copied, \.created, \.linked, \.updated] {
            let found = min(earlier[keyPath: field], sum.unchanged)
            sum[keyPath: field] += found
            sum.unchanged -= found
        }
        sum.deleted += earlier.deleted
        sum.bytesWritten += earlier.bytesWritten
        sum.bytesDeleted += earlier.bytesDeleted
        sum.bytesMatched += earlier.bytesMatched
        sum.bytesTransferred += earlier.bytesTransferred
        return sum
    }
}
