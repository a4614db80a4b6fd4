internal import Catalog
internal import MediaModel
internal import Synchronization

/// The account of a comparison of rows and files. Each worker has a part of its own, to which it adds a batch at a time: on
/// one that is common they would wait for each other.
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

        /// Adds another one's counts and lines.
        fileprivate mutating func add(_ other: Share) {
            counts.seen += other.counts.seen
            counts.files += other.counts.files
            counts.unchanged += other.counts.unchanged
            counts.different += other.counts.different
            counts.failed += other.counts.failed
            counts.bytesSeen += other.counts.bytesSeen
            for line in other.lines { change(line.kind, isLocal: line.isLocal) { $0 += line.tally } }
        }
    }

    /// What one worker comes to.
    final class Part: Sendable {
        fileprivate let share = Mutex(Share())
        private let lost: Lost

        fileprivate init(_ lost: Lost) { self.lost = lost }

        func add(_ share: Share) {
            self.share.withLock { $0.add(share) }
            lost.add(share.lost)
        }
    }

    /// Lost files in the order in which they are found.
    fileprivate final class Lost: Sendable {
        /// Those that are named; the others are counted.
        private static let namedMax = 1_000
        private let list = Mutex<[BytePath]>([])
        var paths: [BytePath] { list.withLock { $0 } }

        func add(_ paths: [BytePath]) {
            guard !paths.isEmpty else { return }
            list.withLock { $0 += paths.prefix(Self.namedMax - $0.count) }
        }
    }

    private let parts = Mutex<[Part]>([])
    private let found = Lost()

    /// The first files of this server's own that differ.
    var lost: [BytePath] { found.paths }

    /// A part for one more worker.
    func makePart() -> Part {
        let part = Part(found)
        parts.withLock { $0.append(part) }
        return part
    }

    /// What all parts come to.
    private var sum: Share {
        parts.withLock { $0 }.reduce(into: Share()) { sum, part in sum.add(part.share.withLock { $0 }) }
    }

    var counts: Counts { sum.counts }

    /// Local lines first: what they miss, nobody else has.
    var lines: [MediaTallyLine] {
        let lines = sum.lines
        return [true, false].flatMap { isLocal in
            MediaKind.allCases.compactMap { kind in
                lines.first { $0.kind == kind && $0.isLocal == isLocal }.map {
                    MediaTallyLine(kind: kind.rawValue, title: kind.title, isLocal: isLocal, tally: $0.tally)
                }
            }
        }
    }
}
