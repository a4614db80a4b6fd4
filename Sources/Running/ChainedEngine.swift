package import MediaModel
internal import Synchronization

/// Engines that run one after the other as one run; one that is stopped or fails ends it. Their accounts are added up.
package final class ChainedEngine: Engine {
    private let engines: [any Engine]
    private let current = Atomic<Int>(0)

    /// - Parameter engines: at least one.
    package init(_ engines: [any Engine]) {
        precondition(!engines.isEmpty)
        self.engines = engines
    }

    private var active: any Engine { engines[current.load(ordering: .acquiring)] }

    package func run() async -> RunResult {
        var result = RunResult(counts: Counts(), error: nil)
        for index in engines.indices {
            current.store(index, ordering: .releasing)
            result = await engines[index].run()
            if result.error != nil { break }
        }
        return RunResult(counts: counts(), error: result.error)
    }

    package func counts() -> Counts { engines.reduce(Counts()) { $0 + $1.counts() } }
    package func abandon() { active.abandon() }
    package func totalCounter() -> (any TotalCounter)? { nil }
    package func work() -> WorkProgress? { active.work() }
    package func activity() -> [String] { active.activity() }
    package func figures() -> [Figure] { engines.flatMap { $0.figures() } }
    package var stopPatience: Duration { engines.map(\.stopPatience).max() ?? .zero }
}
