package import Catalog
internal import Committing
internal import MediaModel
internal import Pacing
internal import Postgres
internal import Running
internal import Storage

/// Writes rows, many by one statement, and removes what they named before once that is committed. One thread writes,
/// others remove.
struct CommitStage: Sendable {
    /// Rows of one statement.
    private static let batchRows = 500
    /// How long the first of them waits for others: each transaction is a flush of the server's log.
    private static let batchNanoseconds: Int64 = 200_000_000
    private static let application = "mediasync refresh"

    private struct Done: Sendable {
        let ticket: PublishStage.Ticket
        /// The row names the new files; else they go.
        let isCommitted: Bool
    }

    let settings: ConnectionSettings
    let store: any MediaStore
    let input: BoundedQueue<PublishStage.Ticket>
    let inbox: DispatchInbox
    let ledger: RefreshLedger
    let control: RunControl
    let caches: any CacheInvalidation
    private let removals = BoundedQueue<Done>(capacity: 256)

    init(
        settings: ConnectionSettings,
        store: any MediaStore,
        input: BoundedQueue<PublishStage.Ticket>,
        inbox: DispatchInbox,
        ledger: RefreshLedger,
        control: RunControl,
        caches: any CacheInvalidation
    ) {
        self.settings = settings
        self.store = store
        self.input = input
        self.inbox = inbox
        self.ledger = ledger
        self.control = control
        self.caches = caches
    }

    // MARK: Rows

    /// Writes rows until nothing comes any more; one thread. A run that stops still writes what is published. An error
    /// leaves intents open: the next run asks the rows.
    func commit() throws(SyncError) {
        defer { removals.close() }
        var reader: CatalogReader?
        var failure: SyncError?
        do throws(SyncError) {
            reader = try CatalogSession.connect(settings, Self.application)
        } catch {
            control.stop(error)
            failure = error
        }
        while true {
            let tickets = input.take(
                upTo: Self.batchRows,
                gathering: Self.batchNanoseconds,
                now: Host.monotonicNanoseconds
            )
            if tickets.isEmpty { break }
            // After a failure only the queue is emptied, so that nobody waits for room.
            guard failure == nil, var session = reader else { continue }
            do throws(SyncError) {
                for kind in MediaKind.allCases {
                    let mine = tickets.filter { $0.file.item.kind == kind }
                    if !mine.isEmpty { try commit(kind, mine, &session) }
                }
                reader = session
            } catch {
                control.stop(error)
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func commit(
        _ kind: MediaKind,
        _ tickets: [PublishStage.Ticket],
        _ reader: inout CatalogReader
    ) throws(SyncError) {
        var open = tickets
        var tries = 0
        while true {
            do throws(SyncError) {
                let changed = try reader.replace(kind, with: open.map(\.file.replacement)) {
                    FaultPoint.rowsUpdated.reach()
                }
                FaultPoint.rowsCommitted.reach()
                caches.invalidate(open.filter { changed.contains($0.file.item.id) }.map(\.file.replacement.row))
                for ticket in open { end(ticket, isCommitted: changed.contains(ticket.file.item.id)) }
                return
            } catch {
                tries += 1
                guard error.code == .database, error.retry != .never, tries <= CatalogSession.triesMax else {
                    throw error
                }
                CatalogSession.pause(tries)
                do throws(SyncError) {
                    reader = try CatalogSession.connect(settings, Self.application)
                    // Whether that was committed nobody knows: the rows do.
                    open = try settle(kind, open, reader)
                    if open.isEmpty { return }
                } catch {
                    // Not back yet.
                    guard error.code == .database, error.retry != .never else { throw error }
                }
            }
        }
    }

    /// Ends those whose rows name the new files already; returns the others.
    private func settle(
        _ kind: MediaKind,
        _ tickets: [PublishStage.Ticket],
        _ reader: CatalogReader
    ) throws(SyncError) -> [PublishStage.Ticket] {
        let rows = try reader.rows(CatalogTable(of: kind), ids: tickets.map(\.file.item.id))
        var open: [PublishStage.Ticket] = []
        for ticket in tickets {
            let named = rows[ticket.file.item.id]?.media.first { $0.kind == kind }?.fileName
            if named == Array(ticket.file.replacement.file.name.utf8) {
                end(ticket, isCommitted: true)
            } else {
                open.append(ticket)
            }
        }
        return open
    }

    private func end(_ ticket: PublishStage.Ticket, isCommitted: Bool) {
        let taken = removals.offer(Done(ticket: ticket, isCommitted: isCommitted))
        precondition(taken, "rows end before the removal is closed")
    }

    // MARK: Files

    /// Removes what no row names any more, until nothing comes; each thread calls it once.
    func remove() {
        while let done = removals.take() {
            let file = done.ticket.file
            let kept = done.isCommitted ? Set(file.variants.map(\.path)) : []
            var isClean = true
            for path in done.isCommitted ? file.oldPaths : file.variants.map(\.path) where !kept.contains(path) {
                do throws(FileFault) {
                    guard let size = try store.remove(path) else { continue }
                    if done.isCommitted { ledger.deleted(bytes: size) }
                    FaultPoint.fileRemoved.reach()
                } catch {
                    isClean = false
                    ledger.deleteFailed(path, error.syncError("cannot remove \(path)"))
                }
            }
            FaultPoint.filesRemoved.reach()
            if done.isCommitted {
                ledger.fetched(
                    file.item,
                    at: file.path,
                    bytes: file.replacement.file.byteCount,
                    written: file.bytesWritten
                )
            } else {
                ledger.superseded(file.item)
            }
            if file.item.thumbnailHost != nil { inbox.post(.fileDone(file.item)) }
            done.ticket.group.done(isClean: isClean)
        }
    }
}

/// Makes a running Mastodon forget what it keeps rendered of changed rows.
package protocol CacheInvalidation: Sendable {
    /// Called after the commit, from one thread. Failure costs freshness for minutes, never the run.
    func invalidate(_ rows: [RemoteMedia])
}

/// No cache is reached: pages may show the old state for some minutes.
package struct NoCaches: CacheInvalidation {
    package init() {}
    package func invalidate(_ rows: [RemoteMedia]) {}
}
