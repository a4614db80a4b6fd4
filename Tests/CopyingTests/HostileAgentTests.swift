import Archives
import Copying
import Filtering
import Glibc
import MediaModel
import MediasyncTesting
import Running
import Storage
import Testing
import Wire

/// A far end that says what no honest one says. Whatever it is: nothing is written outside of the target, and the run ends.
@Suite("A hostile far end") struct HostileAgentTests {
    let place: TemporaryDirectory
    let target: BytePath
    let outside: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (outside, target) = try place.makePair()
        // As the program does: an end that goes is heard of by the error alone.
        signal(SIGPIPE, SIG_IGN)
    }

    static let folder = WireMetadata(
        mode: 0o040755,
        owner: 0,
        group: 0,
        size: 0,
        accessTime: WireTime(seconds: 1, nanoseconds: 0),
        modificationTime: WireTime(seconds: 1, nanoseconds: 0),
        changeTime: WireTime(seconds: 1, nanoseconds: 0)
    )

    static func metadata(_ mode: UInt32, size: Int64 = 0) -> WireMetadata {
        var metadata = folder
        metadata.mode = mode
        metadata.size = size
        return metadata
    }

    static let greeting: [Message] = [
        .welcome(Welcome(source: SourceFacts(isEmpty: false, looksLikeRoot: false))),
        .directory(WireDirectory(id: 0, parent: nil, name: .root, state: .open(folder, []))),
    ]

    static func file(_ name: String, size: Int64 = 1) -> WireEntry {
        WireEntry(name: BytePath(name), kind: .file, state: .present(metadata(0o100644, size: size)))
    }

    static let end: [Message] = [.directoryEnd(id: 0, bundles: 0, .listed), .treeEnd]

    /// Pulls from an agent that says some things, waits until it was sent so many bytes, and says the rest.
    func pull(
        _ first: [Message],
        then second: [Message] = [],
        after wants: [Want] = [],
        afterAlso others: Int = 0,
        raw: [UInt8] = [],
        magic: Bool = true,
        options: CopyOptions = CopyOptions()
    ) async throws -> RunResult {
        let wanted = wants.reduce(others) { $0 + Message.want($1).encoded().count }
        return try await converse(
            [(after: 0, say: first), (after: wanted, say: second)],
            raw: raw,
            magic: magic,
            options: options
        )
    }

    /// The same in any number of turns: each time so many more bytes are awaited.
    func converse(
        _ turns: [(after: Int, say: [Message])],
        raw: [UInt8] = [],
        magic: Bool = true,
        options: CopyOptions = CopyOptions()
    ) async throws -> RunResult {
        let run = RunID(secondsSince1970: 0, random: 1)
        let remote = try #require(try RemotePlace(BytePath("host:/tree")))
        let hello = try Hello(.send, remote, options, run: run)
        // What is sent has the clock in it, in a few bytes more: fewer than any message that is waited for has.
        var shortest = hello
        shortest.clock.seconds = Host.wallClock().seconds
        var greeted = WireLimit.magic.count + Message.hello(shortest).encoded().count
        // Where it has no directories to compare, the receiver says so.
        let hasDirectories = try Disk.names(in: target).contains {
            $0 != BytePath("lost+found") && Disk.isDirectory(target / $0.description)
        }
        if !hasDirectories { greeted += Message.bundles.encoded().count }
        var script = ""
        for (number, turn) in turns.enumerated() {
            let isFirst = number == 0
            let bytes = (isFirst && magic ? WireLimit.magic : []) + turn.say.flatMap { $0.encoded() }
            try Disk.write(place.path / "\(number)", bytes)
            let awaited = number == 1 ? greeted + turn.after : turn.after
            if !isFirst, !turn.say.isEmpty { script += "head -c \(awaited) >&2; " }
            script += "cat \(place.path)/\(number); "
        }
        try Disk.write(place.path / "raw", raw)
        script += "cat \(place.path)/raw; cat >&2; exit 0"
        let way = FarEnd.Way(
            shell: ["/bin/sh", "-c", script].map { BytePath($0) },
            program: "mediasync",
            environment: ["PATH": "/usr/bin:/bin"]
        )
        let engine = CopyEngine(
            source: BytePath("host:/tree"),
            target: target,
            options: options,
            run: run,
            host: .current(),
            control: RunControl(),
            sink: { _ in },
            origin: FarEnd(remote, way, hello, fileList: nil)
        )
        return await engine.run()
    }

    func expectRefused(_ result: RunResult, _ why: String, _ location: SourceLocation = #_sourceLocation) throws {
        #expect(result.error?.code == .unusable, sourceLocation: location)
        #expect(
            result.error?.why?.contains(why) == true,
            "\(result.error?.why ?? "no reason")",
            sourceLocation: location
        )
        try expectUntouched(location)
    }

    func expectUntouched(_ location: SourceLocation = #_sourceLocation) throws {
        #expect(try Disk.names(in: outside).isEmpty, sourceLocation: location)
        let litter = try Disk.names(in: target).filter { $0.description.hasPrefix(".mediasync-tmp") }
        #expect(litter.isEmpty, sourceLocation: location)
    }

    @Test(
        "whose names lead elsewhere is not heard any further",
        arguments: ["..", ".", "", "/etc/cron.d/x", "a/../../x"]
    )
    func names(name: String) async throws {
        let batch = Message.batch(WireBatch(id: 0, directory: 0, entries: [Self.file(name)]))
        let result = try await pull(Self.greeting + [batch] + Self.end)
        try expectRefused(result, "a name")
    }

    @Test("that sends a link and then files below it writes nothing where the link leads")
    func throughLink() async throws {
        let link = WireEntry(
            name: BytePath("d"),
            kind: .symlink,
            state: .present(Self.metadata(0o120777)),
            text: outside.bytes
        )
        let below = Message.directory(
            WireDirectory(id: 1, parent: 0, name: BytePath("d"), state: .open(Self.folder, []))
        )
        let inner = WireEntry(
            name: BytePath("planted"),
            kind: .symlink,
            state: .present(Self.metadata(0o120777)),
            text: Array("x".utf8)
        )
        let first: [Message] = [
            .batch(WireBatch(id: 0, directory: 0, entries: [link])), below,
            .batch(WireBatch(id: 1, directory: 1, entries: [inner])), .directoryEnd(id: 1, bundles: 0, .listed),
        ]
        _ = try await pull(Self.greeting + first + Self.end)
        try expectUntouched()
    }

    @Test("whose bytes are not those of the digest puts nothing in place")
    func digest() async throws {
        let batch = Message.batch(WireBatch(id: 0, directory: 0, entries: [Self.file("a")]))
        let file = WireFile(
            reference: WireReference(batch: 0, index: 0),
            metadata: Self.metadata(0o100644, size: 1),
            attributes: [],
            content: .whole([7], Digest(algorithm: .xxh3, bytes: [UInt8](repeating: 0, count: 16)))
        )
        let result = try await pull(
            Self.greeting + [batch] + Self.end,
            then: [.file(file)],
            after: [Want(batch: 0, items: [.init(index: 0)])]
        )
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.failed == 1)
        #expect(try Disk.names(in: target).isEmpty)
    }

    @Test("whose pieces are more than the file has puts nothing in place")
    func pieces() async throws {
        let batch = Message.batch(WireBatch(id: 0, directory: 0, entries: [Self.file("a", size: 3)]))
        let file = WireFile(
            reference: WireReference(batch: 0, index: 0),
            metadata: Self.metadata(0o100644, size: 3),
            attributes: [],
            content: .pieces(transfer: 5)
        )
        let sum = Digest(algorithm: .xxh3, bytes: [UInt8](repeating: 0, count: 16))
        let result = try await pull(
            Self.greeting + [batch] + Self.end,
            then: [.file(file), .piece(transfer: 5, [1, 2, 3, 4]), .fileEnd(transfer: 5, .whole(sum))],
            after: [Want(batch: 0, items: [.init(index: 0)])]
        )
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.failed == 1)
        #expect(try Disk.names(in: target).isEmpty)
    }

    @Test("that sends what nobody asked for is not heard any further")
    func unasked() async throws {
        let reference = WireReference(batch: 9, index: 0)
        let file = WireFile(
            reference: reference,
            metadata: Self.metadata(0o100644),
            attributes: [],
            content: .pieces(transfer: 1)
        )
        let sayings: [([Message], String)] = [
            ([.file(file)], "not asked for"), ([.piece(transfer: 1, [1])], "no file"),
            ([.fileEnd(transfer: 1, .again)], "not begun"),
            (
                [.directory(WireDirectory(id: 2, parent: 7, name: BytePath("a"), state: .open(Self.folder, [])))],
                "no parent"
            ),
            (
                [.directory(WireDirectory(id: 0, parent: 0, name: BytePath("a"), state: .open(Self.folder, [])))],
                "one number"
            ),
            ([.directory(WireDirectory(id: 5, parent: nil, name: .root, state: .open(Self.folder, [])))], "two roots"),
            ([.batch(WireBatch(id: 0, directory: 3, entries: []))], "no directory"),
            ([.directoryEnd(id: 4, bundles: 0, .listed)], "begun"),
            ([.treeEnd], "before its directories"), ([.bye], "nobody waits for"), ([.closed(1)], "nobody waits for"),
            ([.stage("x")], "nobody waits for"),
        ]
        for (saying, why) in sayings {
            try expectRefused(try await pull(Self.greeting + saying), why)
        }
    }

    @Test("that answers what nobody asked is not heard any further")
    func answers() async throws {
        let entry = WireBatch(id: 0, directory: 0, entries: [Self.file("a")])
        for saying in [.answer(AskAnswer(id: 0, areGone: [true])), .entry(entry)] as [Message] {
            try expectRefused(try await pull(Self.greeting + [saying]), "without a question")
        }
    }

    @Test(
        "that answers for other names than it was asked about deletes nothing",
        arguments: [[], [true, true]] as [[Bool]]
    )
    func wrongAnswer(areGone: [Bool]) async throws {
        try Disk.write(target / "extra", "x")
        var options = CopyOptions()
        options.delete = true
        options.deleteLimit = .count(9)
        let ask = Message.ask(Ask(id: 0, names: AskedNames(directory: .root, names: [BytePath("extra")])))
        let result = try await pull(
            Self.greeting + Self.end,
            then: [.answer(AskAnswer(id: 0, areGone: areGone))],
            afterAlso: ask.encoded().count,
            options: options
        )
        try expectRefused(result, "other names than the question")
        #expect(Disk.exists(target / "extra"))
    }

    @Test("has the last word about what is deleted", arguments: [true, false])
    func lastWord(isGone: Bool) async throws {
        try Disk.write(target / "extra", "x")
        var options = CopyOptions()
        options.delete = true
        options.deleteLimit = .count(9)
        let ask = Message.ask(Ask(id: 0, names: AskedNames(directory: .root, names: [BytePath("extra")])))
        let result = try await pull(
            Self.greeting + Self.end,
            then: [.answer(AskAnswer(id: 0, areGone: [isGone]))],
            afterAlso: ask.encoded().count,
            options: options
        )
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(Disk.exists(target / "extra") == !isGone)
    }

    @Test("whose clock is an hour off is asked for attributes that changed later", arguments: [-3600, 3600] as [Int64])
    func clocks(offset: Int64) async throws {
        try Disk.write(target / "a", "x")
        try Disk.setTime(target / "a", 1)
        let now = Host.wallClock().seconds + offset
        // Changed a minute from now there: later than the target's file, whatever that clock says.
        var metadata = Self.metadata(0o100644, size: 1)
        metadata.changeTime.seconds = now + 60
        var welcome = Welcome(source: SourceFacts(isEmpty: false, looksLikeRoot: false))
        welcome.clock = WireTime(seconds: now, nanoseconds: 0)
        let entry = WireEntry(name: BytePath("a"), kind: .file, state: .present(metadata))
        let file = WireFile(
            reference: WireReference(batch: 0, index: 0),
            metadata: metadata,
            attributes: [ExtendedAttribute(name: Array("user.a".utf8), value: [1])],
            content: .attributes
        )
        let result = try await pull(
            [.welcome(welcome)] + Self.greeting.dropFirst() + [.batch(WireBatch(id: 0, directory: 0, entries: [entry]))]
                + Self.end,
            then: [.file(file)],
            after: [Want(batch: 0, items: [.init(index: 0, attributesOnly: true)])]
        )
        #expect(result.error == nil && result.counts.updated >= 1, "\(String(describing: result.error))")
    }

    @Test("that does not keep to frames is not heard any further")
    func frames() async throws {
        try expectRefused(try await pull(Self.greeting, raw: [0xFF, 0xFF, 0xFF, 0x7F, 17]), "too long")
        try expectRefused(try await pull(Self.greeting, raw: [1, 0, 0, 0, 200, 0]), "no known kind")
        try expectRefused(try await pull([], raw: Array("Last login: today\r\n".utf8), magic: false), "does not speak")
    }

    private static func packed(_ frames: [UInt8], saying count: Int? = nil) throws -> Message {
        let packed = try #require(frames.withUnsafeBytes { BlockPacker().pack($0) })
        return .packed(bytes: count ?? frames.count, packed)
    }

    @Test("that packs frames is understood")
    func packed() async throws {
        let entries = (0..<50).map { Self.file("f\($0)", size: 0) }
        let batch = Message.batch(WireBatch(id: 0, directory: 0, entries: entries)).encoded()
        let rest = Self.end.flatMap { $0.encoded() }
        var options = CopyOptions()
        options.dryRun = true
        let result = try await pull(Self.greeting + [Self.packed(batch + rest)], options: options)
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.copied == 50)
    }

    @Test("that packs what is no frame, or other than it says, is not heard any further")
    func badlyPacked() async throws {
        let closed = Message.directoryEnd(id: 7, bundles: 0, .listed).encoded()
        let many = Array(repeating: closed, count: 300).flatMap { $0 }
        let noise = Message.packed(bytes: 1000, SeededGenerator.bytes(200, seed: 1))
        let bomb = try Self.packed([UInt8](repeating: 0, count: 32 << 20), saying: WireLimit.packedBytes)
        for message in [noise, bomb, try Self.packed(many, saying: 20), try Self.packed(many, saying: many.count + 1)] {
            try expectRefused(try await pull(Self.greeting + [message]), "cannot be unpacked")
        }
        let nested = try Self.packed(many).encoded() + [UInt8](repeating: 0, count: 2000)
        try expectRefused(try await pull(Self.greeting + [Self.packed(nested)]), "packed again")
        let cut = Message.stage(String(repeating: "x", count: 3000)).encoded().dropLast(5)
        try expectRefused(try await pull(Self.greeting + [Self.packed(Array(cut))]), "in the middle of a frame")
        let zeros = [UInt8](repeating: 0, count: 3000)
        try expectRefused(try await pull(Self.greeting + [Self.packed(zeros)]), "no known kind")
    }

    @Test("that sends what rules leave out does not get it in")
    func excluded() async throws {
        var options = CopyOptions()
        options.filters.exclude(Array("secret*".utf8))
        let fifo = WireEntry(name: BytePath("secret1"), kind: .fifo, state: .present(Self.metadata(0o010644)))
        let messages: [Message] = [
            .batch(WireBatch(id: 0, directory: 0, entries: [fifo])),
            .directory(WireDirectory(id: 1, parent: 0, name: BytePath("secret2"), state: .open(Self.folder, []))),
            .directoryEnd(id: 1, bundles: 0, .listed),
        ]
        let result = try await pull(Self.greeting + messages + Self.end, options: options)
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.skipped[.excluded] == 2)
        #expect(try Disk.names(in: target).isEmpty)
    }
}
