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
        let sweep = StoreSweep(
            settings: settings,
            application: "mediasync cleanup",
            walk: StoreWalk(store, from: options.prefix),
            control: control,
            startAfter: options.startAfter
        )
        return await sweep.run(
            pool,
            judge: { (batch, reader) throws(SyncError) in try self.handle(batch, reader, pass) },
            unlisted: { self.fail($0, $1, pass) }
        )
    }

    // MARK: Files

    private func handle(_ batch: [BytePath], _ reader: CatalogReader, _ pass: Pass) throws(SyncError) {
        for (path, judged) in zip(batch, try OrphanVerdict.all(of: batch, reader)) {
            switch judged?.1 {
            case nil: keep(path, "not recognized", pass)
            case .named: keep(path, nil, pass)
            case .misplaced: keep(path, "in a folder where its row does not expect it", pass)
            case .orphan: take(path, pass)
            }
        }
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
