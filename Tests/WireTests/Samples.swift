import MediaModel
import MediasyncTesting
import Wire

/// One message of each kind, with something in every field.
enum Samples {
    static let metadata = WireMetadata(
        mode: 0o100644,
        owner: 1000,
        group: 33,
        size: 5,
        accessTime: WireTime(seconds: -315_619_200, nanoseconds: 0),
        modificationTime: WireTime(seconds: 4_070_908_800, nanoseconds: 999_999_999),
        changeTime: WireTime(seconds: 1, nanoseconds: 2),
        isSparse: true,
        links: WireMetadata.Links(device: 66_306, inode: .max, count: 2)
    )
    static let folder: WireMetadata = {
        var folder = metadata
        folder.mode = 0o042755
        folder.links = nil
        return folder
    }()
    static let attributes = [ExtendedAttribute(name: Array("user.a".utf8), value: [0, 255])]
    static let digest = Digest(algorithm: .xxh3, bytes: Array(0..<16))
    static let error = SyncError(
        .exhausted,
        "could not write a/b",
        why: "No space",
        hint: "free space",
        retry: .abortStage
    )
    static let reference = WireReference(batch: 7, index: 3)
    static let counts: Counts = {
        var counts = Counts()
        counts.seen = 300
        counts.copied = 299
        counts.skipped = [.excluded: 1]
        counts.bytesWritten = 1 << 40
        return counts
    }()
    static let run = RunID(secondsSince1970: 1_700_000_000, random: 7)

    static let session = WireSession(
        id: Array(0..<16),
        secret: [UInt8](repeating: 0xFF, count: 32),
        connections: 16
    )

    static let hello: Hello = {
        var options = WireOptions()
        options.flags = [.delete, .checksum, .hardLinks]
        options.digest = .blake2b
        options.durability = 2
        options.deleteLimit = .count(12)
        options.patterns = [.init(isInclude: true, bytes: Array("*.png".utf8)), .init(isInclude: false, bytes: [0xFF])]
        options.half = 1
        options.backupDirectory = BytePath("/srv/old")
        options.owner = 0
        options.group = 5
        options.chmod = "D755,F644"
        options.bandwidthLimit = 1 << 20
        options.jobs = 4
        let facts = SourceFacts(isEmpty: false, looksLikeRoot: true)
        var hello = Hello(role: .receive, root: BytePath("/srv/media"), run: run, options: options, source: facts)
        hello.clock = WireTime(seconds: -5, nanoseconds: 7)
        hello.directories = 100
        hello.session = session
        return hello
    }()

