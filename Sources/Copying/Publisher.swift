internal import MediaModel
internal import Pacing
internal import Storage
internal import Synchronization

/// What waits to be made durable and to get its name.
enum PublishJob: Sendable {
    /// A finished temporary file.
    case file(Publication)
    /// A file whose attributes were changed in place; the descriptor is the publisher's to close.
    case attributes(Publication)
    /// A directory whose entries are all in place.
    case directory(DirectoryNode, Outcome)
}

/// A file between its last byte and its name. It holds its node.
struct Publication: Sendable {
    let node: DirectoryNode
    /// Open for writing; closed by whoever publishes.
    let descriptor: Int32
    /// Nil where the file has no name yet at all.
    let temporary: BytePath?
    let name: BytePath
    /// What the target has under the name.
    let replaces: FileIdentity?
    let size: Int64
    let changes: ChangeSet
    let digest: Digest?
    /// Set where other names of the inode wait for this one.
    let hardLink: FileIdentity?

    /// Takes back what would be litter; an unnamed file goes with its descriptor.
    func removeTemporary() {
        temporary?.withEntryName { try? node.target.removeFile($0) }
    }

    /// The run is stopped before the file has its name.
    func leave(_ context: CopyContext) {
        let isPartial = temporary?.bytes.withUnsafeBytes { TemporaryName.isPartial($0) } ?? false
        if isPartial, PartialKeeper(context: context, older: nil).keeps(size, in: node.target) { return }
        removeTemporary()
    }
}

/// Threads that only wait for the disk: many fsyncs in flight share the file system's journal commits, one at a time would
/// cost several times the copy itself. The queue is bounded; copy workers wait when the disk is behind.
final class Publisher: Sendable {
    private let queue: BoundedQueue<PublishJob>
    private let pool: WorkerPool
    private let context: CopyContext
    /// The temporaries in the hands of each thread, for a stop that cannot wait for the disk.
    private let inFlight: Mutex<[Int: [Publication]]> = Mutex([:])
    /// Files that one thread takes at once.
    private let batch: Int

    /// - Parameters:
    ///   - threads: fsyncs in flight.
    ///   - capacity: files that wait with an open descriptor each.
    ///   - batch: where one flush commits the journal for all, what waits is taken together (`FileFlush`).
    init(context: CopyContext, threads: Int, capacity: Int, batch: Int = 1) {
        self.context = context
        self.batch = batch
        queue = BoundedQueue(capacity: capacity)
        pool = WorkerPool(threads: threads, stackBytes: 256 << 10)
    }

    /// True while the disk is behind: more copy workers would not help.
    var isBehind: Bool { queue.count > queue.capacity / 2 }

    /// Hands a job over, waiting for room. The publisher takes all that is offered before `finish`.
    func offer(_ job: PublishJob) {
        precondition(queue.offer(job), "offered after the end")
    }

    /// Publishes until the queue is closed and empty.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<pool.started {
                group.addTask(executorPreference: self.pool) {
                    let worker = PublishWorker(context: self.context)
                    while true {
                        let jobs = self.queue.take(upTo: self.batch)
                        if jobs.isEmpty { break }
                        let files = jobs.compactMap { job in
                            if case .file(let publication) = job { publication } else { nil }
                        }
                        self.inFlight.withLock { $0[index] = files }
                        let flush = FileFlush(of: files.count, in: self.context.root.target)
                        for job in jobs { self.perform(job, flush, worker) }
                        self.inFlight.withLock { $0[index] = nil }
                    }
                }
            }
        }
        pool.shutDown()
    }

    /// No more jobs will be offered.
    func finish() {
        queue.close()
    }

    /// Removes the temporaries that a blocked disk keeps from being finished. For the end of the process only.
    func abandon() {
        for publication in inFlight.withLock({ Array($0.values) }).joined() {
            publication.removeTemporary()
        }
    }

    private func perform(_ job: PublishJob, _ flush: FileFlush, _ worker: PublishWorker) {
        switch job {
        case .file(let publication):
            worker.publish(publication, flush)
            release(publication.node, worker)
        case .attributes(let publication):
            worker.synchronizeAttributes(publication)
            release(publication.node, worker)
        case .directory(let node, let outcome):
            worker.finishDirectory(node, outcome)
        }
    }

    private func release(_ node: DirectoryNode, _ worker: PublishWorker) {
        guard node.release() else { return }
        guard let outcome = context.makeFinal(node, tally: worker.tally) else { return }
        worker.finishDirectory(node, outcome)
    }
}
