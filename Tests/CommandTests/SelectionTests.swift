import MediaModel
import MediasyncTesting
import Testing

/// Which entries take part, through the real command line.
@Suite struct SelectionTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        for directory in ["accounts", "accounts/avatars", "cache", "cache/accounts", "media_attachments"] {
            try Disk.makeDirectory(source / directory)
        }
        for file in ["accounts/avatars/a.png", "cache/accounts/b.png", "media_attachments/c.jpg", "c.png", "d.txt"] {
            try Disk.write(source / file, file)
        }
    }

    private func copied(_ options: [String]) throws -> [String] {
        let result = try BinaryRunner.copy(options, source, target)
        #expect(result.exitCode == 0, "\(options): \(result.errorText)")
        return try TreeSnapshot(of: target).entries.filter { $0.value.kind == .file }.keys.sorted().map(\.description)
    }

    @Test("the order of --exclude and --include on the command line decides")
    func order() throws {
        #expect(
            try copied(["--include", "c.*", "--exclude", "*.png"]) == ["c.png", "d.txt", "media_attachments/c.jpg"]
        )
        Disk.removeTree(target)
        #expect(try copied(["--exclude", "*.png", "--include", "c.*"]) == ["d.txt", "media_attachments/c.jpg"])
    }

    @Test("rules from files keep their place among the others")
    func ruleFiles() throws {
        try Disk.write(place.path / "rules", "# comment\n*.png\n")
        let rules = String(decoding: (place.path / "rules").bytes, as: UTF8.self)
        #expect(
            try copied(["--include", "/c.png", "--exclude-from", rules]) == [
                "c.png", "d.txt", "media_attachments/c.jpg",
            ]
        )
        Disk.removeTree(target)
        #expect(
            try copied(["--exclude-from=\(rules)", "--include", "/c.png"]) == ["d.txt", "media_attachments/c.jpg"]
        )
    }

    @Test("--only local and --only remote are the two halves of the tree")
    func halves() throws {
        #expect(try copied(["--only", "remote"]) == ["cache/accounts/b.png"])
        Disk.removeTree(target)
        let local = ["accounts/avatars/a.png", "c.png", "d.txt", "media_attachments/c.jpg"]
        #expect(try copied(["--only", "local"]) == local)
    }

    @Test("--files-from takes what is listed, lines or NUL, and names what is not there")
    func filesFrom() throws {
        let list = place.path / "list"
        try Disk.write(list, "media_attachments/c.jpg\nd.txt\n")
        let path = String(decoding: list.bytes, as: UTF8.self)
        #expect(try copied(["--files-from", path]) == ["d.txt", "media_attachments/c.jpg"])
        Disk.removeTree(target)
        let strange = BytePath(bytes: [0xFF, 0x0A, 0x41])
        try Disk.write(source / strange, "x")
        try Disk.write(list, strange.bytes + [0])
        #expect(try copied(["--files-from", path, "--from0"]) == [strange.description])
        try Disk.write(list, "d.txt\nmissing/file\n")
        let result = try BinaryRunner.copy(["--files-from", path], source, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.errorText.contains("missing/file"))
    }

    @Test("--existing, --ignore-existing and --update leave files alone")
    func presence() throws {
        try Disk.write(target / "d.txt", "old")
        try Disk.setTime(target / "d.txt", 1000)
        try Disk.write(target / "c.png", "newer")
        try Disk.setTime(target / "c.png", 4_000_000_000)
        #expect(try copied(["--ignore-existing", "--exclude", "*/"]) == ["c.png", "d.txt"])
        #expect(try Disk.text(target / "d.txt") == "old")
        #expect(try copied(["--update", "--exclude", "*/"]) == ["c.png", "d.txt"])
        #expect(try Disk.text(target / "d.txt") == "d.txt")
        #expect(try Disk.text(target / "c.png") == "newer")
        #expect(try copied(["--existing"]) == ["c.png", "d.txt"])
        #expect(try Disk.text(target / "c.png") == "c.png")
        #expect(!Disk.exists(target / "accounts"))
    }

    @Test("paths of roots and rules may be any bytes")
    func rawBytes() throws {
        let strange = place.path / BytePath(bytes: [0xFF, 0x80, 0x20])
        try Disk.rename(source, to: strange)
        try Disk.write(strange / BytePath(bytes: [0xE9]), "x")
        var arguments = [BytePath("copy"), BytePath("--exclude"), BytePath(bytes: [0xE9])]
        arguments += [BytePath("--exclude"), BytePath("*.png"), strange, target / BytePath(bytes: [0xFE])]
        let result = try BinaryRunner.program().run(arguments)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let names = try Disk.names(in: target / BytePath(bytes: [0xFE])).map(\.description)
        #expect(names == ["accounts", "cache", "d.txt", "media_attachments"])
    }

    @Test(
        "--one-file-system keeps a mount point and not what is mounted",
        .enabled(if: Requirement.canMount, "needs mount")
    )
    func oneFileSystem() throws {
        try Disk.makeDirectory(source / "mounted")
        try Program("mount").check(["-t", "tmpfs", "none"], source / "mounted")
        defer { _ = try? Program("umount").run([], source / "mounted") }
        try Disk.write(source / "mounted" / "inside", "x")
        #expect(!(try copied(["-x"]).contains("mounted/inside")))
        #expect(Disk.exists(target / "mounted"))
        #expect(try copied([]).contains("mounted/inside"))
    }
}
