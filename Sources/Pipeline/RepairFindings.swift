package import MediaModel
internal import Synchronization

/// What a comparison of rows with files found, sorted by what can be done about it: heard from its events, and from those of
/// the refresh that follows.
package final class RepairFindings: Sendable {
    /// Lost files that are named; the others are counted.
    private static let namedMax = 1_000
    private static let damages: ChangeSet = [.type, .undecodable]

    private struct State {
        /// Media that other servers have, with how many of their files differ.
        var missing: [MediaReference: Int32] = [:]
        /// Those of them whose files are there, whole by their size, and of another type or undecodable.
        var damaged: Set<MediaReference> = []
        /// Files of this server's own that are not there.
        var lost: [BytePath] = []
        var lostCount = 0
        /// Files that differ and that no server can be asked for: pictures of cards, files that no row names.
        var others = 0
    }

    private let fetchable: Set<String>
    private let state = Mutex(State())

    /// - Parameter fetchable: kinds of media that a refresh can bring back, as rows name them.
    package init(fetchable: Set<String>) {
        self.fetchable = fetchable
    }

    /// Hears the comparison.
    package func receiveComparison(_ event: Event) {
        guard case .item(let item) = event, case .different = item.outcome else { return }
        state.withLock { state in
            guard let row = item.row else {
                state.others += 1
                return
            }
            if row.isLocal {
                state.lostCount += 1
                if state.lost.count < Self.namedMax { state.lost.append(item.path) }
            } else if fetchable.contains(row.kind) {
                let media = MediaReference(kind: row.kind, id: row.id)
                state.missing[media, default: 0] += 1
                if !item.changes.isDisjoint(with: Self.damages) { state.damaged.insert(media) }
            } else {
                state.others += 1
            }
        }
    }

    /// Hears the refresh: what it has dealt with, one way or another, is its account's from there on.
    package func receiveRefresh(_ event: Event) {
        guard case .item(let item) = event, let row = item.row else { return }
        state.withLock { _ = $0.missing.removeValue(forKey: MediaReference(kind: row.kind, id: row.id)) }
    }

    /// What is to be fetched, numbers by kind.
    package var missing: [String: [Int64]] {
        state.withLock { state in
            Dictionary(grouping: state.missing.keys, by: \.kind).mapValues { $0.map(\.id).sorted() }
        }
    }

    /// What a refresh would take for whole.
    package var damaged: Set<MediaReference> { state.withLock { $0.damaged } }

    /// Files that differ and that nothing was done about.
    package var leftFiles: Int {
        state.withLock { state in
            state.lostCount + state.others + state.missing.values.reduce(0) { $0 + Int($1) }
        }
    }

    /// This server's own files that are not there: lost unless a backup has them.
    package var lost: (named: [BytePath], count: Int) { state.withLock { ($0.lost, $0.lostCount) } }

    /// Files that differ and that nobody can be asked for.
    package var others: Int { state.withLock { $0.others } }
}
