internal import DequeModule
internal import Glibc

/// Threads of our own for calls that block: file system calls never run on Swift's cooperative pool, which has about one
/// thread a core. Tasks come here by `executorPreference`; each runs on one thread until it ends or suspends.
package final class WorkerPool: TaskExecutor {
    private struct Queue {
        var jobs = Deque<UnownedJob>()
        var stopping = false
    }

    private let queue = Monitor(Queue())

    /// Starts `threads` threads. Stacks are virtual memory: only what is touched counts.
    /// - Parameter threads: at least 1.
    package init(threads: Int, stackBytes: Int = 1 << 20) {
        precondition(threads > 0)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        for _ in 0..<threads {
            var thread = pthread_t()
            let retained = Unmanaged.passRetained(self)
            let result = pthread_create(&thread, &attributes, Self.threadMain, retained.toOpaque())
            if result != 0 {
                retained.release()
                break
            }
            started += 1
        }
        pthread_attr_destroy(&attributes)
        precondition(started > 0, "no thread could be started")
    }

    /// Threads that could be started: fewer than asked for where a process limit says so.
    /// Written by `init` only, before anyone else sees the pool.
    package private(set) nonisolated(unsafe) var started = 0  // one owner: init

    private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
        guard let raw else { return nil }
        let pool = Unmanaged<WorkerPool>.fromOpaque(raw).takeRetainedValue()
        let executor = pool.asUnownedTaskExecutor()
        while let job = pool.nextJob() {
            job.runSynchronously(on: executor)
        }
        return nil
    }

    private func nextJob() -> UnownedJob? {
        queue.wait { queue -> UnownedJob?? in
            if let job = queue.jobs.popFirst() { return .some(job) }
            return queue.stopping ? .some(nil) : nil
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        queue.withLock { $0.jobs.append(unowned) }
        queue.wakeOne()
    }

    /// Lets the threads end once the queue is empty. Call it after the last task has ended.
    package func shutDown() {
        queue.withLock { $0.stopping = true }
        queue.wakeAll()
    }
}
