import Pacing
import Storage
import Testing

/// What a thread's time goes to.
@Suite struct ThreadGaugeTests {
    @Test("what a thread waits in a call is blocked, what it works is not")
    func laps() async {
        let pool = WorkerPool(threads: 1)
        await withTaskExecutorPreference(pool) {
            let gauge = ThreadGauge()
            Host.sleep(nanoseconds: 100_000_000)
            let asleep = gauge.lap()
            #expect(asleep.wall >= 100_000_000)
            // A busy machine may take its time to wake it: that is no part of what it was blocked.
            #expect(asleep.blocked >= 90_000_000)
            let end = Host.threadNanoseconds() + 100_000_000
            while Host.threadNanoseconds() < end {}
            let awake = gauge.lap()
            #expect(awake.wall >= 100_000_000)
            #expect(awake.blocked < awake.wall / 4, "\(awake)")
        }
        pool.shutDown()
    }

    @Test("a part begins where it is said to")
    func begin() async {
        let pool = WorkerPool(threads: 1)
        await withTaskExecutorPreference(pool) {
            let gauge = ThreadGauge()
            Host.sleep(nanoseconds: 50_000_000)
            gauge.begin()
            #expect(gauge.lap().wall < 40_000_000)
        }
        pool.shutDown()
    }
}
