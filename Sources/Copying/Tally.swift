internal import MediaModel
internal import Synchronization

/// One thread's share of the account: written by that thread alone, read by anyone. Plain stores suffice, because each
/// counter has one writer.
final class Tally: Sendable {
    /// A counter with one writer.
    struct Counter: ~Copyable, Sendable {
        private let value = Atomic<Int>(0)

        func add(_ amount: Int = 1) {
            value.store(value.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
        }

        var current: Int { value.load(ordering: .relaxed) }
    }

    let seen = Counter()
    let files = Counter()
    let directories = Counter()
    let others = Counter()
    let copied = Counter()
    let created = Counter()
    let linked = Counter()
    let updated = Counter()
    let unchanged = Counter()
    let different = Counter()
    let failed = Counter()
    let sourceChanged = Counter()
    let deleted = Counter()
    let deleteFailed = Counter()
    let bytesSeen = Counter()
    let bytesWritten = Counter()
    let bytesCompared = Counter()
    let bytesDeleted = Counter()
    let bytesMatched = Counter()
    private let excluded = Counter()
    private let notExisting = Counter()
    private let existing = Counter()
    private let newerInTarget = Counter()
    private let mountPoint = Counter()
    private let special = Counter()
    private let temporary = Counter()

    /// Puts an entry's outcome on the account.
    func add(_ outcome: Outcome) {
        switch outcome {
        case .copied: copied.add()
        case .created: created.add()
        case .linked: linked.add()
        case .updated: updated.add()
        case .unchanged: unchanged.add()
        case .deleted: deleted.add()
        case .different: different.add()
        case .skipped(let reason): skip(reason)
        case .failed(let error):
            failed.add()
            if error.code == .sourceChanged || error.code == .sourceVanished { sourceChanged.add() }
        case .fetched, .gone, .superseded: preconditionFailure("a copy fetches nothing")
        }
    }

    func skip(_ reason: SkipReason) {
        switch reason {
        case .excluded: excluded.add()
        case .notExisting: notExisting.add()
        case .existing: existing.add()
        case .newerInTarget: newerInTarget.add()
        case .mountPoint: mountPoint.add()
        case .special: special.add()
        case .temporary: temporary.add()
        case .noAddress, .rejected, .goneBefore: preconditionFailure("a copy fetches nothing")
        }
    }

    private func skipped(_ reason: SkipReason) -> Int {
        switch reason {
        case .excluded: excluded.current
        case .notExisting: notExisting.current
        case .existing: existing.current
        case .newerInTarget: newerInTarget.current
        case .mountPoint: mountPoint.current
        case .special: special.current
        case .temporary: temporary.current
        case .noAddress, .rejected, .goneBefore: 0
        }
    }

    /// Adds this share to a sum.
    func add(to counts: inout Counts) {
        counts.seen += seen.current
        counts.files += files.current
        counts.directories += directories.current
        counts.others += others.current
        counts.copied += copied.current
        counts.created += created.current
        counts.linked += linked.current
        counts.updated += updated.current
        counts.unchanged += unchanged.current
        counts.different += different.current
        counts.failed += failed.current
        counts.sourceChanged += sourceChanged.current
        counts.deleted += deleted.current
        counts.deleteFailed += deleteFailed.current
        counts.bytesSeen += Int64(bytesSeen.current)
        counts.bytesWritten += Int64(bytesWritten.current)
        counts.bytesCompared += Int64(bytesCompared.current)
        counts.bytesDeleted += Int64(bytesDeleted.current)
        counts.bytesMatched += Int64(bytesMatched.current)
        for reason in SkipReason.allCases {
            let count = skipped(reason)
            if count > 0 { counts.skipped[reason, default: 0] += count }
        }
    }
}

extension Outcome {
    /// Whether listeners hear of it although they asked for failures alone.
    var isAlwaysTold: Bool {
        switch self {
        case .different, .failed, .skipped(.special), .skipped(.mountPoint): true
        default: false
        }
    }
}

/// All shares of a run.
final class Account: Sendable {
    private let tallies = Mutex<[Tally]>([])

    /// A share for one more thread.
    func makeTally() -> Tally {
        let tally = Tally()
        tallies.withLock { $0.append(tally) }
        return tally
    }

    /// The sum at this moment; exact once all threads have ended.
    func counts() -> Counts {
        let all = tallies.withLock { $0 }
        var counts = Counts()
        for tally in all { tally.add(to: &counts) }
        return counts
    }
}
