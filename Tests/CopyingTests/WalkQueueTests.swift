import Pacing
import Synchronization
import Testing

@testable import Copying

/// A number that many threads change.
private final class Number: Sendable {
    private let value = Atomic<Int>(0)
    var current: Int { value.load(ordering: .relaxed) }
    func add(_ amount: Int) -> Int { value.add(amount, ordering: .relaxed).newValue }
}

@Suite struct WalkQueueTests {
    private func job() -> WalkJob { Self.makeJob() }

    private static func makeJob() -> WalkJob { .directory(DirectoryNode(root: DescriptorBudget(maximum: 8))) }

    @Test("a walk is over when the last running worker comes back with nothing left")
    func ends() {
        let queue = WalkQueue(first: job(), workers: 1, limit: 1)
        #expect(queue.take(worker: 0, wasRunning: false).count == 1)
        queue.give([job(), job(), job()])
        var taken = 0
        while true {
            let jobs = queue.take(worker: 0, wasRunning: true)
            if jobs.isEmpty { break }
            taken += jobs.count
        }
        #expect(taken == 3)
    }

    @Test("every job is done once by many workers; late workers wait at the gate until it is widened")
    func manyWorkers() async {
        let workers = 8
        let queue = WalkQueue(first: job(), workers: workers, limit: 2)
        let done = Number()
        let given = Number()
        _ = given.add(1)
        let pool = WorkerPool(threads: workers)
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<workers {
                group.addTask(executorPreference: pool) {
                    var wasRunning = false
                    while true {
                        let jobs = queue.take(worker: index, wasRunning: wasRunning)
                        wasRunning = true
                        if jobs.isEmpty { return }
                        for _ in jobs {
                            let count = done.add(1)
                            if count == 50 || count == 100 { _ = queue.widen() }
                            if given.current < 3000 {
                                _ = given.add(2)
                                queue.give([Self.makeJob(), Self.makeJob()])
                            }
                        }
                    }
                }
            }
        }
        pool.shutDown()
        #expect(done.current == given.current)
        // 2, 4, 8: all work.
        #expect(!queue.widen())
    }

    @Test("an abandoned walk gives nothing more")
    func abandoned() {
        let queue = WalkQueue(first: job(), workers: 2, limit: 2)
        queue.give([job()])
        queue.abandon()
        #expect(queue.take(worker: 0, wasRunning: false).isEmpty)
        #expect(queue.take(worker: 1, wasRunning: false).isEmpty)
    }
}
