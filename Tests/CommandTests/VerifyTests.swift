import MediaModel
import MediasyncTesting
import Testing

/// `verify` and `manifest` read everything, find every difference and write nothing.
@Suite struct VerifyTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        _ = try SeededTree(in: source, seed: 17, entries: 60)
        for name in ["content", "size", "time", "mode", "missing", "kind"] {
            try Disk.write(source / name, [UInt8](repeating: 65, count: 5000))
        }
        try Disk.makeLink(source / "link", to: BytePath("content"))
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
    }

    private func verify(_ options: [String], _ directories: BytePath...) throws -> Program.Result {
        let arguments = (["verify"] + options).map { BytePath($0) } + directories
        return try BinaryRunner.program().run(arguments)
    }

    @Test(
        "equal trees: exit 0, nothing is written on either side",
        arguments: [[], ["--uncached"], ["--digest", "sha256"]]
    )
    func equal(options: [String]) throws {
        let before = try TreeSnapshot(of: place.path)
        let result = try verify(options, source, target)
        #expect(result.exitCode == 0, "\(result.text) \(result.errorText)")
        expectNone(try TreeSnapshot(of: place.path).differences(from: before, in: .all))
    }

    @Test("each kind of difference is found and named, exit 4")
    func differences() throws {
        let time = try #require(try TreeSnapshot(of: source)["content"])
        try Disk.patch(target / "content", at: 4000, [66])
        try Disk.setTime(target / "content", time.seconds, nanoseconds: time.nanoseconds)
        try Disk.write(target / "size", "short")
        try Disk.setTime(target / "time", time.seconds, nanoseconds: time.nanoseconds ^ 1)
        try Disk.setMode(target / "mode", 0o600)
        try Disk.remove(target / "missing")
        try Disk.remove(target / "kind")
        try Disk.makeDirectory(target / "kind")
        try Disk.remove(target / "link")
        try Disk.makeLink(target / "link", to: BytePath("size"))
        try Disk.write(target / "extra", "x")
        let result = try verify([], source, target)
        #expect(result.exitCode == 4, "\(result.errorText)")
        for (name, word) in [
            ("content", "content"), ("size", "size"), ("time", "time"), ("mode", "mode"), ("missing", "missing"),
            ("kind", "kind"), ("link", "content"), ("extra", "extra"),
        ] {
            let line = result.lines.first { $0.hasSuffix(" \(name)") || $0.hasSuffix(" \(name)/") }
            #expect(line?.contains(word) == true, "\(name): \(result.text)")
        }
        let contents = try verify(["--content-only"], source, target)
        #expect(contents.exitCode == 4)
        #expect(!contents.lines.contains { $0.hasSuffix(" time") || $0.hasSuffix(" mode") }, "\(contents.text)")
        #expect(
            try BinaryRunner.copy(["--checksum", "--delete", "--max-delete", "100%"], source, target).exitCode == 0
        )
        #expect(try verify([], source, target).exitCode == 0)
    }

    @Test("extended attributes are compared where they are asked for, of files and of directories")
    func extendedAttributes() throws {
        try Disk.makeDirectory(source / "folder")
        try Disk.setAttribute(source / "folder", "user.a", [1])
        try Disk.setAttribute(source / "content", "user.a", [1])
        #expect(try BinaryRunner.copy(["--checksum"], source, target).exitCode == 0)
        #expect(try verify(["--xattrs"], source, target).exitCode == 0)
        try Disk.setAttribute(target / "folder", "user.a", [2])
        try Disk.setAttribute(target / "content", "user.b", [1])
        #expect(try verify([], source, target).exitCode == 0)
        let result = try verify(["--xattrs"], source, target)
        #expect(result.exitCode == 4, "\(result.errorText)")
        let found = result.lines.filter { $0.hasPrefix("xattr ") }
        #expect(found.count == 2 && found.contains { $0.hasSuffix(" content") }, "\(result.text)")
        #expect(found.contains { $0.hasSuffix(" folder/") }, "\(result.text)")
        #expect(try verify(["--xattrs", "--content-only"], source, target).exitCode == 64)
    }

    @Test(
        "a side that cannot be opened is exit 10; a file that cannot be read is exit 3",
        .enabled(if: Requirement.canTrace, "needs strace")
    )
    func unreadable() throws {
        #expect(try verify([], place.path / "none", target).exitCode == 10)
        #expect(try verify([], source, place.path / "none").exitCode == 10)
        var program = BinaryRunner.program()
        program.wrapper = [
            "strace", "-f", "-qq", "-o", "/dev/null", "-P", "\(target / "content")", "-e", "trace=pread64",
            "-e", "inject=pread64:error=EIO",
        ]
        let result = try program.run(["verify"], source, target)
        #expect(result.exitCode == 3, "\(result.text) \(result.errorText)")
        #expect(result.errorText.contains("content") && result.errorText.contains("EIO"))
    }

    @Test("a manifest is what sha256sum checks, and verify --manifest finds what changed")
    func manifest() throws {
        let made = try BinaryRunner.program().run(["manifest", "--digest", "sha256"], source)
        #expect(made.exitCode == 0, "\(made.errorText)")
        let files = try TreeSnapshot(of: source).entries.values.filter { $0.kind == .file }.count
        #expect(made.lines.count == files)
        let list = place.path / "list"
        try Disk.write(list, made.output)
        var check = Program("sha256sum")
        check.directory = source
        #expect(try check.run(["--check", "--quiet", "--strict"], list).exitCode == 0)
        let path = String(decoding: list.bytes, as: UTF8.self)
        #expect(try verify(["--manifest", path, "--digest", "sha256"], target).exitCode == 0)
        try Disk.patch(target / "content", at: 1, [66])
        try Disk.remove(target / "missing")
        let found = try verify(["--manifest", path, "--digest", "sha256"], target)
        #expect(found.exitCode == 4, "\(found.errorText)")
        for name in ["content", "missing"] { #expect(found.text.contains(name), "\(found.text)") }
    }

    @Test("a run and its failures are shown by status afterwards")
    func status() throws {
        try Disk.makeDirectory(target / "file-there")
        try Disk.write(target / "file-there" / "inside", "x")
        try Disk.write(source / "file-there", "x")
        var program = BinaryRunner.program()
        let state = place.path / "state"
        program.environment["MEDIASYNC_STATE"] = String(decoding: state.bytes, as: UTF8.self)
        #expect(try program.run(["copy"], source, target).exitCode == 3)
        let shown = try program.run(["status"])
        #expect(shown.text.contains("copy"), "\(shown.text) \(shown.errorText)")
        let errors = try program.run(["status", "--errors"])
        #expect(errors.text.contains("file-there"), "\(errors.text) \(errors.errorText)")
    }
}
