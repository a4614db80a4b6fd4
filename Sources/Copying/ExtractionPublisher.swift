internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// Threads that only wait for the disk: files are flushed there and get their names.
///
/// An archive's files come faster than a disk's journal commits, and every commit holds up whoever makes directories. So where
/// there is a journal few threads take all that waits at once, and one flush of the whole file system serves them: fsync of
/// each would find it committed, but would have the disk empty its cache once more for every file.
final class ExtractionPublisher: Sendable {
    private let queue: BoundedQueue<ExtractedFile>
    private let pool: WorkerPool
    private let context: ExtractionContext
    private let batch: Int
    /// Files in the hands of each thread, for a stop that cannot wait for the disk.
    private let inFlight: Mutex<[Int: [ExtractedFile]]> = Mutex([:])
    /// Numbers of these threads in temporary names: above those of the workers.
    private static let firstThread = 10_000

    /// Threads where one commit of the journal serves all who wait for one: one waits, another gets its batch ready.
    private static let threadsSharing = 2

    /// - Parameters:
    ///   - sharesCommits: the file system writes an ordered journal; else every file is flushed by a thread of its own.
    init(context: ExtractionContext, _ bounds: Bounds, sharesCommits: Bool) {
        self.context = context
        let capacity = bounds.publishQueue
        let threads = sharesCommits ? Self.threadsSharing : bounds.publishers
        batch = sharesCommits ? max(1, capacity / 2) : 1
        queue = BoundedQueue(capacity: capacity)
        pool = WorkerPool(threads: threads, stackBytes: 256 << 10)
    }

    /// Hands a file over, waiting for room.
    func offer(_ item: ExtractedFile) {
        precondition(queue.offer(item), "offered after the end")
    }

    /// No more files will be offered.
    func finish() {
        queue.close()
    }

    /// Publishes until the queue is closed and empty.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<pool.started {
                group.addTask(executorPreference: self.pool) {
                    let tally = self.context.account.makeTally()
                    let names = TemporaryNamer(run: self.context.run, thread: Self.firstThread + index)
                    while true {
                        let items = self.queue.take(upTo: self.batch)
                        if items.isEmpty { break }
                        self.inFlight.withLock { $0[index] = items }
                        let flush = FileFlush(of: items.count, in: self.context.root.handle)
                        for item in items { Self.publish(item, self.context, names, tally, flush) }
                        self.inFlight.withLock { $0[index] = nil }
                    }
                }
            }
        }
        pool.shutDown()
    }

    /// Removes the temporaries that a blocked disk keeps from being finished. For the end of the process only.
    func abandon() {
        for item in inFlight.withLock({ Array($0.values) }).joined() { item.removeTemporary() }
    }

    /// The last steps of a file. Whatever goes wrong, nothing of it stays and what had its name does.
    /// - Parameter flush: nil leaves it to the kernel when its bytes are on the disk.
    static func publish(
        _ item: ExtractedFile,
        _ context: ExtractionContext,
        _ names: TemporaryNamer,
        _ tally: Tally,
        _ flush: FileFlush?
    ) {
        let file = OpenFile(raw: item.descriptor)
        if context.control.shouldStop { return item.removeTemporary() }
        let path = item.file.path
        let outcome: Outcome
        do throws(FileFault) {
            try flush?.finish(file)
            outcome = try context.giveName(item, names)
        } catch {
            item.removeTemporary()
            outcome = context.failure(error, "could not put \(path) in place")
        }
        if case .copied = outcome {
            context.finish(outcome, .file, path, tally, bytes: item.file.size)
        } else {
            context.finish(outcome, .file, path, tally)
        }
    }
}
