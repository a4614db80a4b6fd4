import MediaModel
import Pacing
import Storage
import Testing
import Wire

@testable import Copying

/// How jobs change hands at a receiver.
@Suite struct ReceiveQueueTests {
    private static func jobs(_ count: Int) -> [ReceiveJob] {
        let budget = DescriptorBudget(maximum: 1)
        return (0..<count).map { _ in .open(ReceivedDirectory(DirectoryNode(root: budget), .skipped(.excluded))) }
    }

    private static func queue(_ count: Int, threads: Int) -> ReceiveQueue {
        let queue = ReceiveQueue(threads: threads)
        let jobs = jobs(count)
        queue.accept(count, weight: jobs.reduce(0) { $0 + $1.weight })
        queue.offer(jobs)
        return queue
    }

    private static func done(_ jobs: [ReceiveJob]) -> DoneJobs {
        var done = DoneJobs()
        for job in jobs { done.add(weight: job.weight) }
        return done
    }

    @Test("a thread takes several quick jobs, and a fair share of slow ones", arguments: [(false, 16), (true, 10)])
    func share(areSlow: Bool, count: Int) {
        #expect(Self.queue(80, threads: 4).take(DoneJobs(), areSlow: areSlow, lap: nil).count == count)
    }

    @Test("of few jobs a slow thread takes one", arguments: 1...8)
    func few(count: Int) {
        #expect(Self.queue(count, threads: 4).take(DoneJobs(), areSlow: true, lap: nil).count == 1)
    }

    @Test("the end is there when every job was told of, and not before")
    func end() async {
        let queue = Self.queue(3, threads: 2)
        queue.endTree()
        let hasEnded = Latch()
        await withTaskGroup(of: Bool.self) { group in
            let pool = WorkerPool(threads: 1)
            group.addTask(executorPreference: pool) {
                defer { hasEnded.set() }
                return queue.waitForEnd()
            }
            let first = queue.take(DoneJobs(), areSlow: true, lap: nil)
            let rest = queue.take(Self.done(first), areSlow: false, lap: ThreadGauge.Lap())
            #expect(first.count == 1 && rest.count == 2)
            #expect(!hasEnded.isSet)
            queue.settle(Self.done(rest))
            for await ended in group { #expect(ended) }
            pool.shutDown()
        }
    }

    @Test("what is accepted beyond the bound waits for what is done")
    func bound() async {
        let queue = ReceiveQueue(threads: 2)
        let jobs = Self.jobs(8192)
        queue.accept(jobs.count, weight: 0)
        queue.offer(jobs)
        let hasRoom = Latch()
        await withTaskGroup(of: Void.self) { group in
            let pool = WorkerPool(threads: 1)
            group.addTask(executorPreference: pool) {
                queue.accept(1, weight: 0)
                hasRoom.set()
            }
            let taken = queue.take(DoneJobs(), areSlow: false, lap: nil)
            try? await Task.sleep(for: .milliseconds(50))
            #expect(!hasRoom.isSet)
            var done = DoneJobs()
            for _ in taken { done.add(weight: 0) }
            queue.settle(done)
            await group.waitForAll()
            pool.shutDown()
        }
        #expect(hasRoom.isSet)
    }

    @Test("a closed queue has no jobs, and wakes who waits for one")
    func close() async {
        let queue = ReceiveQueue(threads: 2)
        await withTaskGroup(of: Int.self) { group in
            let pool = WorkerPool(threads: 1)
            group.addTask(executorPreference: pool) { queue.take(DoneJobs(), areSlow: false, lap: nil).count }
            queue.close()
            for await count in group { #expect(count == 0) }
            pool.shutDown()
        }
        #expect(queue.isClosed)
        #expect(!queue.waitForEnd())
    }

    @Test(
        "as many threads have jobs as keep the processors busy, by how long they are blocked",
        arguments: [(0, 2), (10, 2), (50, 4), (60, 5), (99, 8), (100, 8)] as [(Int64, Int)]
    )
    func limit(blockedPercent: Int64, active: Int) async {
        let queue = ReceiveQueue(threads: 8, processors: 2)
        queue.accept(200, weight: 0)
        queue.offer(Self.jobs(200))
        _ = queue.take(DoneJobs(), areSlow: true, lap: nil)
        // That thread tells how it went, and takes more.
        let lap = ThreadGauge.Lap(wall: 100_000_000, blocked: blockedPercent * 1_000_000)
        #expect(!queue.take(DoneJobs(), areSlow: true, lap: lap).isEmpty)
        let pool = WorkerPool(threads: 7)
        let fed = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<7 {
                group.addTask(executorPreference: pool) {
                    !queue.take(DoneJobs(), areSlow: true, lap: nil).isEmpty
                }
            }
            for _ in 0..<(active - 1) { _ = await group.next() }
            try? await Task.sleep(for: .milliseconds(50))
            // Those that must wait are let go with nothing.
            queue.close()
            var fed = active - 1
            for await isFed in group where isFed { fed += 1 }
            return fed
        }
        pool.shutDown()
        #expect(fed == active - 1)
    }

    @Test("many or heavy jobs are told of at once")
    func enough() {
        var many = DoneJobs()
        for _ in 0..<31 { many.add(weight: 1) }
        #expect(!many.isEnough)
        many.add(weight: 1)
        #expect(many.isEnough)
        var heavy = DoneJobs()
        heavy.add(weight: 128 << 10)
        #expect(heavy.isEnough)
    }

    @Test("what has happened is not waited for, what has not only for a while")
    func latch() async {
        let latch = Latch()
        let pool = WorkerPool(threads: 1)
        let early = await withTaskExecutorPreference(pool) { latch.wait(upTo: 1_000_000) }
        #expect(!early)
        async let late = withTaskExecutorPreference(pool) { latch.wait(upTo: 600_000_000_000) }
        latch.set()
        #expect(await late)
        pool.shutDown()
        #expect(latch.wait(upTo: 0))
    }
}
