internal import Synchronization

/// Counts how many requests an origin answers at a time. A request counts for a moment within the time in which its client must take it
/// for one under way, so that no answer which arrives before it is noted makes two of one.
package final class OriginCrowd: Sendable {
    private struct Count {
        var now = 0
        var most = 0
    }

    private let counts = Mutex<[String: Count]>([:])
    private let milliseconds: Int

    package init(milliseconds: Int = 20) {
        self.milliseconds = milliseconds
    }

    /// The answer, a moment later.
    package func during(_ host: String = "", _ answer: OriginAnswer) -> OriginAnswer {
        counts.withLock { counts in
            var count = counts[host] ?? Count()
            count.now += 1
            count.most = max(count.most, count.now)
            counts[host] = count
        }
        RunningProgram.pause(milliseconds: milliseconds)
        counts.withLock { $0[host]?.now -= 1 }
        return answer
    }

    /// The most at a time so far.
    package func most(_ host: String = "") -> Int { counts.withLock { $0[host]?.most ?? 0 } }
}
