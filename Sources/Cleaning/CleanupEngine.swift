internal import Catalog
internal import Committing
package import MediaModel
internal import Pacing
package import Postgres
package import Running
package import Storage

/// Takes old remote media out of Mastodon's rows and off the disk, beside a running Mastodon. For each batch of rows:
/// intents are written down, the rows are changed in one guarded transaction, and only when that is committed the files go.
/// No transaction is open while files are removed. A run that dies leaves rows that name their files, or files that the
/// next run removes; never a row that names a file that is gone.
package final class CleanupEngine: Engine {
    /// Rows changed by one statement, and written down by one intent. Each batch waits for two disks: fewer would be slower,
    /// more would be half done in a crash.
    private static let batchRows = 1000
    /// Batches that wait for a worker: four pages.
    private static let waitingBatches = 8
    /// Connections that change rows: the server's disk is behind sooner than they are.
    private static let connectionsMax = 4

    private let options: CleanupOptions
    private let settings: ConnectionSettings
    let store: any MediaStore
    private let intents: any IntentLog
    private let jobs: Int
    let control: RunControl
    private let sink: EventSink
    private let ledger = CleanupLedger()

    /// - Parameters:
    ///   - settings: where the database is; it is connected to when the run begins.
    ///   - store: where the files are. The caller holds its lock.
    ///   - intents: those of this database and this store, of earlier runs too.
    package init(
        options: CleanupOptions,
        settings: ConnectionSettings,
        store: any MediaStore,
        intents: any IntentLog,
        processors: Int,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.options = options
        self.settings = settings
        self.store = options.dryRun ? DryRunStore(store) : store
        self.intents = intents
        jobs = options.jobs ?? max(8, 2 * processors)
        self.control = control
        self.sink = sink
    }

    private var changers: Int { min(Self.connectionsMax, jobs) }

    package func counts() -> Counts { ledger.counts }

    /// What is half done is written down.
    package func abandon() {}

    package func totalCounter() -> (any TotalCounter)? { nil }

    package func run() async -> RunResult {
        // One thread reads, some change rows, the others remove files.
        let pool = WorkerPool(threads: 1 + changers + jobs)
        defer { pool.shutDown() }
        guard pool.started > 2 else {
            return RunResult(counts: Counts(), error: SyncError(.exhausted, "no threads can be started"))
        }
        let error = await withTaskExecutorPreference(pool) { () -> SyncError? in
            do throws(SyncError) {
                try await clean(pool)
                return control.stopReason
            } catch {
                return error
            }
        }
        let counts = ledger.counts
        if ledger.superseded > 0 {
            let what = "\(ledger.superseded) rows changed or went while this run worked: they are left alone"
            sink(.notice(Notice(.notice, what)))
        }
        if error == nil, !counts.balances {
            let why = "\(counts.seen) rows were seen, \(counts.finished) reached an outcome"
            let unbalanced = SyncError(.unexpected, "the run's account does not balance", why: why)
            return RunResult(counts: counts, error: unbalanced)
        }
        return RunResult(counts: counts, error: error)
    }

    // MARK: Stages

    private func clean(_ pool: WorkerPool) async throws(SyncError) {
        try checkRoot()
        let connection = try connect()
        var lock: DatabaseLock?
        if !options.dryRun { lock = try DatabaseLock.taken(by: connection, settings: settings, sink: sink) }
        // Not left to the end of the connection, of which the server hears a moment later.
        defer { lock?.release() }
        let reader = try CatalogReader(connection)
        let moment: Int64
        if let told = options.moment { moment = told * 1_000_000 } else { moment = try reader.now() }
        guard let limit = AgeLimit(days: options.days, before: moment) else {
            throw SyncError(.usage, "\(options.days) is no number of days")
        }
        var retention = Retention(kinds: options.kinds, limit: limit)
        retention.linksOnly = options.linksOnly
        retention.keepsInteracted = options.keepsInteracted
        retention.includesFollows = options.includesFollows
        let missing = options.missingOnly ? ", of which the file is not there" : ""
        sink(.notice(Notice(.notice, "\(kindsInWords) \(limit.olderInWords)\(missing)")))
        if !options.dryRun {
            sink(.stage("recover"))
            let recovery = IntentRecovery(
                store: store,
                intents: intents,
                reader: reader,
                sink: sink,
                reportsEveryItem: options.reportsEveryItem
            )
            let result = try recovery.run()
            ledger.deleted(files: result.files, bytes: result.bytes)
            for _ in 0..<result.failed { ledger.deleteFailed() }
        }
        sink(.stage("count"))
        try checkLimit(retention, reader)
        sink(.stage("cleanup"))
        try await remove(retention, reader, pool)
    }

    /// Rows must not lose their files because a disk is not mounted.
    private func checkRoot() throws(SyncError) {
        var hasMedia = false
        do throws(FileFault) {
            try store.list(.root) { name, _ in
                if MediaLayout.folders.contains(where: { BytePath($0) == name }) { hasMedia = true }
            }
        } catch {
            throw error.syncError("cannot list the media root")
        }
        if hasMedia { return }
        throw SyncError(
            .refused,
            "the media root has none of Mastodon's folders",
            why: "it is another directory, or its disk is not mounted",
            hint: "check --media-root; nothing was changed"
        )
    }

    /// The order of names is that of the options.
    private var kindsInWords: String {
        MediaKind.allCases.filter { options.kinds.contains($0) }.map { "remote \($0.title)" }.joined(separator: ", ")
    }

    private func connect() throws(SyncError) -> Connection {
        do throws(DatabaseFault) {
            return try Connection(settings, application: "mediasync cleanup", allowsPooler: true)
        } catch {
            throw error.syncError("cannot connect to \(settings)")
        }
    }

    private func checkLimit(_ retention: Retention, _ reader: CatalogReader) throws(SyncError) {
        var (taken, stored) = (0, 0)
        for table in retention.tables {
            let count = try reader.count(retention, table)
            taken += count.taken
            stored += count.stored
        }
        if options.missingOnly, !options.limit.allows(taken, of: stored) {
            taken = try countMissing(retention, reader)
        }
        guard !options.limit.allows(taken, of: stored) else { return }
        let share = stored > 0 ? Int((Double(taken) / Double(stored) * 100).rounded()) : 100
        throw SyncError(
            .limitReached,
            "\(taken) of \(stored) rows would lose their files (\(share)%): more than --max-delete allows",
            hint: "nothing was changed; check --days, or pass --max-delete \(taken) or 100%"
        )
    }

    // MARK: Rows

    private func remove(_ retention: Retention, _ reader: CatalogReader, _ pool: WorkerPool) async throws(SyncError) {
        let queue = BoundedQueue<Batch>(capacity: Self.waitingBatches)
        let workers = min(changers, pool.started - 2)
        let files = FileRemover(
            store: store,
            intents: intents,
            ledger: ledger,
            control: control,
            sink: sink,
            reportsEveryItem: options.reportsEveryItem
        )
        let failure = await withTaskGroup(of: SyncError?.self) { group in
            for _ in 0..<workers {
                group.addTask(executorPreference: pool) { self.change(retention, queue, files) }
            }
            for _ in 0..<(pool.started - 1 - workers) {
                group.addTask(executorPreference: pool) {
                    files.work()
                    return nil
                }
            }
            // This thread reads; the others have theirs.
            var failure = read(retention, reader, into: queue)
            queue.close()
            var changing = workers
            while let error = await group.next() {
                failure = failure ?? error
                changing -= 1
                // Changers end before removers, which wait for what they pass on.
                if changing == 0 { files.close() }
            }
            return failure
        }
        if let failure { throw failure }
    }

    struct Batch: Sendable {
        let table: CatalogTable
        let rows: [CatalogRow]
    }

    private func read(
        _ retention: Retention,
        _ reader: CatalogReader,
        into queue: BoundedQueue<Batch>
    ) -> SyncError? {
        do throws(SyncError) {
            for table in retention.tables {
                let pages = reader.pages(retention, table)
                while !control.shouldStop, let page = try pages.next() {
                    var rows = page[...]
                    while !rows.isEmpty {
                        guard queue.offer(Batch(table: table, rows: Array(rows.prefix(Self.batchRows)))) else {
                            return nil
                        }
                        rows = rows.dropFirst(Self.batchRows)
                    }
                }
            }
            return nil
        } catch {
            control.stop(error)
            return error
        }
    }

    /// Changes rows, batch by batch, and passes their files on.
    private func change(_ retention: Retention, _ queue: BoundedQueue<Batch>, _ files: FileRemover) -> SyncError? {
        do throws(SyncError) {
            let writer = try CatalogReader(connect())
            while let batch = queue.take() {
                // A stopped run still takes what waits: the reader must not wait for room for ever.
                if control.shouldStop { continue }
                try change(batch, retention, writer, files)
            }
            return nil
        } catch {
            control.stop(error)
            while queue.take() != nil {}
            return error
        }
    }

    private func change(
        _ batch: Batch,
        _ retention: Retention,
        _ writer: CatalogReader,
        _ files: FileRemover
    ) throws(SyncError) {
        var rows: [CatalogRow] = []
        var paths: [Int64: [BytePath]] = [:]
        for row in batch.rows {
            if options.missingOnly, try !isMissing(row) { continue }
            if let all = filePaths(row) {
                rows.append(row)
                paths[row.id] = all
            } else {
                ledger.failed(1)
            }
        }
        guard !rows.isEmpty else { return }
        if options.dryRun {
            ledger.cleared(rows.count)
            return files.add(FileRemover.Job(number: nil, paths: rows.compactMap { paths[$0.id] }.flatMap { $0 }))
        }
        let planned = rows.map { RemovalIntent(table: batch.table.rawValue, id: $0.id, paths: paths[$0.id] ?? []) }
        let number = try intents.open(planned)
        // From here on until the intent is closed a crash is known to the next run.
        FaultPoint.intentOpened.reach()
        let cleared = try writer.clear(retention, batch.table, rows) { FaultPoint.rowsUpdated.reach() }
        FaultPoint.rowsCommitted.reach()
        ledger.cleared(cleared.count)
        ledger.superseded(rows.count - cleared.count)
        let gone = rows.filter { cleared.contains($0.id) }.compactMap { paths[$0.id] }.flatMap { $0 }
        files.add(FileRemover.Job(number: number, paths: gone))
    }

    /// The files that a row names; nil, after an event, where a name is no name of a file: such a row stays as it is.
    private func filePaths(_ row: CatalogRow) -> [BytePath]? {
        var paths: [BytePath] = []
        for media in row.media {
            for style in media.styles {
                if let path = media.path(of: style) {
                    paths.append(path)
                    continue
                }
                let what = "\(media.kind.rawValue) \(media.rowID)"
                let error = SyncError(
                    .item,
                    "the file name of \(what) is no name of a file: \(BytePath.escaped(media.fileName))",
                    hint: "the row stays as it is; nothing that Mastodon writes looks like this"
                )
                let reference = RowReference(kind: media.kind.rawValue, id: media.rowID, isLocal: false)
                let item = ItemEvent(path: BytePath(what), kind: .file, outcome: .failed(error), row: reference)
                sink(.item(item))
                return nil
            }
        }
        return paths
    }
}
