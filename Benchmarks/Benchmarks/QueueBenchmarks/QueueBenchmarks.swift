import Benchmark
import Pacing

/// What handing work from one thread to another costs. The walk hands over directories in batches because of it, and the
/// publisher's queue carries one element for each file.
let benchmarks: @Sendable () -> Void = {
    let configuration = Benchmark.Configuration(
        metrics: [.wallClock, .throughput],
        warmupIterations: 2,
        scalingFactor: .kilo,
        maxDuration: .seconds(3),
        maxIterations: 2_000
    )

    // One thread, no waiting: the lock and the queue alone.
    Benchmark("offer and take, one thread", configuration: configuration) { benchmark in
        let queue = BoundedQueue<Int>(capacity: 1024)
        benchmark.startMeasurement()
        for number in benchmark.scaledIterations {
            _ = queue.offer(number)
            blackHole(queue.take())
        }
        benchmark.stopMeasurement()
    }

    // From one thread to others, as files go to the publisher.
    for (capacity, takers) in [(1, 1), (64, 1), (1024, 1), (1024, 4)] {
        let name = "hand over, capacity \(capacity), takers \(takers)"
        Benchmark(name, configuration: configuration) { benchmark in
            let count = benchmark.scaledIterations.count
            let pool = WorkerPool(threads: takers + 1)
            let queue = BoundedQueue<Int>(capacity: capacity)
            benchmark.startMeasurement()
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<takers {
                    group.addTask(executorPreference: pool) {
                        var taken = 0
                        while queue.take() != nil { taken += 1 }
                        return taken
                    }
                }
                group.addTask(executorPreference: pool) {
                    for number in 0..<count { _ = queue.offer(number) }
                    queue.close()
                    return 0
                }
                let taken = await group.reduce(0, +)
                precondition(taken == count, "elements were lost")
            }
            benchmark.stopMeasurement()
            pool.shutDown()
        }
    }

    // A task on a thread of ours, from start to end: why a task is not made for each entry.
    Benchmark("a task on the worker pool", configuration: configuration) { benchmark in
        let pool = WorkerPool(threads: 2)
        benchmark.startMeasurement()
        await withTaskGroup(of: Void.self) { group in
            for _ in benchmark.scaledIterations {
                group.addTask(executorPreference: pool) { blackHole(pool.started) }
            }
        }
        benchmark.stopMeasurement()
        pool.shutDown()
    }
}
