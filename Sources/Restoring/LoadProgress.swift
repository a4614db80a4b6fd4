internal import Synchronization

/// How far a restore is, for the progress line: written by its threads, read by anyone.
package final class LoadProgress: Sendable {
    /// Work that is counted by pieces: indexes, constraints, checks, an archive's entries.
    struct Steps: Sendable, Equatable {
        var done = 0
        var total = 0
        /// What the pieces cost, in any unit.
        var costDone = 0.0
        var costTotal = 0.0
        /// The piece that was begun last; escaped.
        var current: String?

        /// The part of the cost that is done; nil where nothing is known.
        var share: Double? { costTotal > 0 ? min(1, max(0, costDone / costTotal)) : nil }
    }

    private let dumpBytesValue = Atomic<Int64>(0)
    private let rowBytesValue = Atomic<Int>(0)
    private let rowsValue = Atomic<Int>(0)
    private let indexesValue = Atomic<Int>(0)
    private let stepsValue = Mutex(Steps())

    package init() {}

    /// Bytes of the dump's file that were read in this pass.
    package var dumpBytes: Int64 { dumpBytesValue.load(ordering: .relaxed) }
    package var rowBytes: Int { rowBytesValue.load(ordering: .relaxed) }
    package var rows: Int { rowsValue.load(ordering: .relaxed) }
    /// Indexes that were built.
    package var indexes: Int { indexesValue.load(ordering: .relaxed) }
    /// The present stage's pieces.
    var steps: Steps { stepsValue.withLock { $0 } }

    func set(dumpBytes: Int64) { dumpBytesValue.store(dumpBytes, ordering: .relaxed) }
    func add(rows: Int, bytes: Int) {
        rowsValue.wrappingAdd(rows, ordering: .relaxed)
        rowBytesValue.wrappingAdd(bytes, ordering: .relaxed)
    }
    func addIndexes(_ count: Int = 1) { indexesValue.wrappingAdd(count, ordering: .relaxed) }

    /// A stage begins: nothing of it is done.
    func restart() {
        stepsValue.withLock { $0 = Steps() }
        set(dumpBytes: 0)
    }

    /// More pieces of the present stage, each with its cost.
    func add(steps costs: [Double]) {
        stepsValue.withLock { steps in
            steps.total += costs.count
            steps.costTotal += costs.reduce(0, +)
        }
    }

    /// A piece is begun.
    /// - Parameter what: for people; escaped.
    func begin(_ what: String) {
        stepsValue.withLock { $0.current = what }
    }

    /// A piece is done.
    func finish(cost: Double) {
        stepsValue.withLock { steps in
            steps.done += 1
            steps.costDone += cost
        }
    }

    /// The pieces as somebody else counts them.
    func set(_ steps: Steps) {
        stepsValue.withLock { $0 = steps }
    }
}
