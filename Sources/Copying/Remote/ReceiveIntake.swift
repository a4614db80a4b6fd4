/// What one thread has read and not handed out yet. A directory is three messages, and hundreds of them come in one read: to hand
/// each out by itself, and to wake a thread for it, would cost more than what is done with it.
struct ReceiveIntake {
    private enum Item {
        case job(ReceiveJob, ReceivedDirectory?)
        case step(IncomingFile.Step, IncomingFile)
    }

    private static let itemsMax = 64
    private static let weightMax = 256 << 10

    private var items: [Item] = []
    private var weight = 0

    /// Takes a job; one that needs its directory waits in it until that is open.
    mutating func add(_ job: ReceiveJob, in directory: ReceivedDirectory? = nil, _ queue: ReceiveQueue) {
        add(.job(job, directory), weight: job.weight, queue)
    }

    /// Takes what comes next of a file that comes in pieces.
    mutating func add(_ step: IncomingFile.Step, weight: Int, to file: IncomingFile, _ queue: ReceiveQueue) {
        add(.step(step, file), weight: weight, queue)
    }

    private mutating func add(_ item: Item, weight more: Int, _ queue: ReceiveQueue) {
        items.append(item)
        weight += more
        if items.count >= Self.itemsMax || weight >= Self.weightMax { handOut(queue) }
    }

    /// Waits for room, and has the threads do it.
    mutating func handOut(_ queue: ReceiveQueue) {
        if items.isEmpty { return }
        queue.accept(items.count, weight: weight)
        var ready: [ReceiveJob] = []
        for item in items {
            switch item {
            case .job(let job, let directory): if directory?.admits(job) ?? true { ready.append(job) }
            case .step(let step, let file): if file.add(step) { ready.append(.transfer(file)) }
            }
        }
        queue.offer(ready)
        items.removeAll(keepingCapacity: true)
        weight = 0
    }
}
