import MediaModel
import Testing
import Wire

@Suite("Messages between two ends")
struct MessageTests {
    @Test("say after decoding what they said before", arguments: Samples.all.indices)
    func roundTrip(index: Int) throws {
        let message = Samples.all[index]
        let decoded = try FrameDecoder.messages(in: message.encoded())
        #expect(decoded.map { "\($0)" } == ["\(message)"])
        #expect(decoded.first?.encoded() == message.encoded())
    }

    @Test("come out the same in whatever pieces they arrive", arguments: [1, 2, 3, 7, 64, 1000])
    func pieces(size: Int) throws {
        let bytes = WireLimit.magic + Samples.all.flatMap { $0.encoded() }
        var decoder = FrameDecoder()
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            Array(bytes[start..<min(bytes.count, start + size)]).withUnsafeBytes { decoder.feed($0) }
            while let message = try decoder.next() { found.append("\(message)") }
        }
        #expect(found == Samples.all.map { "\($0)" })
        #expect(decoder.isBetweenFrames)
    }

    @Test("that end in the middle of a value are refused, wherever they are cut", arguments: Samples.all.indices)
    func cuts(index: Int) {
        let frame = Samples.all[index].encoded()
        let payload = frame.dropFirst(WireLimit.headerBytes)
        for length in 0..<payload.count {
            #expect(throws: WireFault.self) { try Message(kind: frame[4], payload: payload.prefix(length)) }
        }
    }

    @Test("with bytes behind their last value are refused", arguments: Samples.all.indices)
    func trailing(index: Int) {
        let frame = Samples.all[index].encoded()
        #expect(throws: WireFault.self) {
            try Message(kind: frame[4], payload: frame.dropFirst(WireLimit.headerBytes) + [0])
        }
    }

    @Test("from a login shell that prints something are told apart")
    func shell() {
        #expect(throws: WireFault("the other end does not speak the protocol")) {
            try FrameDecoder.messages(in: Array("Welcome to old.example!\n".utf8), magic: false)
        }
    }

    @Test("of a version that is not known are read as far as their number")
    func version() throws {
        var hello = Samples.hello
        hello.version = 9
        let decoded = try FrameDecoder.messages(in: Message.hello(hello).encoded())
        guard case .hello(let read)? = decoded.first else { throw WireFault("no hello") }
        #expect(read.version == 9)
    }

    @Test("of an end whose clock is beyond all time, or that can hold nothing open, are refused")
    func greetings() {
        for change in [
            { $0.clock.seconds = .max }, { $0.clock.seconds = .min }, { $0.directories = 0 },
        ] as [(inout Hello) -> Void] {
            var hello = Samples.hello
            change(&hello)
            refused(.hello(hello))
        }
    }

    @Test("that say they are packed are refused where that is nothing, or too much", arguments: [0, (384 << 10) + 1])
    func packedSizes(count: Int) {
        #expect(throws: WireFault.self) {
            try FrameDecoder.messages(in: Message.packed(bytes: count, [1]).encoded())
        }
    }

    @Test("longer than a frame may be are refused by their header alone")
    func longFrame() {
        var decoder = FrameDecoder()
        (WireLimit.magic + [0xFF, 0xFF, 0xFF, 0xFF, 21]).withUnsafeBytes { decoder.feed($0) }
        #expect(throws: WireFault("a frame is too long: 4294967295 bytes")) { try decoder.next() }
    }

    @Test(
        "whose names lead elsewhere are refused",
        arguments: ["", ".", "..", "a/b", "/", "/etc", "a\u{0}b", String(repeating: "n", count: 256)]
    )
    func names(name: String) {
        let entry = WireEntry(name: BytePath(name), kind: .file, state: .present(Samples.metadata))
        refused(.batch(WireBatch(id: 0, directory: 0, entries: [entry])))
        refused(.directory(WireDirectory(id: 1, parent: 0, name: BytePath(name), state: .open(Samples.folder, []))))
        refused(.ask(Ask(id: 0, names: AskedNames(directory: .root, names: [BytePath(name)]))))
    }

    @Test(
        "whose paths lead elsewhere are refused",
        arguments: ["/a", "a/", "a//b", "a/../b", "..", "./a", String(repeating: "a/", count: 5000) + "a"]
    )
    func paths(path: String) {
        refused(.item(ItemEvent(path: BytePath(path), kind: .file, outcome: .copied)))
        refused(.ask(Ask(id: 0, names: AskedNames(directory: BytePath(path), names: []))))
        refused(.askEntry(Ask(id: 0, names: AskedNames(directory: BytePath(path), names: [BytePath("a")]))))
    }

    @Test(
        "whose summaries have names that lead elsewhere, or fit nothing else they say, are refused",
        arguments: [
            ("no kind", [0, 1, 0x61, 7, 1, 0x62, 255]), ("a pipe", [0, 1, 0x61, 3, 1, 0x62, 255]),
            ("a slash", [0, 1, 0x61, 0, 1, 0x2F, 255]),
            ("the directory above", [0, 1, 0x61, 1, 2, 0x2E, 0x2E, 255, 255]),
            ("no name", [0, 1, 0x61, 0, 0, 255]), ("a NUL", [0, 1, 0x61, 0, 1, 0, 255]),
            ("one name less", [0, 1, 0x61, 255]), ("one name more", [0, 1, 0x61, 0, 1, 0x62, 0, 1, 0x63, 255]),
            ("no end", [0, 1, 0x61, 0, 1, 0x62]), ("an end too many", [0, 1, 0x61, 0, 1, 0x62, 255, 255]),
            ("an open directory", [0, 1, 0x61, 1, 1, 0x62, 255]), ("a cut name", [0, 1, 0x61, 0, 9, 0x62, 255]),
        ] as [(String, [UInt8])]
    )
    func summaries(what: String, names: [UInt8]) {
        let summary = { (names: [UInt8]) in
            WireSummary(id: 1, parent: 0, name: BytePath("a"), entries: 3, names: names, digest: Samples.sum)
        }
        #expect(throws: Never.self) {
            try FrameDecoder.messages(in: Message.summary(summary([0, 1, 0x61, 0, 1, 0x62, 255])).encoded())
        }
        refused(.summary(summary(names)))
    }

    @Test("whose summaries are of nothing, of too much, or contradict themselves are refused")
    func contradictingSummaries() {
        for change in [
            { $0.entries = 0 }, { $0.entries = 257 }, { $0.ages.removeLast() }, { $0.ages[1] = 1 << 43 },
            { $0.latestChange = .max }, { $0.digest = Samples.digest }, { $0.name = BytePath("..") },
        ] as [(inout WireSummary) -> Void] {
            var summary = Samples.summary
            change(&summary)
            refused(.summary(summary))
        }
    }

    @Test("that contradict themselves are refused")
    func contradictions() {
        let reference = Samples.reference
        let five = Samples.metadata
        refused(
            .file(WireFile(reference: reference, metadata: five, attributes: [], content: .whole([1], Samples.digest)))
        )
        refused(.file(WireFile(reference: reference, metadata: Samples.folder, attributes: [], content: .attributes)))
        refused(.directory(WireDirectory(id: 0, parent: nil, name: .root, state: .open(five, []))))
        let entry = WireEntry(name: BytePath("a"), kind: .fifo, state: .present(five))
        refused(.batch(WireBatch(id: 0, directory: 0, entries: [entry])))
        refused(.want(Want(batch: 0, items: [.init(index: 4), .init(index: 4)])))
        refused(.copies(transfer: 0, []))
        refused(.copies(transfer: 0, [WireCopy(firstBlock: 1, blocks: 0)]))
        refused(.want(Want(batch: 0, items: [.init(index: UInt32(WireLimit.batchEntries))])))
        let single = Samples.changed { $0.links = .init(device: 1, inode: 1, count: 1) }
        refused(.file(WireFile(reference: reference, metadata: single, attributes: [], content: .attributes)))
    }

    @Test("that carry more than there may be are refused")
    func tooMuch() {
        let long = ExtendedAttribute(name: Array("user.a".utf8), value: [UInt8](repeating: 1, count: 64 << 10))
        refused(
            .file(
                WireFile(
                    reference: Samples.reference,
                    metadata: Samples.metadata,
                    attributes: [long, long, long],
                    content: .attributes
                )
            )
        )
        refused(.piece(transfer: 0, [UInt8](repeating: 0, count: WireLimit.pieceBytes + 1)))
        refused(.sums(Samples.reference, [UInt8](repeating: 0, count: WireLimit.pieceBytes + 1)))
        let copy = WireCopy(firstBlock: 0, blocks: 1)
        refused(.copies(transfer: 0, [WireCopy](repeating: copy, count: WireLimit.copies + 1)))
    }

    @Test(
        "with numbers that nobody writes are refused",
        arguments: [
            [0x80, 0x00], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x80],
        ] as [[UInt8]]
    )
    func numbers(bytes: [UInt8]) {
        var reader = WireReader(bytes[...])
        #expect(throws: WireFault.self) { try reader.unsigned() }
    }

    @Test(
        "keep every number that they can carry",
        arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64(UInt32.max), UInt64.max - 1, .max] as [UInt64]
    )
    func extremes(number: UInt64) throws {
        var writer = WireWriter()
        writer.unsigned(number)
        writer.signed(Int64(bitPattern: number))
        var reader = WireReader(writer.bytes[...])
        #expect(try reader.unsigned() == number)
        #expect(try reader.signed() == Int64(bitPattern: number))
        try reader.end()
    }

    @Test("do not carry what drives a terminal")
    func controls() throws {
        let error = SyncError(.item, "a\u{1B}[2Jb\nmediasync: done \\x0a")
        let decoded = try FrameDecoder.messages(in: Message.failure(error).encoded())
        guard case .failure(let read)? = decoded.first else { throw WireFault("no failure") }
        #expect(read.what == "a\\x1b[2Jb\\x0amediasync: done \\x0a")
    }

    private func refused(_ message: Message, _ location: SourceLocation = #_sourceLocation) {
        let frame = message.encoded()
        #expect(throws: WireFault.self, sourceLocation: location) {
            try Message(kind: frame[4], payload: frame.dropFirst(WireLimit.headerBytes))
        }
    }

    @Test(
        "a file that is read into its frame is as one that is put together",
        arguments: [0, 1, 127, 128, 20_000, 128 << 10]
    )
    func wholeFile(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var metadata = Samples.metadata
        metadata.size = Int64(count)
        var file = WireFile(
            reference: Samples.reference,
            metadata: metadata,
            attributes: Samples.attributes,
            content: .attributes
        )
        let frame = WireWriter.frame(of: file, bytes: count) { room in
            #expect(room.count == count + 1)
            room.copyBytes(from: bytes)
            return Samples.digest
        }
        file.content = .whole(bytes, Samples.digest)
        #expect(frame == Message.file(file).encoded())
        #expect(WireWriter.frame(of: file, bytes: count) { _ in nil } == nil)
    }

    @Test("bytes may come in any pieces to where they are read from", arguments: [1, 7, 4096, 1 << 20])
    func filling(room: Int) throws {
        let all = WireLimit.magic + Samples.all.flatMap { $0.encoded() }
        var decoder = FrameDecoder()
        var position = 0
        var messages: [Message] = []
        while position < all.count {
            let count = decoder.fill(room) { buffer in
                #expect(buffer.count == room)
                let piece = all[position..<min(all.count, position + room)]
                buffer.copyBytes(from: piece)
                return piece.count
            }
            position += count
            while let message = try decoder.next() { messages.append(message) }
        }
        #expect(decoder.isBetweenFrames)
        #expect(messages.map { $0.encoded() } == Samples.all.map { $0.encoded() })
    }
}
