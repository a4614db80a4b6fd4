import Pacing
import Testing

/// One host at a time, step by step.
@Suite struct HostScheduleTests {
    private static let second: Int64 = 1_000_000_000
    private let a = HostID(index: 0)
    private let b = HostID(index: 1)

    private func options(_ change: (inout PaceOptions) -> Void = { _ in }) -> PaceOptions {
        var options = PaceOptions()
        options.rate = 1000
        change(&options)
        return options
    }

    private func schedule(_ items: Int, _ options: PaceOptions) -> HostSchedule<Int> {
        var schedule = HostSchedule<Int>(options)
        for item in 0..<items { schedule.add(item, host: a) }
        return schedule
    }

    /// Starts what may start, moving the clock past the rate's little gaps; returns the items.
    private func startAll(_ schedule: inout HostSchedule<Int>, now: inout Int64) -> [Int] {
        var started: [Int] = []
        while true {
            switch schedule.next(now: now) {
            case .start(let item, _): started.append(item)
            case .wait(let until) where until - now <= Self.second / 100: now = until
            default: return started
            }
        }
    }

    private func waitTime(_ decision: HostSchedule<Int>.Decision, now: Int64) -> Double? {
        if case .wait(let until) = decision { return Double(until - now) / 1e9 }
        return nil
    }

    private func isBusy(_ decision: HostSchedule<Int>.Decision) -> Bool {
        if case .busy = decision { true } else { false }
    }

    private func isFinished(_ decision: HostSchedule<Int>.Decision) -> Bool {
        if case .finished = decision { true } else { false }
    }

    @Test("a new host gets two items at a time, and one more for each answer, up to six")
    func slowStart() {
        var schedule = schedule(100, options())
        var now: Int64 = 0
        var counts = [startAll(&schedule, now: &now).count]
        var inFlight = counts[0]
        for _ in 0..<6 {
            schedule.ended(a, .answered(nanoseconds: Self.second / 10), now: now)
            inFlight -= 1
            inFlight += startAll(&schedule, now: &now).count
            counts.append(inFlight)
        }
        #expect(counts == [2, 3, 4, 5, 6, 6, 6])
    }

    @Test("a host that answers well gets more than six only where that is configured, and a higher rate with it")
    func growth() {
        var schedule = schedule(2000, options { $0.perHostMaximum = 12 })
        var now: Int64 = 0
        var inFlight = startAll(&schedule, now: &now).count
        var most = inFlight
        for _ in 0..<500 {
            schedule.ended(a, .answered(nanoseconds: Self.second / 10), now: now)
            inFlight += startAll(&schedule, now: &now).count - 1
            most = max(most, inFlight)
        }
        #expect(most == 12)
    }

    @Test("starts at one host are a twentieth of a second apart")
    func rate() {
        var schedule = schedule(3, options { $0.rate = 20 })
        guard case .start = schedule.next(now: 0) else { Issue.record("nothing started"); return }
        #expect(waitTime(schedule.next(now: 0), now: 0) == 0.05)
        #expect(waitTime(schedule.next(now: 49_999_999), now: 49_999_999) != nil)
        guard case .start = schedule.next(now: 50_000_000) else { Issue.record("nothing started"); return }
    }

    @Test("every request counts for the rate, also where one item took several")
    func severalRequests() {
        var schedule = schedule(3, options { ($0.rate, $0.perHost, $0.firstPerHost) = (10, 1, 1) })
        var now: Int64 = 0
        _ = startAll(&schedule, now: &now)
        schedule.ended(a, .answered(nanoseconds: 1), requests: 3, now: now)
        // A little less: an answer makes the rate grow.
        let three = waitTime(schedule.next(now: now), now: now) ?? 0
        #expect((0.29...0.3).contains(three))
        now += Self.second
        _ = startAll(&schedule, now: &now)
        schedule.ended(a, .answered(nanoseconds: 1), now: now)
        let one = waitTime(schedule.next(now: now), now: now) ?? 0
        #expect((0.09...0.1).contains(one))
    }

