internal import MediaModel
internal import Synchronization

/// The account of a cleanup: rows are what is seen, files are what is deleted.
final class CleanupLedger: Sendable {
    private struct State {
        var counts = Counts()
        var superseded = 0
    }

    private let state = Mutex(State())

    var counts: Counts { state.withLock { $0.counts } }
    /// Rows that changed or went between reading and writing; they are left alone.
    var superseded: Int { state.withLock { $0.superseded } }

    /// Rows whose files' names were taken out.
    func cleared(_ rows: Int) {
        state.withLock { state in
            state.counts.seen += rows
            state.counts.updated += rows
        }
    }

    func superseded(_ rows: Int) {
        state.withLock { state in
            state.counts.seen += rows
            state.counts.unchanged += rows
            state.superseded += rows
        }
    }

    func failed(_ rows: Int) {
        state.withLock { state in
            state.counts.seen += rows
            state.counts.failed += rows
        }
    }

    func deleted(files: Int, bytes: Int64) {
        state.withLock { state in
            state.counts.deleted += files
            state.counts.bytesDeleted += bytes
        }
    }

    func deleteFailed() { state.withLock { $0.counts.deleteFailed += 1 } }
}
