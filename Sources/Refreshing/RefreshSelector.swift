internal import Catalog
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Looks at the rows of a scope and at the files they name, and plans what is missing. One thread reads rows, the others
/// look at files.
struct RefreshSelector: Sendable {
    /// Rows a looker takes at once.
    private static let batchRows = 64
    /// Batches that wait: two pages.
    private static let waitingBatches = 128

    private struct Batch: Sendable {
        let rows: [RemoteRow]
    }

    let scope: RemoteScope
    let rules: DomainRules
    /// What other servers said is gone, lately.
    let gone: Set<MediaReference>
    /// Nil for everything in the scope.
    let only: Set<MediaReference>?
    let force: Bool
    /// What is fetched although it is present.
    let damaged: Set<MediaReference>
    let store: any MediaStore
    let plan: RefreshPlan
    let ledger: RefreshLedger
    let control: RunControl
    private let queue = BoundedQueue<Batch>(capacity: RefreshSelector.waitingBatches)

    init(
        scope: RemoteScope,
        rules: DomainRules,
        gone: Set<MediaReference>,
        only: Set<MediaReference>?,
        force: Bool,
        damaged: Set<MediaReference>,
        store: any MediaStore,
        plan: RefreshPlan,
        ledger: RefreshLedger,
        control: RunControl
    ) {
        self.scope = scope
        self.rules = rules
        self.gone = gone
        self.only = only
        self.force = force
        self.damaged = damaged
        self.store = store
        self.plan = plan
        self.ledger = ledger
        self.control = control
    }

    // MARK: Reading

    /// Reads all rows of the scope; lookers are done when it has returned and they have.
    func read(_ reader: CatalogReader) throws(SyncError) {
        defer { queue.close() }
        for table in scope.tables {
            let listed = scope.ids(table)
            // Accounts are chosen by the posts they appear in.
            if table == .accounts, scope.since != nil || scope.before != nil {
                try readSeen(listed.map { Set($0) }, reader)
            } else if let listed {
                try readListed(table, listed, reader)
            } else {
                try readAll(table, scope, reader)
            }
        }
    }

    private func readAll(_ table: CatalogTable, _ scope: RemoteScope, _ reader: CatalogReader) throws(SyncError) {
        var after: Int64?
        repeat {
            if control.shouldStop { return }
            let page = try reader.remotePage(table, scope, after: after)
            hand(over: page.rows)
            after = page.next
        } while after != nil
    }

    private func readSeen(_ listed: Set<Int64>?, _ reader: CatalogReader) throws(SyncError) {
        var after: Int64?
        while !control.shouldStop {
            let ids = try reader.accountsSeen(scope, after: after)
            guard let last = ids.last else { return }
            after = last
            try readListed(.accounts, listed.map { listed in ids.filter { listed.contains($0) } } ?? ids, reader)
        }
    }

    /// A page's worth of numbers at a time.
    private func readListed(_ table: CatalogTable, _ ids: [Int64], _ reader: CatalogReader) throws(SyncError) {
        for start in stride(from: 0, to: ids.count, by: CatalogReader.pageRows) {
            if control.shouldStop { return }
            var part = scope
            let end = min(start + CatalogReader.pageRows, ids.count)
            part.rows = Dictionary(uniqueKeysWithValues: table.kinds.map { ($0, Array(ids[start..<end])) })
            try readAll(table, part, reader)
        }
    }

    private func hand(over rows: [RemoteRow]) {
        for start in stride(from: 0, to: rows.count, by: Self.batchRows) {
            guard queue.offer(Batch(rows: Array(rows[start..<min(start + Self.batchRows, rows.count)]))) else { return }
        }
    }

    // MARK: Looking

    /// Looks at files until there are no more rows; each looker calls it once.
    func look() {
        while let batch = queue.take() {
            // A stopped run still takes what waits: the reader must not wait for room for ever.
            if control.shouldStop { continue }
            for row in batch.rows { look(at: row) }
        }
    }

    private func look(at row: RemoteRow) {
        var file: RefreshItem?
        var thumbnail: (item: RefreshItem, url: String)?
        var fileURL = ""
        for media in row.media where isAsked(media) {
            guard let item = judge(media) else { continue }
            switch media.kind {
            case .attachment: (file, fileURL) = (item, media.url)
            case .thumbnail: thumbnail = (item, media.url)
            default: plan.add(item, host: HostName.of(media.url), isFollowed: row.isFollowed)
            }
        }
        if let file {
            let thumbnailHost = thumbnail.map { HostName.of($0.url) }
            plan.add(
                file,
                host: HostName.of(fileURL),
                thumbnailHost: thumbnailHost,
                isFollowed: row.isFollowed
            )
        } else if let thumbnail {
            plan.add(thumbnail.item, host: HostName.of(thumbnail.url), isFollowed: row.isFollowed)
        }
    }

    private func isAsked(_ media: RemoteMedia) -> Bool {
        // An account without a picture is no picture that is missing.
        if media.url.isEmpty, media.stored == nil { return false }
        return only?.contains(MediaReference(kind: media.kind.rawValue, id: media.rowID)) ?? true
    }

    /// The item where it is to be fetched; its outcome is told otherwise.
    private func judge(_ media: RemoteMedia) -> RefreshItem? {
        let item = RefreshItem(media.kind, media.rowID)
        ledger.seen(media.kind)
        if rules.rejectsMedia(of: media.domain) {
            ledger.skipped(item, .rejected)
            return nil
        }
        do throws(FileFault) {
            if !force, !damaged.contains(item.reference), let stored = media.stored,
                try RowLook.isPresent(stored, in: store)
            {
                ledger.present(item, at: stored.path(of: .original))
                return nil
            }
        } catch {
            let fault = error.syncError("cannot look at the files of \(item.label)")
            if fault.retry == .abortStage { control.stop(fault) }
            ledger.failed(item, reason: "store", fault)
            return nil
        }
        if media.url.isEmpty {
            ledger.skipped(item, .noAddress)
            return nil
        }
        if !force, gone.contains(item.reference) {
            ledger.skipped(item, .goneBefore)
            return nil
        }
        return item
    }
}
