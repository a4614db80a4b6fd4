/// Decides which host's next item starts: few at a time and few a second at each host, fewer where one asks for that, hardly
/// any where one does not answer, and first where most is left to do, so that a run ends when its largest host does. A pure
/// machine: time is passed in as monotonic nanoseconds, chance by a seed.
package struct HostSchedule<Item: Sendable>: Sendable {
    /// What to do now.
    package enum Decision {
        case start(Item, HostID)
        /// Nothing may start before this time, unless something ends or is added.
        case wait(until: Int64)
        /// Nothing may start before something ends.
        case busy
        /// Nothing waits, nothing is under way. What is parked can be drained.
        case finished
    }

    private struct Host: Sendable {
        var pace: HostPace
        var items = ItemLists<Item>.List()
        var isCountedHopeless = false
    }

    private let options: PaceOptions
    private var random: JitterGenerator
    private var hosts: [Host] = []
    private var lists = ItemLists<Item>()
    private var delayed = DelayedItems<Item>()
    /// Hosts that could start an item now; the keys are what is left to do, negative.
    private var answering = HostHeap()
    private var unanswered = HostHeap()
    /// Hosts that could start an item later; the keys are times.
    private var timers = HostHeap()
    /// Those of `timers` that the end of a run does not wait for.
    private var hopelessTimers = 0
    private var waiting = 0
    /// The part of `waiting` at hosts that have answered and are believed to live.
    private var waitingAtLiving = 0
    private var inFlight = 0
    private var inFlightUnanswered = 0

    package init(_ options: PaceOptions) {
        precondition(options.inFlight > 0 && options.perHost > 0 && options.firstPerHost > 0 && options.rate > 0)
        self.options = options
        random = JitterGenerator(seed: options.seed)
    }

    // MARK: Items

    /// An item more for a host, behind those that wait there.
    package mutating func add(_ item: Item, host: HostID) {
        enqueue(item, host.index)
        // A host that must wait for a time gets a timer, which `next` compares with the clock.
        place(host.index, now: .min)
    }

    /// An item that did not go through comes back, and waits until its time.
    package mutating func giveBack(_ item: Item, host: HostID, notBefore: Int64) {
        makeRoom(for: host.index)
        delayed.add(.init(time: notBefore, host: host.index, item: item))
    }

    /// A host that was out of reach lately (`unavailable_domains`): one item tries before the others.
    package mutating func suspect(_ host: HostID) {
        makeRoom(for: host.index)
        changing(host.index) { $0.suspect() }
        place(host.index, now: .min)
    }

    /// What happens next; asked again after every start.
    package mutating func next(now: Int64) -> Decision {
        while let entry = delayed.removeFirst(until: now) {
            enqueue(entry.item, entry.host)
            place(entry.host, now: now)
        }
        while let first = timers.first, first.key <= now { place(first.host, now: now) }
        guard inFlight < options.inFlight else { return .busy }
        if let host = choice() { return start(host, now: now) }
        let times = [hopelessTimers < timers.count || inFlight > 0 ? timers.first?.key : nil, delayed.firstTime]
        if let time = times.compactMap({ $0 }).min() { return .wait(until: time) }
        return inFlight > 0 ? .busy : .finished
    }

    /// An item of a host is no longer under way.
    /// - Parameter requests: that it took there; more than one where the host led from one of its addresses to another.
    package mutating func ended(_ host: HostID, _ ending: PaceEnding, requests: Int = 1, now: Int64) {
        let index = Int(host.index)
        precondition(index < hosts.count && hosts[index].pace.inFlight > 0, "an item ended that was not started")
        inFlight -= 1
        if !hosts[index].pace.hasAnswered { inFlightUnanswered -= Int(hosts[index].pace.inFlight) }
        let options = options
        var random = random
        changing(host.index) {
            if requests > 1 { $0.asked(requests - 1, now: now, options) }
            $0.ended(ending, now: now, options, &random)
        }
        self.random = random
        if !hosts[index].pace.hasAnswered { inFlightUnanswered += Int(hosts[index].pace.inFlight) }
        place(host.index, now: now)
    }

    /// Takes out the items of hosts that do not answer, or that asked for a longer pause than a run waits. Call it at the end,
    /// or to stop waiting for them.
    package mutating func drainParked() -> [(Item, HostID)] {
        var drained: [(Item, HostID)] = []
        for index in hosts.indices where hosts[index].pace.isHopeless && !hosts[index].items.isEmpty {
            let host = UInt32(index)
            while let item = dequeue(host) { drained.append((item, HostID(index: host))) }
            place(host, now: .min)
        }
        return drained
    }

    // MARK: Looking at it

    /// - Parameter now: for which hosts wait until later; without it none does.
    package func figures(now: Int64? = nil) -> PaceFigures {
        var figures = PaceFigures()
        for host in hosts {
            if host.pace.wasAsked {
                figures.asked += 1
                if host.pace.wasThrottled { figures.throttled += 1 }
                if host.pace.breaker != .closed { figures.silent += 1 }
            }
            if host.items.isEmpty && host.pace.inFlight == 0 { continue }
            figures.hostsAtWork += 1
            if host.pace.breaker != .closed { figures.breakersOpen += 1 }
            if let now, host.pace.isPaused(now: now) { figures.paused += 1 }
        }
        figures.waiting = waiting
        figures.delayed = delayed.count
        figures.inFlight = inFlight
        figures.inFlightUnanswered = inFlightUnanswered
        return figures
    }

    /// The hosts that take the most time for an item, slowest first.
    package func slowest(_ count: Int) -> [(host: HostID, seconds: Double)] {
        var found: [(host: HostID, seconds: Double)] = []
        for (index, host) in hosts.enumerated() where host.pace.latency > 0 {
            let seconds = host.pace.latency
            if found.count == count, let last = found.last, last.seconds >= seconds { continue }
            let place = found.firstIndex { $0.seconds < seconds } ?? found.count
            found.insert((HostID(index: UInt32(index)), seconds), at: place)
            if found.count > count { found.removeLast() }
        }
        return found
    }

    /// The first hosts that were asked and do not answer.
    package func silent(_ count: Int) -> [HostID] {
        var found: [HostID] = []
        for (index, host) in hosts.enumerated() where host.pace.wasAsked && host.pace.breaker != .closed {
            if found.count == count { break }
            found.append(HostID(index: UInt32(index)))
        }
        return found
    }

    /// The hosts that need the most time for what is left.
    package func longest(_ count: Int) -> [PaceLoad] {
        var found: [(host: UInt32, time: Int64)] = []
        for (index, host) in hosts.enumerated() where !host.items.isEmpty && !host.pace.isHopeless {
            let time = host.pace.remaining(host.items.count, options)
            if found.count == count, let last = found.last, last.time >= time { continue }
            let place = found.firstIndex { $0.time < time } ?? found.count
            found.insert((UInt32(index), time), at: place)
            if found.count > count { found.removeLast() }
        }
        return found.map { host, time in
            PaceLoad(
                host: HostID(index: host),
                waiting: Int(hosts[Int(host)].items.count),
                inFlight: Int(hosts[Int(host)].pace.inFlight),
                remaining: .nanoseconds(time)
            )
        }
    }

    // MARK: Choosing

    /// The host with the most to do among those that may start an item. New ones come first as far as their part goes: a dead
    /// one takes two deadlines and a pause until it is known to be dead, which must not be the end of the run.
    private func choice() -> UInt32? {
        if inFlightUnanswered < unansweredLimit, let new = unanswered.first { return new.host }
        return answering.first?.host
    }

    /// Slots for hosts that have not answered. Most of those are dead in a list where many are, and hold a slot until the
    /// deadline. Slots that nobody else could use they may have, but never all while others wait for their time.
    private var unansweredLimit: Int {
        let part = max(1, Int(Double(options.inFlight) * options.unansweredShare))
        if !answering.isEmpty { return part }
        return waitingAtLiving > 0 ? max(part, options.inFlight - part) : options.inFlight
    }

    private mutating func start(_ host: UInt32, now: Int64) -> Decision {
        guard let item = dequeue(host) else { preconditionFailure("a host without items was ready") }
        let options = options
        changing(host) { $0.started(now: now, options) }
        inFlight += 1
        if !hosts[Int(host)].pace.hasAnswered { inFlightUnanswered += 1 }
        place(host, now: now)
        return .start(item, HostID(index: host))
    }

    /// Puts a host where it belongs: ready, waiting for a time, or nowhere.
    private mutating func place(_ host: UInt32, now: Int64) {
        answering.remove(host)
        unanswered.remove(host)
        timers.remove(host)
        let state = hosts[Int(host)]
        countHopeless(host, false)
        guard !state.items.isEmpty, state.pace.inFlight < state.pace.limit(options) else { return }
        let time = state.pace.readyTime
        if time > now {
            timers.set(host, key: time)
            countHopeless(host, state.pace.isHopeless)
        } else {
            let key = -state.pace.remaining(state.items.count, options)
            if state.pace.hasAnswered { answering.set(host, key: key) } else { unanswered.set(host, key: key) }
        }
    }

    private mutating func countHopeless(_ host: UInt32, _ value: Bool) {
        guard hosts[Int(host)].isCountedHopeless != value else { return }
        hosts[Int(host)].isCountedHopeless = value
        hopelessTimers += value ? 1 : -1
    }

    // MARK: Counting

    private mutating func makeRoom(for host: UInt32) {
        while hosts.count <= Int(host) { hosts.append(Host(pace: HostPace(options))) }
    }

    /// Changes what is known of a host, and the sums that depend on it.
    private mutating func changing(_ host: UInt32, _ change: (inout HostPace) -> Void) {
        let index = Int(host)
        let before = isLiving(index)
        change(&hosts[index].pace)
        let after = isLiving(index)
        if before != after { waitingAtLiving += Int(hosts[index].items.count) * (after ? 1 : -1) }
    }

    private func isLiving(_ index: Int) -> Bool {
        hosts[index].pace.hasAnswered && hosts[index].pace.breaker == .closed
    }

    private mutating func enqueue(_ item: Item, _ host: UInt32) {
        makeRoom(for: host)
        lists.append(item, to: &hosts[Int(host)].items)
        waiting += 1
        if isLiving(Int(host)) { waitingAtLiving += 1 }
    }

    private mutating func dequeue(_ host: UInt32) -> Item? {
        guard let item = lists.removeFirst(of: &hosts[Int(host)].items) else { return nil }
        waiting -= 1
        if isLiving(Int(host)) { waitingAtLiving -= 1 }
        return item
    }
}
