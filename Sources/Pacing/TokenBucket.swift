/// A rate limit as a pure machine: tokens flow in at a constant rate up to a burst; taking more than there are leaves a
/// debt, and the answer is how long to wait until it is paid. Time is passed in.
package struct TokenBucket: Sendable {
    /// Tokens a second.
    package let rate: Double
    /// The most tokens that gather while nobody takes any.
    package let burst: Double
    private var tokens: Double
    private var updatedNanoseconds: Int64

    /// - Parameters:
    ///   - rate: tokens (bytes, requests) a second, more than 0.
    ///   - burst: by default a tenth of a second's worth.
    ///   - now: monotonic nanoseconds.
    package init(rate: Double, burst: Double? = nil, now: Int64) {
        precondition(rate > 0)
        self.rate = rate
        self.burst = burst ?? rate / 10
        tokens = self.burst
        updatedNanoseconds = now
    }

    /// Takes tokens and returns the nanoseconds to wait before using them; 0 where enough had gathered.
    package mutating func take(_ count: Double, now: Int64) -> Int64 {
        let passed = Double(max(0, now - updatedNanoseconds)) / 1e9
        tokens = min(burst, tokens + passed * rate)
        updatedNanoseconds = max(now, updatedNanoseconds)
        tokens -= count
        return tokens >= 0 ? 0 : Int64(-tokens / rate * 1e9)
    }
}
