internal import Catalog
internal import MediaModel
internal import Synchronization

/// The account of a comparison of rows and files. Workers add a batch at a time.
final class StoreLedger: Sendable {
    /// One line of the table.
    struct Key: Hashable {
        let kind: MediaKind
        let isLocal: Bool
    }

    /// What a batch comes to.
    struct Share {
        var counts = Counts()
        var lines: [Key: MediaTally] = [:]
        /// Files of this server's own that are not as their rows say.
        var lost: [BytePath] = []

        /// Changes the line of an attachment.
        mutating func change(_ media: StoredMedia, _ body: (inout MediaTally) -> Void) {
            body(&lines[Key(kind: media.kind, isLocal: !media.isRemote), default: MediaTally()])
        }
    }

    /// Lost files that are named; the others are counted.
    private static let lostMax = 1_000

    private let sum = Mutex(Share())

    /// The first files of this server's own that differ.
    var lost: [BytePath] { sum.withLock { $0.lost } }

    func add(_ share: Share) {
        sum.withLock { sum in
            sum.counts.seen += share.counts.seen
            sum.counts.files += share.counts.files
            sum.counts.unchanged += share.counts.unchanged
            sum.counts.different += share.counts.different
            sum.counts.failed += share.counts.failed
            sum.counts.bytesSeen += share.counts.bytesSeen
            sum.lost += share.lost.prefix(Self.lostMax - sum.lost.count)
            for (key, tally) in share.lines { sum.lines[key, default: MediaTally()] += tally }
        }
    }

    var counts: Counts { sum.withLock { $0.counts } }

    /// Local lines first: what they miss, nobody else has.
    var lines: [MediaTallyLine] {
        let lines = sum.withLock { $0.lines }
        return [true, false].flatMap { isLocal in
            MediaKind.allCases.compactMap { kind in
                lines[Key(kind: kind, isLocal: isLocal)].map {
                    MediaTallyLine(kind: kind.rawValue, title: kind.title, isLocal: isLocal, tally: $0)
                }
            }
        }
    }
}
