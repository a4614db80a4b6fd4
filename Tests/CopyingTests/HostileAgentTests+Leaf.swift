import Checksums
import Copying
import MediaModel
import MediasyncTesting
import Running
import Testing
import Wire

/// Leaves come unasked: whatever they say is checked as it is of files that were asked for.
extension HostileAgentTests {
    private static func file(_ name: String, _ text: String, isRight: Bool = true) -> WireLeaf.File {
        let bytes = Array(text.utf8)
        let sum = bytes.withUnsafeBytes { StreamingDigest(.xxh3).digest(of: $0) }
        let wrong = Digest(algorithm: .xxh3, bytes: [UInt8](repeating: 0, count: 16))
        return WireLeaf.File(
            name: BytePath(name),
            metadata: metadata(0o100644, size: Int64(bytes.count)),
            attributes: [],
            bytes: bytes,
            digest: isRight ? sum : wrong
        )
    }

    private static func leaf(_ name: String, in parent: UInt32 = 0, _ files: [WireLeaf.File]) -> Message {
        .leaf(WireLeaf(parent: parent, name: BytePath(name), metadata: folder, attributes: [], files: files))
    }

    private static func end(leaves: UInt32) -> [Message] {
        [.directoryEnd(id: 0, leaves: leaves, .listed), .treeEnd]
    }

    @Test("whose leaves are as they should be is believed")
    func leaves() async throws {
        let said = [
            Self.leaf("d", [Self.file("a", "one"), Self.file("b", "")]), Self.leaf("e", [Self.file("a", "two")]),
        ]
        let result = try await pull(Self.greeting + said + Self.end(leaves: 2))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(
            result.counts.copied == 3 && result.counts.created == 2 && result.counts.failed == 0,
            "\(result.counts)"
        )
        #expect(try Disk.read(target / "d/a") == Array("one".utf8))
        #expect(try Disk.read(target / "d/b").isEmpty)
        #expect(try Disk.read(target / "e/a") == Array("two".utf8))
    }

    @Test("whose leaf has bytes that are not those of the digest puts the others in place and not those")
    func leafDigest() async throws {
        let said = Self.leaf("d", [Self.file("a", "one", isRight: false), Self.file("b", "two")])
        let result = try await pull(Self.greeting + [said] + Self.end(leaves: 1))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.failed == 1)
        #expect(try Disk.names(in: target / "d") == [BytePath("b")])
    }

    @Test("that sends leaves that cannot be is not heard any further")
    func leafFaults() async throws {
        let good = Self.leaf("d", [Self.file("a", "one")])
        var shorter = Self.file("a", "one")
        shorter.metadata.size = 2
        var several = Self.file("a", "one")
        several.metadata.links = WireMetadata.Links(device: 1, inode: 1, count: 2)
        let sayings: [([Message], String)] = [
            ([Self.leaf("d", in: 7, [Self.file("a", "one")])], "no directory"),
            ([good] + Self.end(leaves: 0), "more leaves than it says"),
            ([.directoryEnd(id: 0, leaves: 1, .listed), good, good], "no directory"),
            ([.directoryEnd(id: 0, leaves: 2, .listed), .directoryEnd(id: 0, leaves: 2, .listed)], "begun"),
            ([good, .treeEnd], "before its directories"), (Self.end(leaves: 1) + [.treeEnd], "before its directories"),
            ([Self.leaf("d", [])], "no files"), ([Self.leaf("..", [Self.file("a", "one")])], "a name"),
            ([Self.leaf("d", [Self.file("../a", "one")])], "a name"),
            ([Self.leaf("d", [shorter])], "shorter or longer"),
            ([Self.leaf("d", [several])], "several names"),
        ]
        for (saying, why) in sayings { try expectRefused(try await pull(Self.greeting + saying), why) }
    }

    @Test("that sends a leaf where the receiver compares is not heard any further")
    func leafUnasked() async throws {
        try Disk.makeDirectory(target / "there")
        let saying = [Self.leaf("d", [Self.file("a", "one")])] + Self.end(leaves: 1)
        try expectRefused(try await pull(Self.greeting + saying), "not asked for")
        #expect(!Disk.exists(target / "d"))
    }

    @Test("that sends a leaf through a link writes nothing where the link leads")
    func leafThroughLink() async throws {
        try Disk.makeLink(target / "d", to: outside)
        let saying = [Self.leaf("d", [Self.file("a", "one")])] + Self.end(leaves: 1)
        _ = try await pull(Self.greeting + saying)
        try expectUntouched()
    }

    @Test("may tell a leaf's directory of leaves twice, and one file of two names")
    func leafTwice() async throws {
        let said = [
            Self.leaf("d", [Self.file("a", "one"), Self.file("a", "one")]), Self.leaf("d", [Self.file("b", "two")]),
        ]
        let result = try await pull(Self.greeting + said + Self.end(leaves: 2))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(try Disk.read(target / "d/a") == Array("one".utf8))
        try expectUntouched()
    }

    @Test("that sends files of a leaf that are there already changes nothing of them", arguments: [false, true])
    func leafOfOldFiles(delete: Bool) async throws {
        // No directory lies here when the run asks for leaves.
        try Disk.write(target / "x", "extra")
        var options = CopyOptions()
        options.delete = delete
        options.deleteLimit = .count(9)
        let ask = Message.ask(Ask(id: 0, names: AskedNames(directory: .root, names: [BytePath("x")])))
        let result = try await pull(
            Self.greeting + [Self.leaf("d", [Self.file("a", "one")])] + Self.end(leaves: 1),
            then: delete ? [.answer(AskAnswer(id: 0, areGone: [true]))] : [],
            afterAlso: ask.encoded().count,
            options: options
        )
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(Disk.exists(target / "x") == !delete)
        #expect(try Disk.read(target / "d/a") == Array("one".utf8))
    }
}
