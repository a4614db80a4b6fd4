internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// Holds the bytes of all workers together under one rate.
final class BandwidthLimiter: Sendable {
    private let bucket: Mutex<TokenBucket>
    /// No single sleep is longer, so that a stop is heard in time.
    private static let napNanoseconds: Int64 = 100_000_000

    init(bytesPerSecond: Int64) {
        bucket = Mutex(TokenBucket(rate: Double(bytesPerSecond), now: Host.monotonicNanoseconds()))
    }

    /// Blocks the calling worker until it may move this many bytes, or the run stops.
    func spend(_ bytes: Int, control: RunControl) {
        var wait = bucket.withLock { $0.take(Double(bytes), now: Host.monotonicNanoseconds()) }
        while wait > 0, !control.shouldStop {
            let nap = min(wait, Self.napNanoseconds)
            Host.sleep(nanoseconds: nap)
            wait -= nap
        }
    }
}
