package import MediaModel

/// Everything that one end says to the other. `docs/protocol.md` has the bytes.
package enum Message: Sendable {
    // To agree on what is done.
    case hello(Hello)
    case welcome(Welcome)
    /// Nothing comes of it; the connection ends.
    case failure(SyncError)
    /// The first message of a further connection, in the place of a hello.
    case join(WireJoin)
    /// The answer to it: bytes of files may come.
    case joined
    /// The near end's answer to a welcome, at once, where its hello speaks of further connections.
    case greeted
    /// What both took over the line: the microseconds from a welcome to the answer, as the far end saw them.
    case roundTrip(microseconds: UInt32)

    // From the end that sends.
    case directory(WireDirectory)
    case batch(WireBatch)
    /// All entries and children of a directory were named. So many of its children are bundles, some of which may still be on
    /// their way by other connections.
    case directoryEnd(id: UInt32, bundles: UInt32, DirectoryEnd)
    /// A directory with all of its files.
    case bundle(WireBundle)
    case file(WireFile)
    case piece(transfer: UInt32, [UInt8])
    case fileEnd(transfer: UInt32, FileEnd)
    /// A file that was wanted cannot be read.
    case fileFailed(WireReference, SyncError)
    /// Blocks of the version that the receiver has come next in a file.
    case copies(transfer: UInt32, [WireCopy])
    /// A directory and all below it, in short.
    case summary(WireSummary)
    /// Every directory was named.
    case treeEnd
    /// The answer to `done`: nothing more comes from here.
    case bye

    /// What became of names that were asked about.
    case answer(AskAnswer)
    /// One entry that was asked for once more, as a batch whose directory is the question's number.
    case entry(WireBatch)
    /// How many entries a walk of the tree is going to name.
    case total(Int64)

    // From the end that receives.
    case want(Want)
    /// Bundles may come unasked: there is nothing here that they could be the same as.
    case bundles
    /// Summaries are worth their while: there is something to compare them with.
    case summarize(SummaryTerms)
    /// Whether everything that a summary stands for is here as it should be.
    case summaryAnswer(id: UInt32, isSame: Bool)
    /// So many more directories are finished and closed.
    case closed(UInt32)
    /// What is there of a file that is wanted with a basis.
    case basis(WireBasis)
    /// Checksums of the next blocks of a basis.
    case sums(WireReference, [UInt8])
    /// A file that was wanted with a basis is to come with all its bytes.
    case sendWhole(WireReference)
    /// A file that came as copies and pieces is whole, or given up.
    case built(WireReference)
    /// Everything that was wanted is here.
    case done
    /// Are these names of the target nowhere in the source?
    case ask(Ask)
    /// How is this one entry now?
    case askEntry(Ask)
    /// How many entries are going to be named?
    case count

    /// Other frames, packed by zstd, and their bytes before. Never one like it.
    case packed(bytes: Int, [UInt8])

    /// A part of the list of paths that a copy is about; the last one is marked. From the near end, right behind the hello.
    case listed([UInt8], isLast: Bool)

    // From a receiving far end, for whoever watches.
    case stage(String)
    case item(ItemEvent)
    case notice(Notice)
    case counts(Counts)
    /// Everything is done, or was given up for the reason.
    case finished(Counts, SyncError?)

    /// The message's number on the wire.
    private enum Kind: UInt8 {
        case hello = 1
        case welcome = 2
        case failure = 3
        case listed = 4
        case packed = 5
        case join = 6
        case joined = 7
        case greeted = 8
        case roundTrip = 9
        case directory = 16
        case batch = 17
        case directoryEnd = 18
        case file = 19
        case piece = 20
        case fileEnd = 21
        case fileFailed = 22
        case treeEnd = 23
        case bye = 24
        case answer = 25
        case entry = 26
        case total = 27
        case summary = 28
        case bundle = 29
        case want = 32
        case closed = 33
        case done = 34
        case ask = 35
        case askEntry = 36
        case count = 37
        case summarize = 38
        case summaryAnswer = 39
        case bundles = 40
        case basis = 48
        case sums = 49
        case sendWhole = 50
        case built = 51
        case copies = 56
        case stage = 64
        case item = 65
        case notice = 66
        case counts = 67
        case finished = 68
    }

    static let fileKind = Kind.file.rawValue
    static let bundleKind = Kind.bundle.rawValue

    /// The frame that carries it.
    package func encoded() -> [UInt8] {
        var writer = WireWriter()
        encode(into: &writer)
        return writer.bytes
    }

    /// Writes the frame that carries it behind others.
    package func encode(into writer: inout WireWriter) {
        writer.begin(reserving: sizeHint)
        let kind = write(to: &writer)
        writer.finish(kind: kind.rawValue)
    }

    /// Whether it may travel packed together with others. What an end of another version must understand may not; bytes of
    /// files are packed by whoever reads them, if at all.
    package var mayBePacked: Bool {
        switch self {
        case .hello, .welcome, .failure, .join, .joined, .greeted, .piece, .bundle, .packed: return false
        case .file(let file):
            if case .whole = file.content { return false }
            return true
        default: return true
        }
    }

    private var sizeHint: Int {
        switch self {
        case .piece(_, let bytes): bytes.count + 16
        case .file(let file):
            if case .whole(let bytes, _) = file.content { bytes.count + 160 } else { 160 }
        case .bundle(let bundle): bundle.weight
        case .batch(let batch), .entry(let batch): batch.entries.count * 64 + 16
        case .listed(let bytes, _): bytes.count + 16
        case .packed(_, let bytes): bytes.count + 16
        case .basis(let basis): basis.sums.count + 64
        case .sums(_, let bytes): bytes.count + 16
        case .copies(_, let copies): copies.count * 4 + 16
        case .summary(let summary): summary.ages.count * 5 + summary.names.count + 128
        default: 64
        }
    }

    private func write(to writer: inout WireWriter) -> Kind {
        switch self {
        case .hello(let hello):
            writer.hello(hello)
            return .hello
        case .welcome(let welcome):
            writer.welcome(welcome)
            return .welcome
        case .failure(let error):
            writer.failure(error)
            return .failure
        case .join(let join):
            writer.join(join)
            return .join
        case .joined:
            return .joined
        case .greeted:
            return .greeted
        case .roundTrip(let microseconds):
            writer.unsigned(microseconds)
            return .roundTrip
        case .directory(let directory):
            writer.directory(directory)
            return .directory
        case .batch(let batch):
            writer.batch(batch)
            return .batch
        case .bundle(let bundle):
            writer.bundle(bundle)
            return .bundle
        case .directoryEnd(let id, let bundles, let end):
            writer.unsigned(id)
            writer.unsigned(bundles)
            writer.directoryEnd(end)
            return .directoryEnd
        case .file(let file):
            writer.file(file)
            return .file
        case .piece(let transfer, let bytes):
            writer.unsigned(transfer)
            writer.data(bytes)
            return .piece
        case .fileEnd(let transfer, let end):
            writer.unsigned(transfer)
            writer.fileEnd(end)
            return .fileEnd
        case .fileFailed(let reference, let error):
            writer.reference(reference)
            writer.failure(error)
            return .fileFailed
        case .copies(let transfer, let copies):
            writer.unsigned(transfer)
            writer.copies(copies)
            return .copies
        case .basis(let basis):
            writer.basis(basis)
            return .basis
        case .sums(let reference, let bytes):
            writer.reference(reference)
            writer.data(bytes)
            return .sums
        case .sendWhole(let reference):
            writer.reference(reference)
            return .sendWhole
        case .built(let reference):
            writer.reference(reference)
            return .built
        case .summary(let summary):
            writer.summary(summary)
            return .summary
        case .bundles:
            return .bundles
        case .summarize(let terms):
            writer.summaryTerms(terms)
            return .summarize
        case .summaryAnswer(let id, let isSame):
            writer.unsigned(id)
            writer.flag(isSame)
            return .summaryAnswer
        case .treeEnd:
            return .treeEnd
        case .bye:
            return .bye
        case .done:
            return .done
        case .answer(let answer):
            writer.askAnswer(answer)
            return .answer
        case .entry(let batch):
            writer.batch(batch)
            return .entry
        case .total(let count):
            writer.unsigned(count)
            return .total
        case .ask(let ask):
            writer.ask(ask)
            return .ask
        case .askEntry(let ask):
            writer.ask(ask)
            return .askEntry
        case .count:
            return .count
        case .listed(let bytes, let isLast):
            writer.flag(isLast)
            writer.data(bytes)
            return .listed
        case .packed(let count, let bytes):
            writer.unsigned(count)
            writer.data(bytes)
            return .packed
        case .want(let want):
            writer.want(want)
            return .want
        case .closed(let count):
            writer.unsigned(count)
            return .closed
        case .stage(let name):
            writer.text(name)
            return .stage
        case .item(let item):
            writer.item(item)
            return .item
        case .notice(let notice):
            writer.notice(notice)
            return .notice
        case .counts(let counts):
            writer.counts(counts)
            return .counts
        case .finished(let counts, let error):
            writer.counts(counts)
            writer.optional(error) { $0.failure($1) }
            return .finished
        }
    }

    /// Reads a frame.
    /// - Parameter payload: all bytes behind the header.
    package init(kind: UInt8, payload: ArraySlice<UInt8>) throws(WireFault) {
        guard let kind = Kind(rawValue: kind) else { throw WireFault("a frame is of no known kind: \(kind)") }
        var reader = WireReader(payload)
        self = try Self.read(kind, &reader)
        // One of another version ends nobody knows where.
        if case .hello(let hello) = self, hello.version != WireLimit.version { return }
        if case .welcome(let welcome) = self, welcome.version != WireLimit.version { return }
        if case .join(let join) = self, join.version != WireLimit.version { return }
        try reader.end()
    }

    private static func read(_ kind: Kind, _ reader: inout WireReader) throws(WireFault) -> Message {
        let failure = { (reader: inout WireReader) throws(WireFault) in try reader.failure() }
        switch kind {
        case .hello: return .hello(try reader.hello())
        case .welcome: return .welcome(try reader.welcome())
        case .failure: return .failure(try reader.failure())
        case .join: return .join(try reader.join())
        case .joined: return .joined
        case .greeted: return .greeted
        case .roundTrip: return .roundTrip(microseconds: try reader.number32())
        case .directory: return .directory(try reader.directory())
        case .batch: return .batch(try reader.batch())
        case .bundle: return .bundle(try reader.bundle())
        case .directoryEnd:
            let id = try reader.number32()
            return .directoryEnd(id: id, bundles: try reader.number32(), try reader.directoryEnd())
        case .file: return .file(try reader.file())
        case .piece: return .piece(transfer: try reader.number32(), try reader.bytes(WireLimit.pieceBytes))
        case .fileEnd: return .fileEnd(transfer: try reader.number32(), try reader.fileEnd())
        case .fileFailed: return .fileFailed(try reader.reference(), try reader.failure())
        case .copies: return .copies(transfer: try reader.number32(), try reader.copies())
        case .basis: return .basis(try reader.basis())
        case .sums: return .sums(try reader.reference(), try reader.bytes(WireLimit.pieceBytes))
        case .sendWhole: return .sendWhole(try reader.reference())
        case .built: return .built(try reader.reference())
        case .summary: return .summary(try reader.summary())
        case .bundles: return .bundles
        case .summarize: return .summarize(try reader.summaryTerms())
        case .summaryAnswer: return .summaryAnswer(id: try reader.number32(), isSame: try reader.flag())
        case .treeEnd: return .treeEnd
        case .bye: return .bye
        case .done: return .done
        case .answer: return .answer(try reader.askAnswer())
        case .entry: return .entry(try reader.batch())
        case .total: return .total(try reader.count(1 << 48))
        case .ask: return .ask(try reader.ask())
        case .askEntry: return .askEntry(try reader.ask())
        case .count: return .count
        case .listed:
            let isLast = try reader.flag()
            return .listed(try reader.bytes(WireLimit.pieceBytes), isLast: isLast)
        case .packed:
            return .packed(bytes: try reader.packedSize(), try reader.bytes(WireLimit.packedBytes))
        case .want: return .want(try reader.want())
        case .closed: return .closed(try reader.number32())
        case .stage: return .stage(try reader.text())
        case .item: return .item(try reader.item())
        case .notice: return .notice(try reader.notice())
        case .counts: return .counts(try reader.counts())
        case .finished: return .finished(try reader.counts(), try reader.optional(failure))
        }
    }
}
