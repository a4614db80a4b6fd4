internal import Dumps
internal import MediaModel
internal import Pacing
internal import Synchronization

/// What the reader and the loading connections share.
final class LoadChannel: Sendable {
    let queue: BoundedQueue<RowPiece>
    let store: PieceStore
    let failure = FirstError()
    let progress: LoadProgress
    private let settings = Mutex<[DumpStatement]>([])

    /// - Parameter connections: how many load.
    init(connections: Int, progress: LoadProgress) {
        // Two pieces for each connection: one that it sends, one that waits. And one that is being filled.
        let pieces = connections * 2 + 2
        queue = BoundedQueue(capacity: pieces)
        store = PieceStore(capacity: pieces)
        self.progress = progress
    }

    /// Ends the load: whoever waits stops waiting.
    func fail(_ error: SyncError) {
        failure.record(error)
        queue.close()
        store.close()
    }

    var settingsCount: Int { settings.withLock { $0.count } }
    func add(setting: DumpStatement) { settings.withLock { $0.append(setting) } }
    func settings(from first: Int, to last: Int) -> [DumpStatement] {
        settings.withLock { Array($0[first..<last]) }
    }
}
