internal import Storage

/// What one thread has read and not handed out yet. A directory is three messages, and hundreds of them come in one read: to hand
/// each out by itself, and to wake a thread for it, would cost more than what is done with it.
///
/// While jobs are quick and the other end is not ahead, the thread that read them does them as well: what it took from the
/// allocator it gives back itself, and nobody is woken. Handed to others, half of the calls to the kernel of a second run over an
/// unchanged tree were threads waiting for the allocator's lock.
struct ReceiveIntake {
    private enum Item {
        case job(ReceiveJob, ReceivedDirectory?)
        case step(IncomingFile.Step, IncomingFile)
    }

    private static let itemsMax = 64
    private static let weightMax = 256 << 10

    private var items: [Item] = []
    var isEmpty: Bool { items.isEmpty }
    private var weight = 0
    /// Does jobs on this thread; nil where all are for others.
    var worker: ReceiveWorker?
    /// More comes than this thread can do alone.
    var isBehind = false
    /// Jobs are for others until then, since some took long; monotonic nanoseconds.
    private var slowUntil: Int64 = 0
    /// For how long jobs are not believed to be quick again once one was not: longer each time, up to a second.
    private var slowNanoseconds = Self.slowNanosecondsMin

    private static let slowNanosecondsMin: Int64 = 20_000_000
    private static let slowNanosecondsMax: Int64 = 1_000_000_000

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

    /// Waits for room, and has it done.
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
        items.removeAll(keepingCapacity: true)
        weight = 0
        if let worker, !isBehind, Host.monotonicNanoseconds() >= slowUntil {
            if worker.work(on: ready) {
                slowNanoseconds = Self.slowNanosecondsMin
            } else {
                slowUntil = Host.monotonicNanoseconds() + slowNanoseconds
                slowNanoseconds = min(2 * slowNanoseconds, Self.slowNanosecondsMax)
            }
        } else {
            queue.offer(ready)
        }
    }
}
