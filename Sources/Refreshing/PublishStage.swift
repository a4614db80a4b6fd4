internal import Catalog
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Gives new files their names: first it is written down what is about to be there, then the files are published, whole and
/// on the disk, and their rows' turn comes.
struct PublishStage: Sendable {
    /// Files written down by one intent: its flush is shared.
    private static let intentFiles = 64
    /// How long the first of them waits for others: a flush and a transaction of the run state for each file would cost half
    /// as much as a picture's decoding.
    private static let intentNanoseconds: Int64 = 100_000_000

    /// A file with the intent that it belongs to.
    struct Ticket: Sendable {
        let file: NewFile
        let group: IntentGroup
    }

    let store: any MediaStore
    let modes: StoreModes
    let intents: any IntentLog
    let input: BoundedQueue<NewFile>
    let named: BoundedQueue<Ticket>
    let published: BoundedQueue<Ticket>
    let inbox: DispatchInbox
    let ledger: RefreshLedger
    let control: RunControl

    /// Writes intents down, until nothing comes any more; one thread. Files that come at about the same time share one.
    func writeIntents() {
        defer { named.close() }
        while true {
            let files = input.take(
                upTo: Self.intentFiles,
                gathering: Self.intentNanoseconds,
                now: Host.monotonicNanoseconds
            )
            if files.isEmpty { return }
            do throws(SyncError) {
                let number = try intents.open(files.map(\.intent))
                FaultPoint.intentOpened.reach()
                let group = IntentGroup(number: number, count: files.count, log: intents, control: control)
                for file in files { guard named.offer(Ticket(file: file, group: group)) else { return } }
            } catch {
                control.stop(error)
            }
        }
    }

    /// Publishes files, until nothing comes any more; each thread calls it once.
    func publish() {
        while let ticket = named.take() {
            do throws(FileFault) {
                for variant in ticket.file.variants {
                    try store.publish(variant.spool, at: variant.path, modes: modes)
                    FaultPoint.filePublished.reach()
                }
                guard published.offer(ticket) else { return }
            } catch {
                withdraw(ticket, error)
            }
        }
    }

    /// What has its name already is taken away again.
    private func withdraw(_ ticket: Ticket, _ fault: FileFault) {
        var isClean = true
        for variant in ticket.file.variants {
            do throws(FileFault) { _ = try store.remove(variant.path) } catch { isClean = false }
        }
        let error = fault.syncError("cannot publish \(ticket.file.path ?? ticket.file.item.label)")
        if error.retry == .abortStage { control.stop(error) }
        ledger.failed(ticket.file.item, reason: "store", error)
        if ticket.file.item.thumbnailHost != nil { inbox.post(.fileDone(ticket.file.item)) }
        ticket.group.done(isClean: isClean)
    }
}
