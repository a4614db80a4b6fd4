internal import Catalog
internal import MediaModel
internal import Pacing
internal import Postgres
internal import Running
internal import Storage

/// Lists a whole store by several threads, and hands its files in batches, each thread with a session of its own, to whoever
/// knows what rows say of them.
struct StoreSweep: Sendable {
    /// Files that are looked up by one statement for each table.
    static let batchFiles = 500

    let settings: ConnectionSettings
    /// What the sessions are called at the server.
    let application: String
    let walk: StoreWalk
    let control: RunControl
    /// Files up to this one are passed over.
    var startAfter: BytePath?

    /// - Parameters:
    ///   - threads: at most; the pool may have fewer.
    ///   - judge: a batch; an error ends the sweep, and the run.
    ///   - unlisted: a directory that could not be read.
    /// - Returns: why it ended early.
    func run(
        _ pool: WorkerPool,
        threads: Int = .max,
        judge: @escaping @Sendable ([BytePath], CatalogReader) throws(SyncError) -> Void,
        unlisted: @escaping @Sendable (BytePath, FileFault) -> Void
    ) async -> SyncError? {
        await withTaskGroup(of: SyncError?.self) { group in
            for _ in 0..<min(threads, pool.started) {
                group.addTask(executorPreference: pool) { work(judge, unlisted) }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
    }

    /// One thread's part.
    private func work(
        _ judge: ([BytePath], CatalogReader) throws(SyncError) -> Void,
        _ unlisted: (BytePath, FileFault) -> Void
    ) -> SyncError? {
        var failure: SyncError?
        do throws(SyncError) {
            let reader = try CatalogReader(connect())
            var batch: [BytePath] = []
            walk.work { result in
                switch result {
                case .success(let path):
                    if let startAfter, !(startAfter < path) { return true }
                    batch.append(path)
                    if batch.count < Self.batchFiles { return !control.shouldStop }
                    do throws(SyncError) { try judge(batch, reader) } catch { failure = error }
                    batch = []
                case .failure(let error): unlisted(error.directory, error.fault)
                }
                return failure == nil && !control.shouldStop
            }
            if failure == nil, !control.shouldStop { try judge(batch, reader) }
        } catch {
            failure = error
        }
        if let failure { control.stop(failure) }
        return failure
    }

    private func connect() throws(SyncError) -> Connection {
        do throws(DatabaseFault) {
            return try Connection(settings, application: application, allowsPooler: true)
        } catch {
            throw error.syncError("cannot connect to \(settings)")
        }
    }
}
