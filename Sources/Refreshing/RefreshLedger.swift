internal import Catalog
internal import MediaModel
internal import Storage
internal import Synchronization

/// The account of a refresh, and what it remembers for the next one. Every attachment that is seen ends in one outcome;
/// the lock is held for an instant, except where the memory is written.
final class RefreshLedger: Sendable {
    private struct State {
        var counts = Counts()
        var tallies: [MediaKind: RefreshTally] = [:]
        /// Failures by the reason's word.
        var reasons: [String: Int] = [:]
        var endings: [RefreshEnding] = []
    }

    /// Endings that are written together.
    private static let endingsBatch = 500

    private let state = Mutex(State())
    private let memory: any RefreshMemory
    private let sink: EventSink
    private let reportsEveryItem: Bool
    private let dryRun: Bool

    init(memory: any RefreshMemory, sink: @escaping EventSink, reportsEveryItem: Bool, dryRun: Bool) {
        self.memory = memory
        self.sink = sink
        self.reportsEveryItem = reportsEveryItem
        self.dryRun = dryRun
    }

    var counts: Counts { state.withLock { $0.counts } }

    var lines: [RefreshTallyLine] {
        let tallies = state.withLock { $0.tallies }
        return MediaKind.allCases.compactMap { kind in
            tallies[kind].map { RefreshTallyLine(kind: kind.rawValue, title: kind.title, tally: $0) }
        }
    }

    /// Failures by reason, the most frequent first.
    var reasons: [(reason: String, count: Int)] {
        state.withLock { $0.reasons }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    /// An attachment was looked at; its outcome follows now or later.
    func seen(_ kind: MediaKind) {
        state.withLock { state in
            state.counts.seen += 1
            state.counts.files += 1
            state.tallies[kind, default: RefreshTally()].seen += 1
        }
    }

    func present(_ item: RefreshItem, at path: BytePath?) {
        state.withLock { state in
            state.counts.unchanged += 1
            state.tallies[item.kind, default: RefreshTally()].present += 1
        }
        tell(item, path, .unchanged)
    }

    func skipped(_ item: RefreshItem, _ reason: SkipReason) {
        state.withLock { state in
            state.counts.skipped[reason, default: 0] += 1
            state.tallies[item.kind, default: RefreshTally()].skipped += 1
        }
        tell(item, nil, .skipped(reason))
    }

    /// - Parameter written: bytes of all variants.
    func fetched(_ item: RefreshItem, at path: BytePath?, bytes: Int64, written: Int64) {
        state.withLock { state in
            state.counts.fetched += 1
            state.counts.bytesWritten += written
            state.tallies[item.kind, default: RefreshTally()].fetched += 1
            state.tallies[item.kind, default: RefreshTally()].bytes += bytes
        }
        tell(item, path, .fetched, bytes: bytes)
        remember(item, .fetched)
    }

    func gone(_ item: RefreshItem) {
        state.withLock { state in
            state.counts.gone += 1
            state.tallies[item.kind, default: RefreshTally()].gone += 1
        }
        tell(item, nil, .gone)
        remember(item, .gone)
    }

    func superseded(_ item: RefreshItem) {
        state.withLock { state in
            state.counts.superseded += 1
            state.tallies[item.kind, default: RefreshTally()].superseded += 1
        }
        tell(item, nil, .superseded)
    }

    /// - Parameter reason: a word for the table of reasons, from a fixed set.
    func failed(_ item: RefreshItem, reason: String, _ error: SyncError) {
        state.withLock { state in
            state.counts.failed += 1
            state.tallies[item.kind, default: RefreshTally()].failed += 1
            state.reasons[reason, default: 0] += 1
        }
        sink(.item(ItemEvent(path: item.label, kind: .file, outcome: .failed(error), row: item.row)))
        remember(item, .failed)
    }

    func deleted(bytes: Int64) {
        state.withLock { state in
            state.counts.deleted += 1
            state.counts.bytesDeleted += bytes
        }
    }

    func deleteFailed(_ path: BytePath, _ error: SyncError) {
        state.withLock { $0.counts.deleteFailed += 1 }
        sink(.item(ItemEvent(path: path, kind: .file, outcome: .failed(error))))
    }

    private func tell(_ item: RefreshItem, _ path: BytePath?, _ outcome: Outcome, bytes: Int64 = 0) {
        guard reportsEveryItem else { return }
        sink(
            .item(ItemEvent(path: path ?? item.label, kind: .file, outcome: outcome, bytes: bytes, row: item.row))
        )
    }

    // MARK: Memory

    private func remember(_ item: RefreshItem, _ kind: RefreshEnding.Kind) {
        guard !dryRun else { return }
        let isFull = state.withLock { state in
            state.endings.append(RefreshEnding(item.reference, kind))
            return state.endings.count >= Self.endingsBatch
        }
        if isFull { flush() }
    }

    /// Writes what is to be remembered. The memory is worth less than the run: an error of it is told once, as a warning.
    func flush() {
        let endings = state.withLock { state in
            defer { state.endings.removeAll(keepingCapacity: true) }
            return state.endings
        }
        do throws(SyncError) {
            try memory.record(endings, at: Host.wallClock().seconds)
        } catch {
            sink(.notice(Notice(.warning, "what failed or is gone is not remembered: \(error)", hint: error.hint)))
        }
    }
}
