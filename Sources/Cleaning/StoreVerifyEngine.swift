internal import Catalog
package import MediaModel
internal import Pacing
package import Postgres
package import Running
package import Storage

/// Compares Mastodon's rows with the files of its store: every file that a row names is looked at, by many threads, while
/// one reads the rows. Local media come first, because nobody else has them. Nothing is changed.
package final class StoreVerifyEngine: Engine {
    /// Rows a worker takes at once: enough that the queue's lock does not count.
    private static let batchRows = 64
    /// Batches between the reader and the workers: a page and a bit, some hundred kilobytes.
    private static let waitingBatches = 128

    private let options: StoreVerifyOptions
    private let settings: ConnectionSettings
    private let store: any MediaStore
    private let jobs: Int
    private let control: RunControl
    private let sink: EventSink
    private let ledger = StoreLedger()

    /// - Parameter settings: where the database is; it is connected to when the run begins.
    package init(
        options: StoreVerifyOptions,
        settings: ConnectionSettings,
        store: any MediaStore,
        processors: Int,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.options = options
        self.settings = settings
        self.store = store
        jobs = options.jobs ?? max(8, 2 * processors)
        self.control = control
        self.sink = sink
    }

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
        return [ReportSection(title: "Rows against files", columns: columns, rows: rows)]
    }

    /// Nothing is written, nothing is left behind.
    package func abandon() {}

    /// How many rows there are is known only by reading them.
    package func totalCounter() -> (any TotalCounter)? { nil }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: jobs + 1)
        defer { pool.shutDown() }
        let queue = BoundedQueue<[StoredMedia]>(capacity: Self.waitingBatches)
        // One thread reads, the others look.
        let workers = pool.started - 1
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
            var failure: SyncError?
            for await error in group { failure = failure ?? error }
            return failure
        }
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
                ledger: ledger,
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
    private func read(into queue: BoundedQueue<[StoredMedia]>) -> SyncError? {
        defer { queue.close() }
        do throws(SyncError) {
            let reader = try CatalogReader(connect())
            let since = try since(reader)
            sink(.stage("verify"))
            warnAboutRoot()
            for remote in [false, true] where options.remote == nil || options.remote == remote {
                let scope = CatalogReader.Scope(kinds: options.kinds, remote: remote, since: since)
                for table in CatalogTable.allCases { try read(table, scope, reader, into: queue) }
            }
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

    private func read(
        _ table: CatalogTable,
        _ scope: CatalogReader.Scope,
        _ reader: CatalogReader,
        into queue: BoundedQueue<[StoredMedia]>
    ) throws(SyncError) {
        var after: Int64?
        repeat {
            if control.shouldStop { return }
            let page = try reader.page(table, scope, after: after)
            var batch: [StoredMedia] = []
            for row in page.rows {
                batch += row.media
                if batch.count >= Self.batchRows {
                    guard queue.offer(batch) else { return }
                    batch = []
                }
            }
            if !batch.isEmpty { guard queue.offer(batch) else { return } }
            after = page.next
        } while after != nil
    }

    // MARK: Looking

    private func work(on queue: BoundedQueue<[StoredMedia]>) {
        while let batch = queue.take() {
            // A stopped run still takes what waits: the reader must not wait for room for ever.
            if control.shouldStop { continue }
            var share = StoreLedger.Share()
            for media in batch { check(media, in: &share) }
            ledger.add(share)
        }
    }

    private func check(_ media: StoredMedia, in share: inout StoreLedger.Share) {
        var tally = MediaTally()
        tally.rows = 1
        tally.bytesInRows = max(0, media.byteCount ?? 0)
        for style in media.styles {
            share.counts.seen += 1
            share.counts.files += 1
            tally.files += 1
            check(style, of: media, &share.counts, &tally)
        }
        share.lines[StoreLedger.Key(kind: media.kind, isLocal: !media.isRemote), default: MediaTally()] += tally
    }

    private func check(_ style: MediaStyle, of media: StoredMedia, _ counts: inout Counts, _ tally: inout MediaTally) {
        let row = RowReference(kind: media.kind.rawValue, id: media.rowID, isLocal: !media.isRemote)
        guard let path = media.path(of: style) else {
            let name = BytePath.escaped(media.fileName)
            let error = SyncError(
                .item,
                "the file name of \(media.kind.rawValue) \(media.rowID) is no name of a file: \(name)",
                hint: "nothing that Mastodon writes looks like this: correct the row"
            )
            return fail(BytePath("\(media.kind.rawValue) \(media.rowID)"), row, error, &counts, &tally)
        }
        let entry: StoreEntry?
        let verdict: StoreVerdict
        do throws(FileFault) {
            entry = try store.look(path)
            verdict = try self.verdict(of: style, in: media, at: path, found: entry)
        } catch {
            let fault = error.syncError("cannot look at \(path)")
            if fault.retry == .abortStage { control.stop(fault) }
            return fail(path, row, fault, &counts, &tally)
        }
        verdict.count(in: &tally)
        counts.bytesSeen += entry?.size ?? 0
        if case .good = verdict {
            counts.unchanged += 1
            if options.reportsEveryItem {
                sink(.item(ItemEvent(path: path, kind: .file, outcome: .unchanged, row: row)))
            }
        } else {
            counts.different += 1
            let item = ItemEvent(
                path: path,
                kind: verdict.kind,
                outcome: .different,
                changes: verdict.changes,
                bytes: entry?.size ?? 0,
                row: row
            )
            sink(.item(item))
        }
    }

    private func verdict(
        of style: MediaStyle,
        in media: StoredMedia,
        at path: BytePath,
        found entry: StoreEntry?
    ) throws(FileFault) -> StoreVerdict {
        let verdict = StoreVerdict(of: style, in: media, found: entry)
        guard options.checksTypes, case .good(let size) = verdict else { return verdict }
        let expected = media.formats(of: style)
        if expected.isEmpty { return verdict }
        let head = try store.contents(of: path, limit: MediaContainer.headBytes)
        return MediaContainer.all(ofHead: head).isDisjoint(with: expected) ? .otherType(size) : verdict
    }

    private func fail(
        _ path: BytePath,
        _ row: RowReference,
        _ error: SyncError,
        _ counts: inout Counts,
        _ tally: inout MediaTally
    ) {
        counts.failed += 1
        tally.failed += 1
        sink(.item(ItemEvent(path: path, kind: .file, outcome: .failed(error), row: row)))
    }
}
