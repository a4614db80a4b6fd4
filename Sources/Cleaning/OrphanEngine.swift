internal import Catalog
package import MediaModel
internal import Pacing
package import Postgres
package import Running
package import Storage
internal import Synchronization

/// Finds files that no row names, and removes them: every file of the store is looked up by its number, hundreds at a time.
/// What is not recognized is told and kept, and so is what is younger than an hour: a running server writes a file before
/// its row says so.
package final class OrphanEngine: Engine {
    /// Files that are looked up by one statement for each table.
    static let batchFiles = 500
    /// Younger files are left alone.
    private static let youngSeconds = StoreVerifyOptions.youngSeconds

    private let options: OrphanOptions
    private let settings: ConnectionSettings
    private let store: any MediaStore
    private let dryStore: any MediaStore
    private let startedAt: Int64
    private let control: RunControl
    private let sink: EventSink
    private let state = Mutex(Sums())

    /// What a pass over the store comes to.
    private struct Sums {
        var counts = Counts()
        var orphans = 0
        var files = 0
    }

    /// - Parameters:
    ///   - settings: where the database is; it is connected to when the run begins.
    ///   - store: where the files are. The caller holds its lock.
    ///   - startedAt: the wall clock, in seconds since 1970: what files are young by.
    package init(
        options: OrphanOptions,
        settings: ConnectionSettings,
        store: any MediaStore,
        startedAt: Int64,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.options = options
        self.settings = settings
        self.store = store
        dryStore = DryRunStore(store)
        self.startedAt = startedAt
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { state.withLock { $0.counts } }

    /// Each file is removed by one call.
    package func abandon() {}

    package func totalCounter() -> (any TotalCounter)? { nil }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: options.jobs)
        defer { pool.shutDown() }
        // First only counted, unless everything may go: a wrong database would make every file an orphan.
        if options.limit != .percent(100), !options.dryRun {
            sink(.stage("count"))
            if let error = await pass(pool, .count) ?? refusal() ?? control.stopReason {
                return RunResult(counts: Counts(), error: error)
            }
            state.withLock { $0 = Sums() }
        }
        sink(.stage("orphans"))
        let error = await pass(pool, options.dryRun ? .show : .remove)
        return RunResult(counts: counts(), error: error ?? control.stopReason)
    }

    private enum Pass { case count, show, remove }

    private func refusal() -> SyncError? {
        let (orphans, files) = state.withLock { ($0.orphans, $0.files) }
        guard !options.limit.allows(orphans, of: files) else { return nil }
        let share = files > 0 ? Int((Double(orphans) / Double(files) * 100).rounded()) : 100
        return SyncError(
            .limitReached,
            "\(orphans) of \(files) files have no row (\(share)%): more than --max-delete allows",
            hint: "nothing was changed; check that database and media belong together, or pass --max-delete \(orphans)"
        )
    }

    private func pass(_ pool: WorkerPool, _ pass: Pass) async -> SyncError? {
        let walk = StoreWalk(store, from: options.prefix)
        return await withTaskGroup(of: SyncError?.self) { group in
            for _ in 0..<pool.started {
                group.addTask(executorPreference: pool) { self.work(walk, pass) }
            }
            var failure: SyncError?
            for await error in group { failure = failure ?? error }
            return failure
        }
    }

    /// One thread's part.
    private func work(_ walk: StoreWalk, _ pass: Pass) -> SyncError? {
        var failure: SyncError?
        do throws(SyncError) {
            let reader = try CatalogReader(connect())
            var batch: [BytePath] = []
            walk.work { result in
                switch result {
                case .success(let path):
                    if let after = options.startAfter, !(after < path) { return true }
                    batch.append(path)
                    if batch.count < Self.batchFiles { return !control.shouldStop }
                    failure = handle(batch, reader, pass)
                    batch = []
                case .failure(let error):
                    fail(error.directory, error.fault, pass)
                }
                return failure == nil && !control.shouldStop
            }
            if failure == nil, !control.shouldStop { failure = handle(batch, reader, pass) }
        } catch {
            failure = error
        }
        if let failure { control.stop(failure) }
        return failure
    }

    private func connect() throws(SyncError) -> Connection {
        do throws(DatabaseFault) {
            return try Connection(settings, application: "mediasync cleanup", allowsPooler: true)
        } catch {
            throw error.syncError("cannot connect to \(settings)")
        }
    }

    // MARK: Files

    private func handle(_ batch: [BytePath], _ reader: CatalogReader, _ pass: Pass) -> SyncError? {
        do throws(SyncError) {
            for (path, judged) in zip(batch, try OrphanVerdict.all(of: batch, reader)) {
                switch judged?.1 {
                case nil: keep(path, "not recognized", pass)
                case .named: keep(path, nil, pass)
                case .misplaced: keep(path, "in a folder where its row does not expect it", pass)
                case .orphan: take(path, pass)
                }
            }
        } catch {
            return error
        }
        return nil
    }

    private func keep(_ path: BytePath, _ reason: String?, _ pass: Pass) {
        state.withLock { state in
            state.files += 1
            state.counts.seen += 1
            state.counts.unchanged += 1
        }
        guard let reason, pass != .count else { return }
        sink(.notice(Notice(.warning, "kept, \(reason): \(path)")))
    }

    /// An orphan: removed where it is old enough.
    private func take(_ path: BytePath, _ pass: Pass) {
        do throws(FileFault) {
            guard let entry = try store.look(path) else { return }
            if startedAt - entry.modificationTime.seconds < Self.youngSeconds { return keep(path, nil, pass) }
            state.withLock { state in
                state.files += 1
                state.orphans += 1
            }
            if pass == .count { return }
            guard let size = try (pass == .remove ? store : dryStore).remove(path) else { return }
            FaultPoint.fileRemoved.reach()
            state.withLock { state in
                state.counts.deleted += 1
                state.counts.bytesDeleted += size
            }
            if options.reportsEveryItem {
                sink(.item(ItemEvent(path: path, kind: .file, outcome: .deleted, bytes: size)))
            }
        } catch {
            fail(path, error, pass)
        }
    }

    private func fail(_ path: BytePath, _ fault: FileFault, _ pass: Pass) {
        if pass == .count { return }
        let error = fault.syncError("cannot handle \(path)")
        state.withLock { $0.counts.deleteFailed += 1 }
        sink(.item(ItemEvent(path: path, kind: .file, outcome: .failed(error))))
        if error.retry == .abortStage { control.stop(error) }
    }
}
