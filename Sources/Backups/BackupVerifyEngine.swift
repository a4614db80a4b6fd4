package import MediaModel
package import Running
internal import Storage

/// Reads an export back and tells what is not as it should be: ours by its manifests, the snap's as far as it can be known
/// without. Nothing is changed.
package final class BackupVerifyEngine: Engine {
    private let path: BytePath
    private let control: RunControl
    private let ledger: BackupLedger

    package init(path: BytePath, control: RunControl, reportsEveryItem: Bool, sink: @escaping EventSink) {
        self.path = path
        self.control = control
        ledger = BackupLedger(sink: sink, reportsEveryItem: reportsEveryItem)
    }

    package func counts() -> Counts { ledger.counts }
    package func abandon() {}
    package func totalCounter() -> (any TotalCounter)? { nil }
    package func work() -> WorkProgress? { ledger.work }

    package func run() async -> RunResult {
        await runCancellable(control, { self.ledger.counts }) { () async throws(SyncError) in
            let directory = try BackupDirectory.open(self.path)
            defer { directory.close() }
            try BackupCheck(
                path: self.path,
                directory: directory,
                control: self.control,
                ledger: self.ledger,
                isOwn: false
            ).run()
        }
    }
}
