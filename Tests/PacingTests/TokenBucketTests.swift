import Pacing
import Testing

@Suite struct TokenBucketTests {
    /// Seconds and nanoseconds from the start, how many are taken, and the seconds to wait that are expected.
    struct Step: Sendable {
        let at: Double
        let take: Double
        let wait: Double
    }

    private func nanoseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1e9).rounded()) }

    @Test(
        "takes are paid by the rate; what gathers is bounded by the burst",
        arguments: [
            [Step(at: 0, take: 100, wait: 0), Step(at: 0, take: 100, wait: 0.1), Step(at: 0, take: 1000, wait: 1.1)],
            [Step(at: 0, take: 1100, wait: 1), Step(at: 1, take: 0, wait: 0), Step(at: 1, take: 10, wait: 0.01)],
            [Step(at: 100, take: 100, wait: 0), Step(at: 100, take: 1, wait: 0.001)],
            // A clock that stands still or goes back gives nothing away.
            [Step(at: 5, take: 100, wait: 0), Step(at: 4, take: 50, wait: 0.05), Step(at: 5, take: 0, wait: 0.05)],
        ]
    )
    func steps(steps: [Step]) {
        var bucket = TokenBucket(rate: 1000, now: 0)
        for step in steps {
            let wait = bucket.take(step.take, now: nanoseconds(step.at))
            #expect(abs(wait - nanoseconds(step.wait)) <= 1, "\(step): \(wait)")
        }
    }

    @Test("a long run of takes holds the rate exactly")
    func longRun() {
        var bucket = TokenBucket(rate: 1_048_576, burst: 1, now: 0)
        var now: Int64 = 0
        for _ in 0..<1000 { now += bucket.take(65_536, now: now) }
        let seconds = Double(now) / 1e9
        #expect(abs(seconds - 62.5) < 0.1)
    }
}
