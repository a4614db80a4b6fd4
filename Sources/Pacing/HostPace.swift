/// What is known of one host, and what it may be asked: a pure machine. Times are monotonic nanoseconds.
struct HostPace: Sendable {
    /// Whether the host is believed to live.
    enum Breaker: UInt8, Sendable {
        /// It is.
        case closed
        /// It is left alone until `closedUntil`; then one item tries.
        case open
        /// That item is under way.
        case probing
        /// It was tried often enough: its items stay for a later run.
        case parked
    }

    private(set) var inFlight: Int32 = 0
    private(set) var breaker = Breaker.closed
    private(set) var hasAnswered = false
    private(set) var wasAsked = false
    /// It said that too much was asked.
    private(set) var wasThrottled = false
    private var growsFast = true
    private var failures: UInt16 = 0
    private var throttles: UInt16 = 0
    /// How often in a row the breaker opened.
    private var openings: UInt16 = 0
    /// Items that may be under way; a fraction is what has grown towards the next.
    private var window: Float
    /// What part of the configured rate is used.
    private var ratePart: Float = 1
    private var latencySeconds: Float = 0
    private var nextStart = Int64.min
    /// No start before: a pause the host asked for, or an open breaker.
    private(set) var closedUntil = Int64.min
    /// It asked for a longer pause than a run waits.
    private var pausesTooLong = false

    init(_ options: PaceOptions) {
        window = Float(min(options.firstPerHost, options.perHost))
    }

    // MARK: What it may be asked

    /// Items that may be under way now.
    func limit(_ options: PaceOptions) -> Int32 {
        switch breaker {
        case .closed: hasAnswered ? Int32(window) : Int32(min(options.firstPerHost, options.perHost))
        case .open, .probing: 1
        case .parked: 0
        }
    }

    /// The earliest time of the next start.
    var readyTime: Int64 { max(nextStart, closedUntil) }

    /// Whether the end of a run waits for it: not where a probe has failed, nor where it wants a longer pause.
    var isHopeless: Bool {
        breaker == .parked || (breaker == .open && openings > 1) || (pausesTooLong && breaker == .closed)
    }

    /// How long an item takes there, lately and on average; 0 where none came.
    var latency: Double { Double(latencySeconds) }

    /// Whether it asked to be left alone until later.
    func isPaused(now: Int64) -> Bool { breaker == .closed && closedUntil > now }

    /// Nanoseconds between two starts.
    private func interval(_ options: PaceOptions) -> Double { 1e9 / (options.rate * Double(ratePart)) }

    /// The nanoseconds the host needs for so many items, at its limits.
    func remaining(_ items: UInt32, _ options: PaceOptions) -> Int64 {
        let latency = hasAnswered && latencySeconds > 0 ? Double(latencySeconds) : Self.assumedLatencySeconds
        let abreast = max(Double(window), Double(options.perHost))
        return Int64(min(Double(items) * max(latency * 1e9 / abreast, interval(options)), 1e18))
    }

    /// Of a host that has not answered yet.
    private static let assumedLatencySeconds = 0.5

    // MARK: What happens

    /// It is known for being out of reach: one item tries before the others.
    mutating func suspect() {
        guard !hasAnswered, breaker == .closed, inFlight == 0 else { return }
        breaker = .open
        openings = 1
    }

    mutating func started(now: Int64, _ options: PaceOptions) {
        inFlight += 1
        wasAsked = true
        nextStart = max(now, nextStart) + Int64(interval(options).rounded(.up))
        if breaker == .open { breaker = .probing }
        pausesTooLong = false
    }

    /// It was asked so many times more than items were started: each counts for the rate.
    mutating func asked(_ requests: Int, now: Int64, _ options: PaceOptions) {
        nextStart = max(now, nextStart) + Int64((interval(options) * Double(requests)).rounded(.up))
    }

    mutating func ended(
        _ ending: PaceEnding,
        now: Int64,
        _ options: PaceOptions,
        _ random: inout JitterGenerator
    ) {
        inFlight -= 1
        switch ending {
        case .answered(let nanoseconds):
            let seconds = Float(nanoseconds) / 1e9
            latencySeconds = latencySeconds == 0 ? seconds : latencySeconds * 0.8 + seconds * 0.2
            lives()
            throttles = 0
            grow(options)
        case .refused:
            lives()
        case .throttled(let pause):
            lives()
            slowDown(pause, now: now, options, &random)
        case .unreachable:
            fail(now: now, options, &random)
        case .abandoned:
            if breaker == .probing { breaker = .open }
        }
    }

    private mutating func lives() {
        if breaker != .closed {
            // It comes back carefully.
            window = 1
            growsFast = true
            openings = 0
            closedUntil = .min
        }
        breaker = .closed
        hasAnswered = true
        failures = 0
    }

    private mutating func grow(_ options: PaceOptions) {
        let usual = Float(options.perHost)
        let most = Float(max(options.perHost, options.perHostMaximum))
        if growsFast, window < usual {
            window = min(usual, window + 1)
        } else {
            window = min(most, window + 1 / window)
        }
        ratePart = min(max(1, window / usual), ratePart + 0.02)
    }

    private mutating func slowDown(
        _ pause: Duration?,
        now: Int64,
        _ options: PaceOptions,
        _ random: inout JitterGenerator
    ) {
        wasThrottled = true
        // What was under way when the pause began says the same once more: it counts once.
        if now >= closedUntil {
            growsFast = false
            window = max(1, window / 2)
            ratePart = max(1.0 / 32, ratePart / 2)
            throttles = min(throttles + 1, 1000)
        }
        let wait: Double
        if let pause {
            wait = min(max(pause.nanoseconds, 0), 1e17) * Double.random(in: 1...1.05, using: &random)
            if pause > options.longestPause { pausesTooLong = true }
        } else {
            wait = options.throttleBackoff.delay(attempt: Int(throttles), using: &random).nanoseconds
        }
        closedUntil = max(closedUntil, now + Int64(wait))
    }

    private mutating func fail(now: Int64, _ options: PaceOptions, _ random: inout JitterGenerator) {
        failures = min(failures + 1, 1000)
        let threshold = hasAnswered ? options.breakerThreshold : 1
        switch breaker {
        case .closed where Int(failures) < threshold:
            window = max(1, window / 2)
        case .closed, .probing:
            // The first opening is not a failed probe.
            let probes = hasAnswered ? options.probes : options.probesUnanswered
            openings += 1
            breaker = Int(openings) > probes ? .parked : .open
            closedUntil = now + Int64(options.breakerBackoff.delay(attempt: Int(openings), using: &random).nanoseconds)
        case .open, .parked:
            // It was under way when the breaker opened.
            break
        }
    }
}
