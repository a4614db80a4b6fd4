internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// Removes the files of rows that do not name them any more, by many threads. A job's intent is closed when its last file
/// is gone; where one could not be removed it stays open, and the next run tries again.
final class FileRemover: Sendable {
    /// The files of one batch of rows.
    struct Job: Sendable {
        /// Of the intent; nil in a dry run.
        let number: Int64?
        let paths: [BytePath]
    }

    /// A part of a job: its files, and what is known of the whole.
    private struct Piece: Sendable {
        let paths: ArraySlice<BytePath>
        let whole: Whole
    }

    /// A job on its way.
    private final class Whole: Sendable {
        let number: Int64?
        /// Pieces that are not done yet.
        let left: Atomic<Int>
        let failed = Atomic<Bool>(false)

        init(number: Int64?, pieces: Int) {
            self.number = number
            left = Atomic(pieces)
        }
    }

    /// Files a thread takes at once.
    private static let pieceFiles = 32
    /// Pieces that wait; then who changes rows waits, so that the disk is never far behind the database.
    private static let waitingPieces = 256

    private let store: any MediaStore
    private let intents: any IntentLog
    private let ledger: CleanupLedger
    private let control: RunControl
    private let sink: EventSink
    private let reportsEveryItem: Bool
    private let queue = BoundedQueue<Piece>(capacity: FileRemover.waitingPieces)

    init(
        store: any MediaStore,
        intents: any IntentLog,
        ledger: CleanupLedger,
        control: RunControl,
        sink: @escaping EventSink,
        reportsEveryItem: Bool
    ) {
        self.store = store
        self.intents = intents
        self.ledger = ledger
        self.control = control
        self.sink = sink
        self.reportsEveryItem = reportsEveryItem
    }

    /// Waits for room.
    func add(_ job: Job) {
        let pieces = stride(from: 0, to: job.paths.count, by: Self.pieceFiles).map {
            job.paths[$0..<min($0 + Self.pieceFiles, job.paths.count)]
        }
        let whole = Whole(number: job.number, pieces: max(1, pieces.count))
        guard !pieces.isEmpty else { return finish(whole) }
        for piece in pieces {
            let isTaken = queue.offer(Piece(paths: piece, whole: whole))
            precondition(isTaken, "files are added before the remover is closed")
        }
    }

    /// No more jobs come.
    func close() { queue.close() }

    /// Removes files until there are no more; each thread calls it once. A stopped run still removes what waits: its rows
    /// are changed.
    func work() {
        while let piece = queue.take() {
            var (files, bytes) = (0, Int64(0))
            for (path, removed) in zip(piece.paths, store.remove(all: Array(piece.paths))) {
                do throws(FileFault) {
                    // A file that is missing already is what was wanted.
                    guard let size = try removed.get() else { continue }
                    FaultPoint.fileRemoved.reach()
                    files += 1
                    bytes += size
                    if reportsEveryItem {
                        sink(.item(ItemEvent(path: path, kind: .file, outcome: .deleted, bytes: size)))
                    }
                } catch {
                    piece.whole.failed.store(true, ordering: .relaxed)
                    fail(path, error)
                }
            }
            ledger.deleted(files: files, bytes: bytes)
            finish(piece.whole)
        }
    }

    private func fail(_ path: BytePath, _ fault: FileFault) {
        let error = fault.syncError("cannot remove \(path)")
        ledger.deleteFailed()
        sink(.item(ItemEvent(path: path, kind: .file, outcome: .failed(error))))
        if error.retry == .abortStage { control.stop(error) }
    }

    private func finish(_ whole: Whole) {
        let isLast = whole.left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
        guard isLast, let number = whole.number, !whole.failed.load(ordering: .relaxed) else { return }
        FaultPoint.filesRemoved.reach()
        do throws(SyncError) {
            try intents.close(number)
        } catch {
            control.stop(error)
        }
    }
}
