import Glibc
import Pacing
import Synchronization
import Testing

/// A number that many threads change.
private final class Number: Sendable {
    private let value = Atomic<Int>(0)
    var current: Int { value.load(ordering: .relaxed) }
    func add(_ amount: Int) { value.add(amount, ordering: .relaxed) }
    func raise(to other: Int) { value.max(other, ordering: .relaxed) }
}

@Suite struct BoundedQueueTests {
    @Test("elements come out in order and close lets takers drain the rest")
    func order() {
        let queue = BoundedQueue<Int>(capacity: 4)
        for number in 1...3 { #expect(queue.offer(number)) }
        queue.close()
        #expect(!queue.offer(4))
        #expect([queue.take(), queue.take(), queue.take(), queue.take()] == [1, 2, 3, nil])
    }

    @Test("it never holds more than its capacity, and every element is taken once by one of many threads")
    func manyThreads() async {
        let queue = BoundedQueue<Int>(capacity: 3)
        let sum = Number()
        let longest = Number()
        let pool = WorkerPool(threads: 8)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask(executorPreference: pool) {
                    while let number = queue.take() { sum.add(number) }
                }
            }
            await withTaskGroup(of: Void.self) { offering in
                for part in 0..<4 {
                    offering.addTask(executorPreference: pool) {
                        for number in 1...500 {
                            #expect(queue.offer(part * 500 + number))
                            longest.raise(to: queue.count)
                        }
                    }
                }
            }
            queue.close()
        }
        pool.shutDown()
        #expect(sum.current == 2000 * 2001 / 2)
        #expect(longest.current <= 3)
    }

    @Test("who gathers takes what came by the end of its wait, and no more than it asked for")
    func gathering() {
        let queue = BoundedQueue<Int>(capacity: 8)
        for number in 1...5 { #expect(queue.offer(number)) }
        // A clock that stands where the wait is over.
        #expect(queue.take(upTo: 3, gathering: 0, now: { 0 }) == [1, 2, 3])
        #expect(queue.take(upTo: 3, gathering: 0, now: { 0 }) == [4, 5])
    }

    @Test("who gathers has what others offer meanwhile, and does not wait behind the close")
    func gatheringWithOthers() async {
        let queue = BoundedQueue<Int>(capacity: 2)
        let pool = WorkerPool(threads: 2)
        #expect(queue.offer(1))
        async let taken = Task(executorPreference: pool) {
            // An hour: only the count or the close ends it.
            [3, 3, 3].map { queue.take(upTo: $0, gathering: 3_600_000_000_000, now: Self.monotonic) }
        }.value
        await Task(executorPreference: pool) {
            for number in 2...5 { #expect(queue.offer(number)) }
            queue.close()
        }.value
        #expect(await taken == [[1, 2, 3], [4, 5], []])
        pool.shutDown()
    }

    private static func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    @Test("a pool runs every task, also more than it has threads, on threads of its own")
    func pool() async {
        let pool = WorkerPool(threads: 2)
        let done = Number()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask(executorPreference: pool) { done.add(1) }
            }
        }
        pool.shutDown()
        #expect(pool.started == 2)
        #expect(done.current == 100)
    }
}