    static var all: [Message] {
        let link = WireEntry(
            name: BytePath(bytes: [0xFF, 0x0A]),
            kind: .symlink,
            state: .present(changed { $0.mode = 0o120777 }),
            text: Array("../../etc/passwd".utf8)
        )
        let file = WireEntry(
            name: BytePath("a"),
            kind: .file,
            state: .present(metadata),
            digest: digest,
            attributes: attributes
        )
        let left = WireEntry(name: BytePath("cache"), kind: .directory, state: .skipped(.excluded))
        let lost = WireEntry(name: BytePath("b"), kind: .file, state: .failed(error))
        let item = ItemEvent(
            path: BytePath("a/b"),
            kind: .file,
            outcome: .failed(error),
            changes: [.size, .time],
            bytes: 9,
            digest: digest
        )
        return [
            .hello(hello), .welcome(Welcome(source: SourceFacts(isEmpty: true, looksLikeRoot: false))), .failure(error),
            .join(WireJoin(id: session.id, secret: session.secret, number: 15)), .joined,
            .greeted, .roundTrip(microseconds: .max),
            .directory(WireDirectory(id: 0, parent: nil, name: .root, state: .open(folder, attributes))),
            .directory(WireDirectory(id: 900, parent: 0, name: BytePath("a"), state: .open(folder, []))),
            .directory(WireDirectory(id: 2, parent: 0, name: BytePath("b"), state: .skipped(.mountPoint))),
            .directory(WireDirectory(id: 3, parent: 0, name: BytePath("c"), state: .failed(error))),
            .batch(WireBatch(id: 7, directory: 900, entries: [link, file, left, lost])),
            .directoryEnd(id: 900, bundles: 0, .listed), .directoryEnd(id: 900, bundles: .max, .unlisted),
            .directoryEnd(id: 900, bundles: 3, .failed(error)),
            .bundle(bundle(folder, attributes, metadata, digest)), .bundles,
            .file(WireFile(reference: reference, metadata: metadata, attributes: attributes, content: .attributes)),
            .file(
                WireFile(
                    reference: reference,
                    metadata: metadata,
                    attributes: [],
                    content: .whole(Array("hello".utf8), digest)
                )
            ),
            .file(WireFile(reference: reference, metadata: metadata, attributes: [], content: .pieces(transfer: 1))),
            .piece(transfer: 1, [1, 2, 3]), .fileEnd(transfer: 1, .whole(digest)), .fileEnd(transfer: 1, .again),
            .fileEnd(transfer: 1, .failed(error)), .fileFailed(reference, error), .treeEnd, .bye, .done,
            .want(Want(batch: 7, items: [.init(index: 0), .init(index: 3, attributesOnly: true)])), .closed(64),
            .want(Want(batch: 7, items: [.init(index: 0, hasBasis: true)])),
            .file(WireFile(reference: reference, metadata: metadata, attributes: [], content: .delta(transfer: 9))),
            .basis(
                WireBasis(
                    reference: reference,
                    fileBytes: 1 << 40,
                    blockBytes: 704,
                    strongBytes: 2,
                    seed: .max,
                    sums: Array(0..<12)
                )
            ),
            .sums(reference, [0, 255]), .sendWhole(reference), .built(reference),
            .copies(transfer: 9, [WireCopy(firstBlock: 0, blocks: 1), WireCopy(firstBlock: .max, blocks: .max)]),
            .ask(Ask(id: 5, names: AskedNames(directory: BytePath("a/b"), names: [BytePath("c"), BytePath("d")]))),
            .askEntry(Ask(id: 6, names: AskedNames(directory: .root, names: [BytePath("c")]))), .count,
            .answer(AskAnswer(id: 5, areGone: [true, false])),
            .entry(WireBatch(id: 8, directory: 6, entries: [file])), .total(1 << 40),
            .summary(summary), .summary(WireSummary(id: 0, parent: 0, name: BytePath("b"), entries: 1, digest: sum)),
            .summarize(SummaryTerms(comparesOwners: true, wantsNames: false)), .summaryAnswer(id: 700, isSame: false),
            .packed(bytes: 1000, [0x28, 0xB5, 0x2F, 0xFD, 1, 2]), .listed(Array("./a\u{0}".utf8), isLast: true),
            .stage("copy"), .item(item), .item(ItemEvent(path: .root, kind: .directory, outcome: .different)),
            .notice(Notice(.warning, "careful", hint: "do")), .counts(counts),
            .finished(counts, error), .finished(counts, nil),
        ]
    }

    private static func bundle(
        _ folder: WireMetadata,
        _ attributes: [ExtendedAttribute],
        _ metadata: WireMetadata,
        _ digest: Digest
    ) -> WireBundle {
        var metadata = metadata
        metadata.links = nil
        metadata.size = 5
        let file = { (name: String, attributes: [ExtendedAttribute]) -> WireBundle.Entry in
            .file(
                WireBundle.File(
                    name: BytePath(name),
                    metadata: metadata,
                    attributes: attributes,
                    bytes: Array("hello".utf8),
                    digest: digest
                )
            )
        }
        let directory = { (name: String, entries: [WireBundle.Entry]) -> WireBundle.Directory in
            WireBundle.Directory(name: BytePath(name), metadata: folder, attributes: attributes, entries: entries)
        }
        let inner = directory("small", [file("d.png", []), .directory(directory("empty", []))])
        return WireBundle(
            parent: 900,
            directory("d", [file("d.png", attributes), .directory(inner), file("e.png", [])])
        )
    }

    static let sum = Digest(algorithm: .sha256, bytes: Array(repeating: 7, count: 32))
    static let summary = WireSummary(
        id: 700,
        parent: 900,
        name: BytePath("a"),
        entries: 3,
        names: [1, 1, 0x61, 0, 1, 0x62, 255, 255],
        digest: sum,
        latestChange: 1_700_000_000_000_000_000,
        ages: [0, 1, 1 << 40]
    )

    static func changed(_ change: (inout WireMetadata) -> Void) -> WireMetadata {
        var copy = metadata
        change(&copy)
        return copy
    }
}

extension FrameDecoder {
    /// All messages in some bytes, fed in one piece.
    static func messages(in bytes: [UInt8], magic: Bool = true) throws(WireFault) -> [Message] {
        var decoder = FrameDecoder()
        (magic ? WireLimit.magic + bytes : bytes).withUnsafeBytes { decoder.feed($0) }
        var messages: [Message] = []
        while let message = try decoder.next() { messages.append(message) }
        return messages
    }
}
