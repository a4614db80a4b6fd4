internal import Storage

/// How much of everything a run may have at a time, from what the process may have open.
struct Bounds {
    /// Threads that walk and copy at first, and at most.
    let workersFirst: Int
    let workersMax: Int
    /// fsyncs in flight.
    let publishers: Int
    /// Files that wait for one, with a descriptor each.
    let publishQueue: Int
    /// Directory pairs held open.
    let openPairs: Int
    /// Directories that are held open where the source is on another machine.
    let openTargets: UInt32

    /// Depth of concurrency is what makes cold disks and network file systems fast; more threads than this no longer help.
    private static let workersCeiling = 64
    /// Where one journal commit serves all who wait for one, the copy goes on faster the more do: on a loop-mounted ext4
    /// 10,000 files took 4.9 s with 64 in flight and 4.1 s with 256. Elsewhere more than 64 only compete.
    private static let publishersCeiling = 64
    private static let publishersSharingCeiling = 256

    /// - Parameter sharesCommits: the target's file system writes an ordered journal.
    init(host: Host, jobs: Int?, sharesCommits: Bool = false) {
        let limit = host.descriptorLimit
        let ceiling = max(2, min(Self.workersCeiling, limit / 16))
        workersFirst = max(1, min(jobs ?? max(8, 2 * host.processors), jobs == nil ? ceiling : max(2, limit / 8)))
        workersMax = jobs == nil ? max(ceiling, workersFirst) : workersFirst
        let ceilingOfPublishers = sharesCommits ? Self.publishersSharingCeiling : Self.publishersCeiling
        publishers = max(2, min(ceilingOfPublishers, limit / 16))
        publishQueue = max(2, min(4 * ceilingOfPublishers, limit / 8))
        // A worker has a source, a temporary and a directory or two in hand; the rest is logs, state, sockets.
        openTargets = UInt32(max(8, min(8192, limit - publishers - publishQueue - 3 * workersFirst - 32)))
        openPairs = max(4, (limit - publishers - publishQueue - 4 * workersMax - 32) / 2)
    }
}
