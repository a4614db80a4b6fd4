import Checksums
import Copying
import MediaModel
import MediasyncTesting
import Running
import Testing
import Wire

/// Bundles come unasked: whatever they say is checked as it is of files that were asked for.
extension HostileAgentTests {
    private static func file(_ name: String, _ text: String, isRight: Bool = true) -> WireBundle.File {
        let bytes = Array(text.utf8)
        let sum = bytes.withUnsafeBytes { StreamingDigest(.xxh3).digest(of: $0) }
        let wrong = Digest(algorithm: .xxh3, bytes: [UInt8](repeating: 0, count: 16))
        return WireBundle.File(
            name: BytePath(name),
            metadata: metadata(0o100644, size: Int64(bytes.count)),
            attributes: [],
            bytes: bytes,
            digest: isRight ? sum : wrong
        )
    }

    private static func directory(_ name: String, _ entries: [WireBundle.Entry]) -> WireBundle.Directory {
        WireBundle.Directory(name: BytePath(name), metadata: folder, attributes: [], entries: entries)
    }

    private static func bundle(_ name: String, in parent: UInt32 = 0, _ files: [WireBundle.File]) -> Message {
        .bundle(WireBundle(parent: parent, directory(name, files.map { .file($0) })))
    }

    private static func end(bundles: UInt32) -> [Message] {
        [.directoryEnd(id: 0, bundles: bundles, .listed), .treeEnd]
    }

    @Test("whose bundles are as they should be is believed")
    func bundles() async throws {
        let said = [
            Self.bundle("d", [Self.file("a", "one"), Self.file("b", "")]), Self.bundle("e", [Self.file("a", "two")]),
        ]
        let result = try await pull(Self.greeting + said + Self.end(bundles: 2))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(
            result.counts.copied == 3 && result.counts.created == 2 && result.counts.failed == 0,
            "\(result.counts)"
        )
        #expect(try Disk.read(target / "d/a") == Array("one".utf8))
        #expect(try Disk.read(target / "d/b").isEmpty)
        #expect(try Disk.read(target / "e/a") == Array("two".utf8))
    }

    @Test("may send bundles to the root of a new file system")
    func bundlesForNewFileSystem() async throws {
        try Disk.makeDirectory(target / "lost+found")
        let said = [Self.bundle("d", [Self.file("a", "one")]), Self.bundle("lost+found", [Self.file("b", "two")])]
        let result = try await pull(Self.greeting + said + Self.end(bundles: 2))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.copied == 2 && result.counts.created == 1, "\(result.counts)")
        #expect(try Disk.read(target / "lost+found/b") == Array("two".utf8))
    }

    @Test("whose bundle has bytes that are not those of the digest puts the others in place and not those")
    func bundleDigest() async throws {
        let said = Self.bundle("d", [Self.file("a", "one", isRight: false), Self.file("b", "two")])
        let result = try await pull(Self.greeting + [said] + Self.end(bundles: 1))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.failed == 1)
        #expect(try Disk.names(in: target / "d") == [BytePath("b")])
    }

    @Test("that sends bundles that cannot be is not heard any further")
    func bundleFaults() async throws {
        let good = Self.bundle("d", [Self.file("a", "one")])
        var shorter = Self.file("a", "one")
        shorter.metadata.size = 2
        var several = Self.file("a", "one")
        several.metadata.links = WireMetadata.Links(device: 1, inode: 1, count: 2)
        let sayings: [([Message], String)] = [
            ([Self.bundle("d", in: 7, [Self.file("a", "one")])], "no directory"),
            ([good] + Self.end(bundles: 0), "more bundles than it says"),
            ([.directoryEnd(id: 0, bundles: 1, .listed), good, good], "no directory"),
            ([.directoryEnd(id: 0, bundles: 2, .listed), .directoryEnd(id: 0, bundles: 2, .listed)], "begun"),
            ([good, .treeEnd], "before its directories"), (Self.end(bundles: 1) + [.treeEnd], "before its directories"),
            ([Self.bundle("..", [Self.file("a", "one")])], "a name"),
            ([Self.bundle("d", [Self.file("../a", "one")])], "a name"),
            ([Self.bundle("d", [shorter])], "shorter or longer"),
            ([Self.bundle("d", [several])], "several names"),
        ]
        for (saying, why) in sayings { try expectRefused(try await pull(Self.greeting + saying), why) }
    }

    @Test("whose bundles have directories below is believed")
    func nestedBundle() async throws {
        let inner = Self.directory("small", [.file(Self.file("a", "one")), .directory(Self.directory("empty", []))])
        let bundle = WireBundle(parent: 0, Self.directory("d", [.directory(inner), .file(Self.file("b", "two"))]))
        let result = try await pull(Self.greeting + [.bundle(bundle)] + Self.end(bundles: 1))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.copied == 2 && result.counts.created == 3 && result.counts.seen == 6, "\(result.counts)")
        #expect(try Disk.read(target / "d/small/a") == Array("one".utf8))
        #expect(try Disk.names(in: target / "d/small/empty").isEmpty)
        #expect(try Disk.read(target / "d/b") == Array("two".utf8))
    }

    @Test("whose bundle has a directory where a file is does not touch what is below")
    func bundleBelowFile() async throws {
        try Disk.write(target / "d", "a file")
        let inner = Self.directory("small", [.file(Self.file("a", "one"))])
        let bundle = WireBundle(parent: 0, Self.directory("d", [.directory(inner)]))
        let result = try await pull(Self.greeting + [.bundle(bundle)] + Self.end(bundles: 1))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.seen >= 2)
        try expectUntouched()
    }

    @Test("that sends a bundle where the receiver compares is not heard any further")
    func bundleUnasked() async throws {
        try Disk.makeDirectory(target / "there")
        let saying = [Self.bundle("d", [Self.file("a", "one")])] + Self.end(bundles: 1)
        try expectRefused(try await pull(Self.greeting + saying), "not asked for")
        #expect(!Disk.exists(target / "d"))
    }

    @Test("that sends a bundle through a link writes nothing where the link leads")
    func bundleThroughLink() async throws {
        try Disk.makeLink(target / "d", to: outside)
        let saying = [Self.bundle("d", [Self.file("a", "one")])] + Self.end(bundles: 1)
        _ = try await pull(Self.greeting + saying)
        try expectUntouched()
    }

    @Test("may tell a bundle's directory of bundles twice, and one file of two names")
    func bundleTwice() async throws {
        let said = [
            Self.bundle("d", [Self.file("a", "one"), Self.file("a", "one")]), Self.bundle("d", [Self.file("b", "two")]),
        ]
        let result = try await pull(Self.greeting + said + Self.end(bundles: 2))
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(try Disk.read(target / "d/a") == Array("one".utf8))
        try expectUntouched()
    }

    @Test("that sends files of a bundle that are there already changes nothing of them", arguments: [false, true])
    func bundleOfOldFiles(delete: Bool) async throws {
        // No directory lies here when the run asks for bundles.
        try Disk.write(target / "x", "extra")
        var options = CopyOptions()
        options.delete = delete
        options.deleteLimit = .count(9)
        let ask = Message.ask(Ask(id: 0, names: AskedNames(directory: .root, names: [BytePath("x")])))
        let result = try await pull(
            Self.greeting + [Self.bundle("d", [Self.file("a", "one")])] + Self.end(bundles: 1),
            then: delete ? [.answer(AskAnswer(id: 0, areGone: [true]))] : [],
            afterAlso: ask.encoded().count,
            options: options
        )
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(Disk.exists(target / "x") == !delete)
        #expect(try Disk.read(target / "d/a") == Array("one".utf8))
    }
}
