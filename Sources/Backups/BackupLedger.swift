internal import MediaModel
internal import Synchronization

/// The account of an export or of its check. Threads add one entry at a time.
final class BackupLedger: Sendable {
    private let sum = Mutex(Counts())
    private let progress = Mutex<WorkProgress?>(nil)
    private let sink: EventSink
    private let reportsEveryItem: Bool

    init(sink: @escaping EventSink, reportsEveryItem: Bool) {
        self.sink = sink
        self.reportsEveryItem = reportsEveryItem
    }

    var counts: Counts { sum.withLock { $0 } }

    /// Puts an entry on the account and tells who listens.
    func add(
        _ path: BytePath,
        _ outcome: Outcome,
        bytes: Int64 = 0,
        kind: EntryKind = .file,
        changes: ChangeSet = []
    ) {
        var isTold = reportsEveryItem
        sum.withLock { sum in
            sum.seen += 1
            if kind == .file {
                sum.files += 1
            } else if kind == .directory {
                sum.directories += 1
            } else {
                sum.others += 1
            }
            sum.bytesSeen += bytes
            switch outcome {
            case .copied:
                sum.copied += 1
                sum.bytesWritten += bytes
            case .unchanged:
                sum.unchanged += 1
                sum.bytesCompared += bytes
            case .different:
                sum.different += 1
                isTold = true
            case .skipped(let reason):
                sum.skipped[reason, default: 0] += 1
                if reason == .special { isTold = true }
            case .failed(let error):
                sum.failed += 1
                if error.code == .sourceChanged || error.code == .sourceVanished { sum.sourceChanged += 1 }
                isTold = true
            default: preconditionFailure("an export knows no such outcome")
            }
        }
        guard isTold else { return }
        sink(.item(ItemEvent(path: path, kind: kind, outcome: outcome, changes: changes, bytes: bytes)))
    }

    func begin(_ stage: String, total: Int64 = 0) {
        progress.withLock { $0 = total > 0 ? WorkProgress(total: total, unit: .bytes) : nil }
        sink(.stage(stage))
    }

    func advance(to done: Int64) { progress.withLock { $0?.done = done } }

    var work: WorkProgress? { progress.withLock { $0 } }

    func notice(_ level: Notice.Level, _ message: String, hint: String? = nil) {
        sink(.notice(Notice(level, message, hint: hint)))
    }

    /// Hands an event of a part on; stages are told by whoever asked for the part.
    func forward(_ event: Event) {
        if case .stage = event { return }
        sink(event)
    }

    func report(_ report: Report) { sink(.report(report)) }
}

/// What makes an export useless.
enum BackupFault {
    static func differs(_ counts: Counts) -> SyncError {
        SyncError(
            .unexpected,
            "the export is not what was written",
            why: "\(counts.different + counts.failed) of its parts differ when they are read back",
            hint: "check the disk (dmesg, smartctl) and the memory, then run the same command again"
        )
    }
}