    @Test("hosts are counted by what they said, and told by how slow they are")
    func hosts() {
        var schedule = HostSchedule<Int>(options { ($0.perHost, $0.firstPerHost) = (1, 1) })
        let (c, d) = (HostID(index: 2), HostID(index: 3))
        for (item, host) in [a, b, c].enumerated() {
            schedule.add(item, host: host)
            schedule.add(item, host: host)
        }
        // Known for being out of reach, and never asked.
        schedule.suspect(d)
        var now: Int64 = 0
        #expect(startAll(&schedule, now: &now).count == 3)
        schedule.ended(a, .answered(nanoseconds: Self.second), now: now)
        schedule.ended(b, .throttled(retryAfter: .seconds(60)), now: now)
        schedule.ended(c, .unreachable, now: now)
        let figures = schedule.figures(now: now)
        #expect([figures.asked, figures.throttled, figures.silent, figures.paused] == [3, 1, 1, 1])
        #expect(schedule.figures(now: now + 100 * Self.second).paused == 0)
        now += Self.second
        _ = startAll(&schedule, now: &now)
        schedule.ended(a, .answered(nanoseconds: 2 * Self.second), now: now)
        let slowest = schedule.slowest(5)
        #expect(slowest.map(\.host) == [a])
        #expect(abs((slowest.first?.seconds ?? 0) - 1.2) < 0.01)
        #expect(schedule.slowest(0).isEmpty)
    }

    @Test("the bound over all hosts is kept")
    func globalBound() {
        var schedule = HostSchedule<Int>(options { $0.inFlight = 3 })
        for host in 0..<10 { schedule.add(host, host: HostID(index: UInt32(host))) }
        var now: Int64 = 0
        #expect(startAll(&schedule, now: &now).count == 3)
        #expect(isBusy(schedule.next(now: now)))
    }

    @Test("hosts that have not answered hold a quarter of the slots while others could use them")
    func unansweredShare() {
        var schedule = HostSchedule<Int>(options { $0.inFlight = 16 })
        var now: Int64 = 0
        // One host that answers, with a lot to do.
        for item in 0..<100 { schedule.add(item, host: a) }
        _ = startAll(&schedule, now: &now)
        for _ in 0..<2 { schedule.ended(a, .answered(nanoseconds: Self.second), now: now) }
        for host in 1...50 { schedule.add(1000 + host, host: HostID(index: UInt32(host))) }
        var started = startAll(&schedule, now: &now)
        // The host takes what it may; of the rest a quarter is kept for it, because it has more to do.
        #expect(started.count { $0 < 1000 } == 4)
        #expect(started.count { $0 > 1000 } == 12)
        #expect(schedule.figures().inFlightUnanswered == 12)
        // Without others that could use the slots, all are for the new ones.
        schedule = HostSchedule<Int>(options { $0.inFlight = 16 })
        for host in 1...50 { schedule.add(1000 + host, host: HostID(index: UInt32(host))) }
        started = startAll(&schedule, now: &now)
        #expect(started.count == 16)
    }

    @Test("slots that several hosts could use are not given to more new hosts than a quarter")
    func strictShare() {
        var schedule = HostSchedule<Int>(options { $0.inFlight = 16 })
        var now: Int64 = 0
        for host in 0..<16 { schedule.add(host, host: HostID(index: UInt32(host))) }
        _ = startAll(&schedule, now: &now)
        for host in 0..<16 {
            schedule.ended(HostID(index: UInt32(host)), .answered(nanoseconds: Self.second), now: now)
            schedule.add(100 + host, host: HostID(index: UInt32(host)))
        }
        for host in 100..<200 { schedule.add(1000 + host, host: HostID(index: UInt32(host))) }
        now += Self.second
        let started = startAll(&schedule, now: &now)
        #expect(started.count { $0 >= 1000 } == 4)
        #expect(started.count { $0 < 1000 } == 12)
    }

    @Test("the host with the most to do comes first")
    func longestFirst() {
        var schedule = HostSchedule<Int>(options { $0.inFlight = 1 })
        schedule.add(1, host: a)
        for item in 10..<20 { schedule.add(item, host: b) }
        schedule.add(30, host: HostID(index: 2))
        guard case .start(10, b) = schedule.next(now: 0) else { Issue.record("not the longest"); return }
        #expect(schedule.longest(2).map(\.host) == [b, a])
    }

    // MARK: Throttling

    @Test("429 without a time halves what is under way, and backs off longer each time")
    func throttling() throws {
        var schedule = schedule(1000, options())
        var now: Int64 = 0
        _ = startAll(&schedule, now: &now)
        for _ in 0..<4 {
            schedule.ended(a, .answered(nanoseconds: Self.second / 10), now: now)
            _ = startAll(&schedule, now: &now)
        }
        // Six are under way and all are told off: that counts once.
        for _ in 0..<6 { schedule.ended(a, .throttled(retryAfter: nil), now: now) }
        let first = try #require(waitTime(schedule.next(now: now), now: now))
        #expect((1.5...2.5).contains(first))
        now += Int64(first * 1e9)
        #expect(startAll(&schedule, now: &now).count == 3)
        for _ in 0..<3 { schedule.ended(a, .throttled(retryAfter: nil), now: now) }
        let second = try #require(waitTime(schedule.next(now: now), now: now))
        #expect((3...5).contains(second))
        now += Int64(second * 1e9)
        #expect(startAll(&schedule, now: &now).count == 1)
    }

