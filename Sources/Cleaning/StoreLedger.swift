internal import Catalog
internal import MediaModel
internal import Synchronization

/// The account of a comparison of rows and files. Workers add a batch at a time.
final class StoreLedger: Sendable {
    /// One line of the table.
    struct Line {
        let kind: MediaKind
        let isLocal: Bool
        var tally = MediaTally()
    }

    /// What a batch comes to.
    struct Share {
        var counts = Counts()
        /// A handful: looking for one from the front is quicker than any table.
        var lines: [Line] = []
        /// Files of this server's own that are not as their rows say.
        var lost: [BytePath] = []

        /// Changes the line of an attachment.
        mutating func change(_ media: StoredMedia, _ body: (inout MediaTally) -> Void) {
            change(media.kind, isLocal: !media.isRemote, body)
        }

        mutating func change(_ kind: MediaKind, isLocal: Bool, _ body: (inout MediaTally) -> Void) {
            if let index = lines.firstIndex(where: { $0.kind == kind && $0.isLocal == isLocal }) {
                return body(&lines[index].tally)
            }
            var line = Line(kind: kind, isLocal: isLocal)
            body(&line.tally)
            lines.append(line)
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
            for line in share.lines { sum.change(line.kind, isLocal: line.isLocal) { $0 += line.tally } }
        }
    }

    var counts: Counts { sum.withLock { $0.counts } }

    /// Local lines first: what they miss, nobody else has.
    var lines: [MediaTallyLine] {
        let lines = sum.withLock { $0.lines }
        return [true, false].flatMap { isLocal in
            MediaKind.allCases.compactMap { kind in
                lines.first { $0.kind == kind && $0.isLocal == isLocal }.map {
                    MediaTallyLine(kind: kind.rawValue, title: kind.title, isLocal: isLocal, tally: $0.tally)
                }
            }
        }
    }
}
