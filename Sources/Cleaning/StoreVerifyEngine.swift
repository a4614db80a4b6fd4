internal import Catalog
package import MediaModel
internal import Pacing
package import Postgres
package import Running
package import Storage

/// Compares Mastodon's rows with the files of its store: every file that a row names is looked at, by many threads, while
/// one reads the rows. Local media come first, because nobody else has them. Nothing is changed.
package final class StoreVerifyEngine: Engine {
    /// Rows a worker takes at once where files are only looked at: enough that the queue's lock does not count.
    private static let batchRows = 128
    /// And where they are opened and decoded, which takes longer than any lock.
    private static let openedBatchRows = 32
    /// Batches between the reader and the workers: some thousand rows, which are some hundred kilobytes.
    private static let waitingBatches = 64

    private let options: StoreVerifyOptions
    private let settings: ConnectionSettings
    private let store: any MediaStore
    private let decoding: StoreDecoding?
    private let jobs: Int
    private let control: RunControl
    private let sink: EventSink
    private let now: @Sendable () -> Int64
    private let report: StoreReport
    private let ledger = StoreLedger()

    /// - Parameters:
    ///   - settings: where the database is; it is connected to when the run begins.
    ///   - decoder: decodes what is of the right type and size; nil where that is not asked for.
    ///   - now: monotonic nanoseconds.
    package init(
        options: StoreVerifyOptions,
        settings: ConnectionSettings,
        store: any MediaStore,
        decoder: (any MediaDecoding)? = nil,
        processors: Int,
        control: RunControl,
        now: @escaping @Sendable () -> Int64 = { Host.monotonicNanoseconds() },
        sink: @escaping EventSink
    ) {
        self.options = options
        self.settings = settings
        self.store = store
        decoding = decoder.map { StoreDecoding(store: store, decoder: $0, control: control) }
        jobs = options.jobs ?? max(8, 2 * processors)
        self.control = control
        self.sink = sink
        self.now = now
        report = StoreReport(holdsRemote: options.remote == nil && options.looksOnly && decoder == nil, sink)
    }

    /// Whether files are neither opened nor all told, so that other servers' cost nobody's patience.
    private var looksOnly: Bool { options.looksOnly && decoding == nil }

    package func counts() -> Counts { ledger.counts }

    /// Rows and files by kind.
    package func table() -> [MediaTallyLine] { ledger.lines }

    package func sections() -> [ReportSection] {
        let rows = table().filter { $0.tally.rows > 0 }.map { line in
            let tally = line.tally
            let counts = [tally.rows, tally.files, tally.missing, tally.empty, tally.different, tally.failed]
            return ["\(line.isLocal ? "local" : "remote") \(line.title)"] + counts.map { "\($0)" }
                + [ByteCount.describe(tally.bytesOnDisk)]
        }
        guard !rows.isEmpty else { return [] }
        let columns = ["kind", "rows", "files", "missing", "empty", "different", "failed", "on disk"]
        let compared = ReportSection(title: "Rows against files", columns: columns, rows: rows)
        let lost = ledger.lost
        guard !lost.isEmpty else { return [compared] }
        let title = "Files of this server's own that differ: lost where they are missing and no backup has them"
        return [compared, ReportSection(title: title, columns: ["file"], rows: lost.map { ["\($0)"] })]
    }

    /// Nothing is written, nothing is left behind.
    package func abandon() {}

    /// How many rows there are is known only by reading them.
    package func totalCounter() -> (any TotalCounter)? { nil }

    package func run() async -> RunResult {
        // One thread reads, the others look; one more looks whether the run is stopped, which a decoder does not.
        let others = decoding == nil ? 1 : 2
        let pool = WorkerPool(threads: jobs + others)
        defer { pool.shutDown() }
        let queue = BoundedQueue<StoreReading.Job>(capacity: Self.waitingBatches)
        let workers = pool.started - others
        guard workers > 0 else {
            return RunResult(counts: Counts(), error: SyncError(.exhausted, "no threads can be started"))
        }
        let failure = await withTaskGroup(of: SyncError?.self) { group in
            group.addTask(executorPreference: pool) { self.read(into: queue) }
            for _ in 0..<workers {
                group.addTask(executorPreference: pool) {
                    self.work(on: queue)
                    return nil
                }
            }
            if let decoding {
                group.addTask(executorPreference: pool) {
                    decoding.watch()
                    return nil
                }
            }
            var failure: SyncError?
            var working = workers + 1
            while let error = await group.next() {
                failure = failure ?? error
                working -= 1
                if working == 0 { decoding?.end() }
            }
            return failure
        }
        // Also what a run that was stopped has found.
        report.tellRemote()
        if failure == nil, control.stopReason == nil, let search = unnamedFileSearch() {
            sink(.stage("files"))
            return result(await search.run(pool) ?? control.stopReason)
        }
        return result(failure ?? control.stopReason)
    }

    private func unnamedFileSearch() -> UnnamedFileSearch? {
        options.unnamedBefore.map {
            UnnamedFileSearch(
                settings: settings,
                store: store,
                kinds: options.kinds,
                remote: options.remote,
                before: $0,
                account: ledger.makePart(),
                control: control,
                sink: sink
            )
        }
    }

    private func result(_ error: SyncError?) -> RunResult {
        let counts = ledger.counts
        if error == nil, !counts.balances {
            let why = "\(counts.seen) files were named, \(counts.finished) reached an outcome"
            let unbalanced = SyncError(.unexpected, "the run's account does not balance", why: why)
            return RunResult(counts: counts, error: unbalanced)
        }
        return RunResult(counts: counts, error: error)
    }

    // MARK: Reading

    /// Reads all rows into the queue and closes it. Returns why it could not.
    private func read(into queue: BoundedQueue<StoreReading.Job>) -> SyncError? {
        defer { queue.close() }
        do throws(SyncError) {
            let reader = try CatalogReader(connect())
            let since = try since(reader)
            sink(.stage("verify"))
            warnAboutRoot()
            let reading = StoreReading(
                reader: reader,
                kinds: options.kinds,
                remote: options.remote,
                since: since,
                batchRows: looksOnly ? Self.batchRows : Self.openedBatchRows,
                queue: queue,
                report: report,
                control: control,
                now: now
            )
            try reading.run(together: looksOnly && options.remote == nil)
            return nil
        } catch {
            control.stop(error)
            return error
        }
    }

    private func connect() throws(SyncError) -> Connection {
        do throws(DatabaseFault) {
            return try Connection(settings, application: "mediasync verify", allowsPooler: true)
        } catch {
            throw error.syncError("cannot connect to \(settings)")
        }
    }

    private func since(_ reader: CatalogReader) throws(SyncError) -> AgeLimit? {
        guard let days = options.days else { return nil }
        guard let limit = AgeLimit(days: days, before: try reader.now()) else {
            throw SyncError(.usage, "\(days) is no number of days")
        }
        sink(.notice(Notice(.notice, "media \(limit.newerInWords)")))
        return limit
    }

    /// A wrong directory would be told as thousands of missing files.
    private func warnAboutRoot() {
        var names: Set<BytePath> = []
        do throws(FileFault) {
            try store.list(.root) { name, _ in if names.count < 1000 { names.insert(name) } }
        } catch { return }
        guard !MediaLayout.looksLikeRoot(names) else { return }
        let what = names.isEmpty ? "the media root is empty" : "the media root does not look like one"
        let hint = "check --media-root, and that its disk is mounted"
        sink(.notice(Notice(.warning, what, hint: hint)))
    }

    // MARK: Looking

    private func work(on queue: BoundedQueue<StoreReading.Job>) {
        var comparison = StoreComparison(
            store: store,
            decoding: decoding,
            checksTypes: options.checksTypes,
            reportsEveryItem: options.reportsEveryItem,
            control: control,
            report: report
        )
        let account = ledger.makePart()
        while let job = queue.take() {
            // A stopped run still takes what waits: the reader must not wait for room for ever.
            if control.shouldStop { continue }
            switch job {
            case .look(let batch): account.add(comparison.check(batch))
            case .tellRemote: report.tellRemote()
            }
        }
    }
}