    @Test("Retry-After is kept, and other hosts go on meanwhile")
    func retryAfter() throws {
        var schedule = schedule(10, options())
        var now: Int64 = 0
        _ = startAll(&schedule, now: &now)
        for _ in 0..<2 { schedule.ended(a, .throttled(retryAfter: .seconds(120)), now: now) }
        schedule.giveBack(99, host: a, notBefore: now)
        schedule.add(500, host: b)
        guard case .start(500, b) = schedule.next(now: now) else { Issue.record("the other host waits"); return }
        schedule.ended(b, .answered(nanoseconds: 1), now: now)
        let wait = try #require(waitTime(schedule.next(now: now), now: now))
        #expect((120...126.1).contains(wait))
        // The end of the run waits for it.
        now += Int64(wait * 1e9)
        #expect(startAll(&schedule, now: &now).count == 1)
    }

    @Test("a host that wants a longer pause than a run waits is left for a later run")
    func longPause() {
        var schedule = schedule(10, options())
        var now: Int64 = 0
        _ = startAll(&schedule, now: &now)
        for _ in 0..<2 { schedule.ended(a, .throttled(retryAfter: .seconds(3600)), now: now) }
        #expect(isFinished(schedule.next(now: now)))
        #expect(schedule.drainParked().count == 8)
        #expect(schedule.figures().waiting == 0)
        // While other hosts keep the run alive for so long, it is asked again.
        schedule.add(7, host: a)
        guard case .start(7, a) = schedule.next(now: now + 4000 * Self.second) else { Issue.record("never"); return }
    }

    // MARK: Hosts that do not answer

    @Test("a host that never answered is left alone after its first failure, and parked after one more")
    func deadHost() throws {
        var schedule = schedule(10, options())
        var now: Int64 = 0
        #expect(startAll(&schedule, now: &now).count == 2)
        schedule.ended(a, .unreachable, now: now)
        schedule.ended(a, .unreachable, now: now)
        let wait = try #require(waitTime(schedule.next(now: now), now: now))
        #expect((7.5...12.5).contains(wait))
        now += Int64(wait * 1e9)
        #expect(startAll(&schedule, now: &now).count == 1)
        schedule.ended(a, .unreachable, now: now)
        #expect(isFinished(schedule.next(now: now)))
        #expect(isFinished(schedule.next(now: now + 100_000 * Self.second)))
        #expect(schedule.figures().breakersOpen == 1)
        #expect(schedule.drainParked().map(\.0) == Array(3..<10))
    }

    @Test("a host that answered before is left alone after three failures in a row, and comes back with one at a time")
    func breaker() throws {
        var schedule = schedule(100, options())
        var now: Int64 = 0
        _ = startAll(&schedule, now: &now)
        for _ in 0..<2 { schedule.ended(a, .answered(nanoseconds: Self.second), now: now) }
        #expect(startAll(&schedule, now: &now).count == 4)
        for _ in 0..<3 { schedule.ended(a, .unreachable, now: now) }
        #expect(schedule.figures().breakersOpen == 1)
        // The fourth was under way already; its failure is no probe's.
        schedule.ended(a, .unreachable, now: now)
        let wait = try #require(waitTime(schedule.next(now: now), now: now))
        #expect((7.5...12.5).contains(wait))
        now += Int64(wait * 1e9)
        #expect(startAll(&schedule, now: &now).count == 1)
        schedule.ended(a, .answered(nanoseconds: Self.second), now: now)
        #expect(schedule.figures().breakersOpen == 0)
        #expect(startAll(&schedule, now: &now).count == 2)
    }

