/// When a host was last asked, as often as its limit allows in about a second: who knows that may make up for a start that
/// came late, and stays within the limit over every second all the same. Times are monotonic nanoseconds.
struct StartLog: Sendable {
    /// Entries of the highest rates; of those a shorter time than a second is looked at.
    private static let countMax = 32

    /// A ring; the oldest one is at `next` once it is full.
    private var times: [Int64] = []
    private var next = 0
    private let count: Int

    /// - Parameter rate: starts a second.
    init(rate: Double) {
        count = Self.entries(rate: rate)
        times.reserveCapacity(count)
    }

    /// How many starts are looked at together.
    static func entries(rate: Double) -> Int { max(1, Int(min(rate, Double(countMax)))) }

    mutating func add(_ time: Int64) {
        if times.count < count {
            times.append(time)
        } else {
            times[next] = time
            next = (next + 1) % count
        }
    }

    /// The earliest start that still leaves as many within the time they are to take; nil while too few are known.
    /// - Parameters:
    ///   - interval: nanoseconds between two starts at the limit.
    ///   - margin: what part of that time is added, because requests are on their way for different times.
    func earliest(interval: Double, margin: Double) -> Int64? {
        guard times.count == count else { return nil }
        return times[next] + Int64((interval * Double(count) * (1 + margin)).rounded(.up))
    }
}
