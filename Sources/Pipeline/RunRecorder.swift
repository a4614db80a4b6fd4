package import MediaModel
internal import Synchronization

/// Hears a run's events and keeps its failures and stages in the store, in batches.
///
/// Worker threads append to a buffer under a lock held for an instant; a task (`run`) writes it every two seconds. Only a
/// thread that finds `bufferLimit` failures waiting writes them itself, so that memory stays bounded.
///
/// The history is worth less than the run: the first error of the store ends the recording, and `problem` tells it.
///
/// Locks: `pending` guards what was heard, `writing` the order of batches; `writing` is taken first.
package final class RunRecorder: Sendable {
    static let bufferLimit = 4_096
    /// How often the buffer is written.
    package static let interval = Duration.seconds(2)
    private static let firstInterval = Duration.milliseconds(300)

    private struct Pending {
        var failures: [FailureRecord] = []
        var stages: [(name: String, at: Int64)] = []
        var kept = 0
        var dropped = 0
        var problem: SyncError?
    }

    private let store: RunStore
    private let id: RunID
    private let wallClock: @Sendable () -> Int64
    private let progress: @Sendable () -> RunProgress
    private let series = Mutex(SampleSeries())
    private let pending = Mutex(Pending())
    private let writing = Mutex(())
    private let failureLimit: Int

    /// - Parameters:
    ///   - id: a run that `RunStore.begin` knows.
    ///   - wallClock: seconds since 1970.
    ///   - progress: the engine's numbers now.
    package init(
        store: RunStore,
        run id: RunID,
        failureLimit: Int = RunStore.failureLimit,
        wallClock: @escaping @Sendable () -> Int64,
        progress: @escaping @Sendable () -> RunProgress
    ) {
        self.store = store
        self.id = id
        self.failureLimit = failureLimit
        self.wallClock = wallClock
        self.progress = progress
    }

    /// Why nothing is recorded any more; nil while all is well.
    package var problem: SyncError? { pending.withLock { $0.problem } }

    /// Hears an event.
    package func receive(_ event: Event) {
        switch event {
        case .stage(let name):
            let now = wallClock()
            pending.withLock { $0.stages.append((name, now)) }
        case .item(let item):
            guard case .failed(let error) = item.outcome else { return }
            let failure = FailureRecord(path: item.path, kind: item.kind, error: error, at: wallClock())
            let isFull = pending.withLock { pending in
                guard pending.problem == nil else { return false }
                guard pending.kept < failureLimit else {
                    pending.dropped += 1
                    return false
                }
                pending.kept += 1
                pending.failures.append(failure)
                return pending.failures.count >= Self.bufferLimit
            }
            if isFull { flush() }
        case .notice, .report:
            break
        }
    }

    /// Writes what waits, and the numbers so far.
    package func flush() {
        writing.withLock { _ in
            let batch = pending.withLock { pending in
                defer {
                    pending.failures.removeAll()
                    pending.stages.removeAll()
                }
                return pending
            }
            guard batch.problem == nil else { return }
            do throws(SyncError) {
                for stage in batch.stages { try store.beginStage(stage.name, of: id, at: stage.at) }
                let (now, progress) = (wallClock(), progress())
                try store.record(
                    batch.failures,
                    dropped: batch.dropped,
                    counts: progress.counts,
                    share: progress.share,
                    of: id,
                    at: now
                )
                try sample(progress.counts, at: now)
            } catch {
                pending.withLock { $0.problem = error }
            }
        }
    }

    private func sample(_ counts: Counts, at now: Int64) throws(SyncError) {
        let sample = RunSample(at: now, items: counts.finished, bytes: counts.bytesWritten + counts.bytesCompared)
        let (addition, all) = series.withLock { ($0.add(sample), $0.samples) }
        switch addition {
        case .none: break
        case .one: try store.add([sample], replacing: false, of: id)
        case .all: try store.add(all, replacing: true, of: id)
        }
    }

    /// Writes what waits, the tables of its report, and how the run ended.
    package func finish(status: ExitStatus, counts: Counts, sections: [ReportSection] = []) {
        flush()
        guard problem == nil else { return }
        do throws(SyncError) {
            try store.finish(id, status: status, counts: counts, sections: sections, at: wallClock())
        } catch {
            pending.withLock { $0.problem = error }
        }
    }

    /// Writes soon after the beginning, so that who looks sees that something is done, then every two seconds until the task is
    /// cancelled.
    package func run(clock: some Clock<Duration>) async {
        var pause = Self.firstInterval
        while (try? await clock.sleep(for: pause)) != nil {
            flush()
            pause = Self.interval
        }
    }
}