    @Test("each failed probe makes the next pause longer; the end of a run waits for the first only")
    func failedProbes() throws {
        var schedule = schedule(100, options())
        var now: Int64 = 0
        _ = startAll(&schedule, now: &now)
        for _ in 0..<2 { schedule.ended(a, .answered(nanoseconds: Self.second), now: now) }
        _ = startAll(&schedule, now: &now)
        for _ in 0..<4 { schedule.ended(a, .unreachable, now: now) }
        now += Int64(try #require(waitTime(schedule.next(now: now), now: now)) * 1e9)
        _ = startAll(&schedule, now: &now)
        schedule.ended(a, .unreachable, now: now)
        #expect(isFinished(schedule.next(now: now)))
        // Something else to do: the host gets its next chance beside it.
        schedule.add(500, host: b)
        guard case .start(500, b) = schedule.next(now: now) else { Issue.record("nothing started"); return }
        let wait = try #require(waitTime(schedule.next(now: now), now: now))
        #expect((15...25).contains(wait))
        now += Int64(wait * 1e9)
        #expect(startAll(&schedule, now: &now).count == 1)
        schedule.ended(a, .refused, now: now)
        #expect(schedule.figures().breakersOpen == 0)
    }

    @Test("a success between failures keeps the breaker closed")
    func intermittent() {
        var schedule = schedule(100, options())
        var now: Int64 = 0
        _ = startAll(&schedule, now: &now)
        for _ in 0..<10 {
            schedule.ended(a, .answered(nanoseconds: Self.second), now: now)
            #expect(startAll(&schedule, now: &now).count > 0)
            schedule.ended(a, .unreachable, now: now)
            _ = startAll(&schedule, now: &now)
        }
        #expect(schedule.figures().breakersOpen == 0)
    }

    @Test("a host that was out of reach lately gets one item first")
    func suspected() {
        var schedule = schedule(10, options())
        schedule.suspect(a)
        var now: Int64 = 0
        #expect(startAll(&schedule, now: &now).count == 1)
        schedule.ended(a, .answered(nanoseconds: Self.second), now: now)
        #expect(startAll(&schedule, now: &now).count == 2)
        // And where it fails nothing waits for it.
        var other = self.schedule(10, options())
        other.suspect(a)
        now = 0
        #expect(startAll(&other, now: &now).count == 1)
        other.ended(a, .unreachable, now: now)
        #expect(isFinished(other.next(now: now)))
        #expect(other.drainParked().count == 9)
    }

    @Test("an item that was given back waits for its time")
    func givenBack() {
        var schedule = schedule(1, options())
        guard case .start(0, a) = schedule.next(now: 0) else { Issue.record("nothing started"); return }
        schedule.ended(a, .refused, now: 0)
        schedule.giveBack(0, host: a, notBefore: 5 * Self.second)
        #expect(waitTime(schedule.next(now: Self.second), now: Self.second) == 4)
        #expect(schedule.figures().delayed == 1)
        guard case .start(0, a) = schedule.next(now: 5 * Self.second) else { Issue.record("nothing started"); return }
        schedule.ended(a, .refused, now: 5 * Self.second)
        #expect(isFinished(schedule.next(now: 5 * Self.second)))
    }

    @Test("what ends from here says nothing of the host; a probe that was ended so is made once more")
    func abandoned() {
        var schedule = schedule(10, options())
        schedule.suspect(a)
        var now: Int64 = 0
        #expect(startAll(&schedule, now: &now).count == 1)
        schedule.ended(a, .abandoned, now: now)
        #expect(startAll(&schedule, now: &now).count == 1)
    }

    @Test("an empty schedule is finished, and goes on when something is added")
    func empty() {
        var schedule = HostSchedule<Int>(options())
        #expect(isFinished(schedule.next(now: 0)))
        schedule.add(1, host: a)
        guard case .start(1, a) = schedule.next(now: 0) else { Issue.record("nothing started"); return }
        #expect(isBusy(schedule.next(now: 0)))
    }
}

@Suite struct BackoffTests {
    @Test(
        "waits double up to the cap, a quarter more or less",
        arguments: [(1, 2.0), (2, 4), (3, 8), (6, 60), (1000, 60)]
    )
    func doubling(attempt: Int, seconds: Double) {
        let backoff = Backoff(first: .seconds(2), cap: .seconds(60))
        var random = JitterGenerator(seed: 7)
        let waits = (0..<200).map { _ in backoff.delay(attempt: attempt, using: &random) / .seconds(1) }
        #expect(waits.allSatisfy { $0 >= seconds * 0.75 && $0 <= seconds * 1.25 })
        #expect(Set(waits).count > 100)
    }
}

@Suite struct HostTableTests {
    @Test("names that differ in case or a last dot are one host")
    func names() {
        var table = HostTable()
        let first = table.id(for: "files.example")
        #expect(table.id(for: "FILES.Example.") == first)
        #expect(table.id(for: "other.example") != first)
        #expect(table.name(of: first) == "files.example")
        #expect(table.count == 2)
    }
}
