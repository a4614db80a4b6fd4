/// How long to wait before the next try: twice as long each time, up to a cap, a quarter more or less by chance, so that
/// what failed together does not come back together.
package struct Backoff: Sendable {
    package let first: Duration
    package let cap: Duration

    package init(first: Duration, cap: Duration) {
        self.first = first
        self.cap = cap
    }

    /// - Parameter attempt: 1 after the first failure.
    package func delay(attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(max(attempt, 1) - 1, 40)
        let longest = min(first.nanoseconds * 2.0.power(doublings), cap.nanoseconds)
        return .nanoseconds(Int64(longest * Double.random(in: 0.75...1.25, using: &random)))
    }
}

extension Double {
    fileprivate func power(_ exponent: Int) -> Double { (0..<exponent).reduce(1) { result, _ in result * self } }
}

extension Duration {
    /// For arithmetic with rates; exact up to a hundred days.
    package var nanoseconds: Double {
        Double(components.seconds) * 1e9 + Double(components.attoseconds) / 1e9
    }
}

/// Chance for jitter, repeatable by its seed (SplitMix64).
package struct JitterGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
