internal import Synchronization

/// How far a restore is, for the progress line: written by its threads, read by anyone.
package final class LoadProgress: Sendable {
    private let dumpBytesValue = Atomic<Int64>(0)
    private let rowBytesValue = Atomic<Int>(0)
    private let rowsValue = Atomic<Int>(0)
    private let tablesValue = Atomic<Int>(0)
    private let jobsDoneValue = Atomic<Int>(0)
    private let jobsTotalValue = Atomic<Int>(0)
    private let busyValue = Atomic<Int64>(0)

    package init() {}

    /// Bytes of the dump's file that were read in this pass.
    package var dumpBytes: Int64 { dumpBytesValue.load(ordering: .relaxed) }
    package var rowBytes: Int { rowBytesValue.load(ordering: .relaxed) }
    package var rows: Int { rowsValue.load(ordering: .relaxed) }
    package var tables: Int { tablesValue.load(ordering: .relaxed) }
    /// Indexes, constraints and checks.
    package var jobsDone: Int { jobsDoneValue.load(ordering: .relaxed) }
    package var jobsTotal: Int { jobsTotalValue.load(ordering: .relaxed) }
    /// Nanoseconds that connections were at work, all added up.
    package var busyNanoseconds: Int64 { busyValue.load(ordering: .relaxed) }

    func set(dumpBytes: Int64) { dumpBytesValue.store(dumpBytes, ordering: .relaxed) }
    func add(rows: Int, bytes: Int) {
        rowsValue.wrappingAdd(rows, ordering: .relaxed)
        rowBytesValue.wrappingAdd(bytes, ordering: .relaxed)
    }
    func addTable() { tablesValue.wrappingAdd(1, ordering: .relaxed) }
    func add(jobs: Int) { jobsTotalValue.wrappingAdd(jobs, ordering: .relaxed) }
    func finishJob() { jobsDoneValue.wrappingAdd(1, ordering: .relaxed) }
    func add(busyNanoseconds: Int64) { busyValue.wrappingAdd(busyNanoseconds, ordering: .relaxed) }
}
