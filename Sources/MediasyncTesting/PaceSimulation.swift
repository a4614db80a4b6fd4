package import Pacing

/// A world of hosts on a clock of its own: how a schedule does there, and whether it stays polite. The same seed gives the
/// same world and the same run.
package struct PaceSimulation {
    /// What the world is like.
    package struct World: Sendable {
        package var seed: UInt64 = 1
        package var hosts = 2000
        package var items = 20_000
        /// How unequal the hosts are: the one of rank r has 1 / r to this power of the largest one's items.
        package var zipf = 1.0
        package var deadPercent = 10
        package var tarpitPercent = 2
        /// Hosts that answer 429 beyond so many requests in so many seconds.
        package var throttledPercent = 5
        package var throttleRequests = 300
        package var throttleSeconds = 300.0
        /// Items of live hosts that answer 404.
        package var gonePercent = 3
        package var connectSeconds = 10.0
        package var tarpitSeconds = 30.0
        package var tries = 3
        package init() {}
    }

    /// What came of it.
    package struct Result: Sendable {
        package var makespanSeconds = 0.0
        /// No schedule could be faster: all work over all slots, the tries at dead hosts included (nobody knows beforehand that
        /// they are), or what the largest host needs at its limits.
        package var boundSeconds = 0.0
        /// The time that items were under way, together.
        package var workSeconds = 0.0
        package var done = 0
        package var gone = 0
        package var failed = 0
        package var parked = 0
        package var starts = 0
        package var throttled = 0
        package var deadHostStarts = 0
        package var deadHosts = 0
        package var mostInFlight = 0
        package var mostAtOneHost = 0
        /// Rules that were broken, by host.
        package var violations: [String] = []
        package var ended: Int { done + gone + failed + parked }
    }

    private enum Kind {
        case live
        case dead
        case tarpit
    }

    private struct Host {
        var kind = Kind.live
        var latency = 0.3
        var throttles = false
        var items = 0
        // What an observer at the host sees.
        var inFlight = 0
        /// The last starts, as many as a second may have.
        var starts: [Double] = []
        var quietUntil = -Double.infinity
        var periodStart = 0.0
        var inPeriod = 0
        var hasAnswered = false
    }

    private struct Running {
        let item: UInt32
        let host: HostID
        let ending: PaceEnding
        let gone: Bool
    }

    private let world: World
    private let options: PaceOptions
    private var schedule: HostSchedule<UInt32>
    private var random: SeededGenerator
    private var hosts: [Host]
    private var events = EventQueue<Running>()
    private var tries: [UInt8]
    private var endings: [UInt8]
    private var now = 0.0
    private var result = Result()

    package init(_ world: World, _ options: PaceOptions) {
        self.world = world
        self.options = options
        schedule = HostSchedule(options)
        random = SeededGenerator(seed: world.seed)
        hosts = Array(repeating: Host(), count: world.hosts)
        tries = Array(repeating: 0, count: world.items)
        endings = Array(repeating: 0, count: world.items)
        populate()
    }

    // MARK: The world

    private mutating func populate() {
        var sum = 0.0
        var cumulated: [Double] = []
        for rank in 1...world.hosts {
            sum += 1 / power(Double(rank), world.zipf)
            cumulated.append(sum)
        }
        for index in hosts.indices {
            // The first ones are large: a world whose largest host is dead tells nothing.
            let fate = index < 3 ? 100 : Int.random(in: 0..<100, using: &random)
            if fate < world.deadPercent {
                hosts[index].kind = .dead
                result.deadHosts += 1
            } else if fate < world.deadPercent + world.tarpitPercent {
                hosts[index].kind = .tarpit
                result.deadHosts += 1
            } else if fate < world.deadPercent + world.tarpitPercent + world.throttledPercent {
                hosts[index].throttles = true
            }
            hosts[index].latency = Double.random(in: 0.05...0.7, using: &random)
        }
        for item in 0..<world.items {
            let point = Double.random(in: 0..<sum, using: &random)
            var low = 0
            var high = hosts.count - 1
            while low < high {
                let middle = (low + high) / 2
                if cumulated[middle] <= point { low = middle + 1 } else { high = middle }
            }
            hosts[low].items += 1
            schedule.add(UInt32(item), host: HostID(index: UInt32(low)))
        }
    }

    /// What the largest host needs at its limits.
    private func largestHost() -> Double {
        var largest = 0.0
        let abreast = Double(options.perHostMaximum)
        let rate = options.rate * max(1, abreast / Double(options.perHost))
        for host in hosts where host.items > 0 && host.kind == .live {
            let items = Double(host.items)
            largest = max(largest, items * host.latency / abreast, (items - 1) / rate + host.latency)
            if host.throttles {
                largest = max(largest, Double((host.items - 1) / world.throttleRequests) * world.throttleSeconds)
            }
        }
        return largest
    }

    private func power(_ base: Double, _ exponent: Double) -> Double {
        // Exact enough for shares: by halving the exponent.
        var result = 1.0
        var rest = exponent
        var root = base
        while rest >= 1 {
            result *= base
            rest -= 1
        }
        for _ in 0..<20 {
            root = root.squareRoot()
            rest *= 2
            if rest >= 1 {
                result *= root
                rest -= 1
            }
        }
        return result
    }

    // MARK: The run

    package mutating func run() -> Result {
        loop: while true {
            switch schedule.next(now: nanoseconds(now)) {
            case .start(let item, let host): start(item, host)
            case .wait(let until):
                let time = Double(until) / 1e9
                if let event = events.firstTime, event <= time { endNext() } else { now = max(now, time) }
            case .busy:
                guard events.firstTime != nil else {
                    result.violations.append("busy with nothing under way")
                    break loop
                }
                endNext()
            case .finished: break loop
            }
        }
        result.makespanSeconds = now
        result.boundSeconds = max(result.workSeconds / Double(options.inFlight), largestHost())
        for (item, _) in schedule.drainParked() { end(item) { $0.parked += 1 } }
        let figures = schedule.figures()
        if figures.waiting + figures.delayed + figures.inFlight > 0 {
            result.violations.append("left over: \(figures)")
        }
        let never = endings.count { $0 == 0 }
        if never > 0 { result.violations.append("\(never) items never ended") }
        return result
    }

    private func nanoseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1e9).rounded()) }

    private mutating func complain(_ text: String) {
        if result.violations.count < 20 { result.violations.append("at \(now): \(text)") }
    }

    private mutating func start(_ item: UInt32, _ id: HostID) {
        let index = Int(id.index)
        result.starts += 1
        hosts[index].inFlight += 1
        let host = hosts[index]
        let most = host.hasAnswered ? options.perHostMaximum : options.firstPerHost
        if host.inFlight > most { complain("\(host.inFlight) under way at host \(index)") }
        let rate = options.rate * max(1, Double(options.perHostMaximum) / Double(options.perHost))
        if host.starts.count == Int(rate) {
            let span = now - host.starts[0]
            if span < 1 - 1e-6 { complain("more than \(Int(rate)) starts within \(span) s at host \(index)") }
            hosts[index].starts.removeFirst()
        }
        // What came late may be made up for, but not in a burst.
        if let last = host.starts.last, now - last < 0.5 / rate - 1e-6 {
            complain("starts \(now - last) s apart at host \(index)")
        }
        if now < host.quietUntil - 1e-6 { complain("host \(index) asked for quiet until \(host.quietUntil)") }
        hosts[index].starts.append(now)
        result.mostAtOneHost = max(result.mostAtOneHost, host.inFlight)
        var duration = host.latency * Double.random(in: 0.8...1.2, using: &random)
        var ending = PaceEnding.answered(nanoseconds: nanoseconds(duration))
        var gone = false
        switch host.kind {
        case .dead:
            duration = world.connectSeconds
            ending = .unreachable
            result.deadHostStarts += 1
        case .tarpit:
            duration = world.tarpitSeconds
            ending = .unreachable
            result.deadHostStarts += 1
        case .live:
            if let pause = throttle(index) {
                ending = .throttled(retryAfter: .nanoseconds(nanoseconds(pause)))
                result.throttled += 1
            } else if random.chance(world.gonePercent) {
                gone = true
                ending = .refused
            }
        }
        if case .throttled = ending {} else { result.workSeconds += duration }
        events.add(now + duration, Running(item: item, host: id, ending: ending, gone: gone))
        result.mostInFlight = max(result.mostInFlight, events.count)
        if events.count > options.inFlight { complain("\(events.count) under way") }
    }

    /// How long a host that counts requests wants to be left alone; nil while it is content.
    private mutating func throttle(_ index: Int) -> Double? {
        guard hosts[index].throttles else { return nil }
        if now >= hosts[index].periodStart + world.throttleSeconds {
            hosts[index].periodStart = now
            hosts[index].inPeriod = 0
        }
        hosts[index].inPeriod += 1
        if hosts[index].inPeriod <= world.throttleRequests { return nil }
        return hosts[index].periodStart + world.throttleSeconds - now
    }

    private mutating func endNext() {
        guard let (time, running) = events.removeFirst() else { return }
        now = max(now, time)
        let index = Int(running.host.index)
        hosts[index].inFlight -= 1
        schedule.ended(running.host, running.ending, now: nanoseconds(now))
        let item = running.item
        switch running.ending {
        case .answered:
            hosts[index].hasAnswered = true
            end(item) { $0.done += 1 }
        case .refused:
            hosts[index].hasAnswered = true
            end(item) { $0.gone += 1 }
        case .throttled(let pause):
            hosts[index].hasAnswered = true
            if let pause { hosts[index].quietUntil = max(hosts[index].quietUntil, now + pause / .seconds(1)) }
            schedule.giveBack(item, host: running.host, notBefore: nanoseconds(now))
        case .unreachable, .abandoned:
            tries[Int(item)] += 1
            if Int(tries[Int(item)]) < world.tries {
                schedule.giveBack(item, host: running.host, notBefore: nanoseconds(now + 1))
            } else {
                end(item) { $0.failed += 1 }
            }
        }
    }

    private mutating func end(_ item: UInt32, _ count: (inout Result) -> Void) {
        if endings[Int(item)] != 0 { complain("item \(item) ended twice") }
        endings[Int(item)] = 1
        count(&result)
    }
}

/// What happens when, earliest first.
private struct EventQueue<Value> {
    private var entries: [(time: Double, value: Value)] = []

    var count: Int { entries.count }
    var firstTime: Double? { entries.first?.time }

    mutating func add(_ time: Double, _ value: Value) {
        entries.append((time, value))
        var place = entries.count - 1
        while place > 0, entries[(place - 1) / 2].time > entries[place].time {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeFirst() -> (time: Double, value: Value)? {
        guard let first = entries.first else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var place = 0
        while place * 2 + 1 < entries.count {
            var child = place * 2 + 1
            if child + 1 < entries.count, entries[child + 1].time < entries[child].time { child += 1 }
            if entries[child].time >= entries[place].time { break }
            entries.swapAt(child, place)
            place = child
        }
        return first
    }
}
