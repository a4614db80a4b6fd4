internal import CLinux
internal import Glibc

/// How much of its time a thread stands in calls that wait for something: a disk, a server, a lock. What it waits for a
/// processor is not among that, since more threads would only wait longer. One owner: the thread that made it.
package final class ThreadGauge {
    /// A part of a thread's time.
    package struct Lap: Equatable, Sendable {
        /// Nanoseconds by the clock.
        package var wall: Int64
        /// Those of them in which it neither ran nor waited for a processor.
        package var blocked: Int64

        package init(wall: Int64 = 0, blocked: Int64 = 0) {
            self.wall = wall
            self.blocked = blocked
        }
    }

    /// The thread's own `schedstat`; -1 where there is none. Then what it waits for a processor counts as blocked.
    private let file: Int32
    private var start = (wall: Int64(0), ready: Int64(0))

    package init() {
        file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
        begin()
    }

    deinit {
        if file >= 0 { _ = close(file) }
    }

    /// A part begins.
    package func begin() {
        start = (Host.monotonicNanoseconds(), ready())
    }

    /// The part that ends here; the next one begins.
    package func lap() -> Lap {
        let before = start
        begin()
        let wall = max(0, start.wall - before.wall)
        return Lap(wall: wall, blocked: min(wall, max(0, wall - (start.ready - before.ready))))
    }

    /// Nanoseconds that the thread ran, or could have.
    private func ready() -> Int64 {
        var text = (Int64(0), Int64(0), Int64(0), Int64(0), Int64(0), Int64(0), Int64(0), Int64(0))
        let delay = withUnsafeMutableBytes(of: &text) { bytes -> Int64 in
            let count = file < 0 ? 0 : pread(file, bytes.baseAddress, bytes.count, 0)
            // Running, waiting, turns: the second is not in any clock.
            let words = bytes.prefix(max(0, count)).split(separator: UInt8(ascii: " "))
            return words.count < 2 ? 0 : words[1].reduce(0) { $0 &* 10 &+ Int64($1 &- UInt8(ascii: "0")) }
        }
        return Host.threadNanoseconds() + delay
    }
}
