/// Which piece of work a connection does next: the largest first, so that the last ones end together, and never two at a
/// time of those that would wait for the same lock. A value: it does not know threads.
struct JobBoard: Sendable {
    struct Job: Sendable, Equatable {
        /// What the work costs, in any unit.
        var cost: Double
        /// Jobs with the same lane run one after the other; nil runs beside everything.
        var lane: Int?
        /// Within its lane, jobs keep their order.
        var keepsOrder = false
    }

    enum Next: Equatable {
        /// - Parameter helpers: how many processes more the work may use, since nothing else is left for them.
        case job(Int, helpers: Int)
        /// What is left must wait for what runs.
        case wait
        case done
    }

    private let jobs: [Job]
    private let workers: Int
    private var waiting: [Int]
    private var running: Set<Int> = []
    private var busyLanes: Set<Int> = []
    private var laneCost: [Int: Double] = [:]

    init(_ jobs: [Job], workers: Int) {
        self.jobs = jobs
        self.workers = workers
        waiting = Array(jobs.indices)
        for job in jobs { if let lane = job.lane { laneCost[lane, default: 0] += job.cost } }
    }

    /// Hands out the next job.
    mutating func take() -> Next {
        var best: (position: Int, weight: Double)?
        var seenLanes: Set<Int> = []
        for (position, index) in waiting.enumerated() {
            let job = jobs[index]
            if let lane = job.lane {
                if busyLanes.contains(lane) { continue }
                if job.keepsOrder, !seenLanes.insert(lane).inserted { continue }
            }
            // A lane is as urgent as all that has to follow in it.
            let weight = job.lane.map { (laneCost[$0] ?? 0) + job.cost / 1e9 } ?? job.cost
            if weight > best?.weight ?? -1 { best = (position, weight) }
        }
        guard let best else { return waiting.isEmpty && running.isEmpty ? .done : .wait }
        let index = waiting.remove(at: best.position)
        running.insert(index)
        if let lane = jobs[index].lane { busyLanes.insert(lane) }
        return .job(index, helpers: helpers(for: index))
    }

    /// Others are idle, or will be long before this one is done: then it may use their processors.
    private func helpers(for index: Int) -> Int {
        let others = max(0, workers - running.count)
        let rest = waiting.reduce(0) { $0 + jobs[$1].cost }
        if waiting.isEmpty { return others }
        return workers > 1 && jobs[index].cost > rest / Double(workers - 1) * 2 ? workers - 1 : 0
    }

    mutating func finish(_ index: Int) {
        running.remove(index)
        if let lane = jobs[index].lane {
            busyLanes.remove(lane)
            laneCost[lane, default: 0] -= jobs[index].cost
        }
    }

    /// Nothing more is handed out.
    mutating func stop() {
        waiting.removeAll()
    }
}
