import MediaModel
import MediasyncTesting
import Testing

/// Archives of media, extracted into a store.
@Suite struct ExtractionTests {
    let place: TemporaryDirectory
    let archive: BytePath
    let target: BytePath
    private static let first = "accounts/avatars/000/000/001/original/a.png"
    private static let second = "media_attachments/files/109/876/543/210/987/654/original/0123456789abcdef.png"

    init() throws {
        place = try TemporaryDirectory()
        archive = place.path / "media.tar"
        target = place.path / "dst"
        try Disk.makeDirectory(target, mode: 0o2770)
    }

    private func extract(_ tar: TarWriter, _ options: String...) throws -> Program.Result {
        try Disk.write(archive, tar.finished())
        return try BinaryRunner.copy(options, archive, target)
    }

    private func twoFiles(_ prefix: String = "media/") -> TarWriter {
        var tar = TarWriter()
        if !prefix.isEmpty { tar.directory(prefix) }
        tar.file(prefix + Self.first, "first")
        tar.file(prefix + Self.second, [UInt8](repeating: 7, count: 700_000), modified: 1_650_000_000)
        return tar
    }

    @Test(
        "the tree lies at its level whatever stands above it",
        arguments: ["", "./", "media/", "./media/", "home/mastodon/live/public/system/", "backups/accounts/"]
    )
    func levels(prefix: String) throws {
        let result = try extract(twoFiles(prefix))
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.text(target / Self.first) == "first")
        let tree = try TreeSnapshot(of: target)
        #expect(tree[Self.second]?.size == 700_000)
        #expect(tree[Self.second]?.seconds == 1_650_000_000)
        #expect(tree[Self.second]?.mode == 0o660)
        #expect(tree["accounts/avatars"]?.mode == 0o2770)
        #expect(tree.entries.values.filter { $0.kind == .file }.count == 2)
        expectNone(tree.litter)
    }

    @Test("everything belongs to the owner of the media root", .enabled(if: Requirement.isRoot, "needs root"))
    func owner() throws {
        try Disk.setOwner(target, 1234, 2345)
        try Disk.setMode(target, 0o755)
        var tar = twoFiles()
        tar.file("media/accounts/headers/000/000/002/original/hidden.png", "x", mode: 0o600)
        #expect(try extract(tar).exitCode == 0)
        for (path, entry) in try TreeSnapshot(of: target).entries {
            #expect([entry.owner, entry.group] == [1234, 2345], "\(path)")
            let isHidden = path.lastComponent == BytePath("hidden.png")
            #expect(entry.mode == (entry.kind == .directory ? 0o755 : isHidden ? 0o600 : 0o644), "\(path)")
        }
    }

    @Test(
        "an access list that the media root hands down takes nothing of a file's mode",
        .enabled(if: Requirement.has("setfacl"), "needs acl")
    )
    func inheritedAccessList() throws {
        try Program("setfacl").check(["-d", "-m", "u::rwx,g::r,o::-,m::r"], target)
        let result = try extract(twoFiles())
        #expect(result.exitCode == 0, "\(result.errorText)")
        let tree = try TreeSnapshot(of: target)
        #expect(tree[Self.first]?.mode == 0o660)
        #expect(tree[Self.second]?.mode == 0o660)
    }

    @Test("directories in any order, and names that begin as others do", arguments: [false, true])
    func jumps(isEmpty: Bool) throws {
        // Only what a new file system begins with, or a directory that files are to go into.
        try Disk.makeDirectory(target / (isEmpty ? "lost+found" : "media_attachments"))
        let folders = ["1", "12", "12/3", "1/2/3", "123", "1/2", "12/3/4/5/6/7/8/9"]
        let names = (0..<140).map { "media_attachments/files/\(folders[$0 * 3 % folders.count])/\($0)" }
        var tar = TarWriter()
        for name in names { tar.file("media/" + name, name) }
        let result = try extract(tar, "--jobs", "3")
        #expect(result.exitCode == 0, "\(result.errorText)")
        for name in names { #expect(try Disk.text(target / name) == name) }
        #expect(try TreeSnapshot(of: target).entries.values.filter { $0.kind == .file }.count == names.count)
    }

    @Test("a second run writes nothing; a dry run neither")
    func again() throws {
        #expect(try extract(twoFiles(), "-n").exitCode == 0)
        #expect(try Disk.names(in: target).isEmpty)
        #expect(try extract(twoFiles()).exitCode == 0)
        let before = try TreeSnapshot(of: target)
        let result = try extract(twoFiles(), "--stats")
        #expect(result.exitCode == 0)
        expectNone(try TreeSnapshot(of: target).differences(from: before, in: .all))
    }

    @Test("what the target has is kept unless it is older; what differs and is not older is named")
    func existing() throws {
        #expect(try extract(twoFiles()).exitCode == 0)
        try Disk.write(target / Self.first, "newer here")
        try Disk.setTime(target / Self.first, 1_700_000_001)
        #expect(try extract(twoFiles()).exitCode == 0)
        #expect(try Disk.text(target / Self.first) == "newer here")
        try Disk.setTime(target / Self.first, 1_699_999_999)
        #expect(try extract(twoFiles()).exitCode == 0)
        #expect(try Disk.text(target / Self.first) == "first")
        try Disk.write(target / Self.first, "same time")
        try Disk.setTime(target / Self.first, 1_700_000_000, nanoseconds: 5)
        let result = try extract(twoFiles())
        #expect(result.exitCode == 3)
        #expect(result.errorText.contains("9 bytes there, 5 in the archive"), "\(result.errorText)")
        #expect(try Disk.text(target / Self.first) == "same time")
        expectNone(try TreeSnapshot(of: target).litter)
    }

    @Test("of two entries of one name the newest is there in the end, however often it is run", arguments: [0, 1])
    func duplicates(order: Int) throws {
        var tar = TarWriter()
        let entries = [("old", 1_600_000_000), ("the new one", 1_700_000_000)]
        for (content, time) in order == 0 ? entries : entries.reversed() {
            tar.file(Self.first, content, modified: time)
        }
        for _ in 0..<3 {
            #expect(try extract(tar).exitCode == 0)
            #expect(try Disk.text(target / Self.first) == "the new one")
        }
        expectNone(try TreeSnapshot(of: target).litter)
    }

    @Test("--only takes one half")
    func only() throws {
        var tar = twoFiles()
        tar.file("media/cache/accounts/avatars/000/000/003/original/c.png", "remote")
        #expect(try extract(tar, "--only", "remote").exitCode == 0)
        #expect(try Disk.names(in: target) == [BytePath("cache")])
        #expect(try extract(tar, "--only", "local").exitCode == 0)
        #expect(Disk.exists(target / Self.first))
    }

    @Test("hard links become links to what is in place; where they lead out they are named")
    func hardLinks() throws {
        var tar = twoFiles()
        let copy = "accounts/headers/000/000/001/original/copy.png"
        tar.link("media/" + copy, to: "media/" + Self.first, type: "1")
        #expect(try extract(tar).exitCode == 0)
        #expect(Disk.inode(target / copy) == Disk.inode(target / Self.first))
        #expect(try extract(tar).exitCode == 0)
        tar.link("media/accounts/avatars/x", to: "/etc/passwd", type: "1")
        tar.link("media/accounts/avatars/y", to: "media/../../etc/passwd", type: "1")
        tar.link("media/accounts/avatars/z", to: "media/accounts/none", type: "1")
        let result = try extract(tar)
        #expect(result.exitCode == 3)
        for name in ["x", "y", "z"] {
            #expect(result.errorText.contains("accounts/avatars/\(name)"), "\(result.errorText)")
            #expect(!Disk.exists(target / "accounts/avatars/\(name)"))
        }
    }

    @Test("sparse files as GNU tar and pax write them", .enabled(if: Requirement.has("tar"), "needs tar"))
    func sparse() throws {
        let source = place.path / "media"
        for path in ["", "accounts", "accounts/avatars"] { try Disk.makeDirectory(source / path) }
        try Disk.patch(source / "accounts/avatars/small", at: 100_000, [1, 2, 3])
        try Disk.patch(source / "accounts/avatars/large", at: 3 << 20, [4, 5, 6])
        try Disk.truncate(source / "accounts/avatars/large", to: 9 << 20)
        for format in ["gnu", "pax"] {
            try Program("tar").check(
                ["--sparse", "--format=\(format)", "-cf"],
                archive,
                BytePath("-C"),
                place.path,
                BytePath("media")
            )
            Disk.removeTree(target)
            try Disk.makeDirectory(target)
            let result = try BinaryRunner.copy(archive, target)
            #expect(result.exitCode == 0, "\(result.errorText)")
            let here = try TreeSnapshot(of: target), there = try TreeSnapshot(of: source)
            expectNone(here.differences(from: there, in: []))
            #expect((here["accounts/avatars/large"]?.blocks ?? 0) * 512 < 4 << 20, "\(format)")
        }
    }

    @Test(
        "every compression, told by content, from a file and from standard input",
        arguments: ["gzip", "zstd", "xz", "lz4", "bzip2", "cat"]
    )
    func compressions(tool: String) throws {
        guard Requirement.has(tool) else { return }
        let plain = place.path / "plain"
        try Disk.write(plain, twoFiles().finished())
        let packed = try Program(tool).check(tool == "cat" ? [] : ["-c"], plain).output
        try Disk.write(archive, packed)
        let result = try BinaryRunner.copy(archive, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let first = try TreeSnapshot(of: target)
        #expect(first[Self.second]?.size == 700_000)
        // A cut at any place is told, and what was whole stays.
        for share in [3, 2] where tool != "cat" {
            try Disk.write(archive, Array(packed.prefix(packed.count - packed.count / share)))
            #expect(try BinaryRunner.copy(archive, target).exitCode == 10)
        }
        var shell = BinaryRunner.program(wrapper: ["sh", "-c", "cat '\(plain)' | \"$0\" \"$@\""])
        shell.environment["LC_ALL"] = "C"
        let other = place.path / "other"
        let piped = try shell.run([BytePath("copy"), BytePath("-"), other])
        #expect(piped.exitCode == 0, "\(piped.errorText)")
        expectNone(try TreeSnapshot(of: other).differences(from: first, in: .time))
    }

    @Test("gzip is read without ISA-L as with it", .enabled(if: Requirement.has("gzip"), "needs gzip"))
    func withoutISAL() throws {
        // What the loader finds first, and does not take.
        let library = place.path / "libraries"
        try Disk.makeDirectory(library, mode: 0o755)
        try Disk.write(library / "libisal.so.2", "no library")
        let plain = place.path / "plain"
        try Disk.write(plain, twoFiles().finished())
        var packed = try Program("gzip").check(["-c"], plain).output
        try Disk.write(archive, packed)
        var program = BinaryRunner.program()
        program.environment["LD_LIBRARY_PATH"] = library.description
        let result = try program.run([BytePath("copy"), archive, target])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try TreeSnapshot(of: target)[Self.second]?.size == 700_000)
        // The words say who read it: each has its own for a checksum that is wrong.
        packed[packed.count - 8] ^= 1
        try Disk.write(archive, packed)
        let damaged = try program.run([BytePath("copy"), archive, target])
        #expect(damaged.exitCode == 10 && damaged.errorText.contains("incorrect data check"), "\(damaged.errorText)")
        #expect(try BinaryRunner.copy(archive, target).exitCode == 10)
    }

    @Test(
        "an archive cut anywhere: exit 10, whole files stay, nothing half-written, and the whole one heals",
        arguments: 1...12
    )
    func cuts(round: Int) throws {
        var tar = TarWriter()
        var random = SeededGenerator(seed: UInt64(round))
        for index in 0..<20 {
            let size = index == 10 ? 600_000 : Int.random(in: 0...3000, using: &random)
            tar.file("media/accounts/avatars/000/000/\(100 + index)/original/f.png", random.bytes(size))
        }
        let whole = tar.finished()
        let cut = round == 1 ? whole.count - 1024 : Int.random(in: 512..<(whole.count - 1024), using: &random)
        try Disk.write(archive, Array(whole.prefix(cut)))
        let result = try BinaryRunner.copy(archive, target)
        #expect(result.exitCode == 10, "cut at \(cut): \(result.errorText)")
        #expect(result.errorText.contains("cut off"), "\(result.errorText)")
        let partial = try TreeSnapshot(of: target)
        expectNone(partial.litter)
        try Disk.write(archive, whole)
        #expect(try BinaryRunner.copy(archive, target).exitCode == 0)
        let healed = try TreeSnapshot(of: target)
        for (path, entry) in partial.entries where entry.kind == .file {
            #expect(healed.entries[path]?.inode == entry.inode, "\(path) was not whole")
        }
        #expect(healed.entries.values.filter { $0.kind == .file }.count == 20)
    }

    @Test("what is no archive of media changes nothing")
    func strangers() throws {
        var other = TarWriter()
        other.file("etc/passwd", "x")
        other.file("avatars/000/000/001/original/a.png", "x")
        var many = TarWriter()
        for index in 0..<1100 { many.link("link\(index)", to: "x", type: "2") }
        var large = TarWriter()
        large.file("film", [UInt8](repeating: 1, count: 17 << 20))
        large.file(Self.first, "x")
        for bytes in [other, TarWriter(), many, large].map({ $0.finished() }) {
            try Disk.write(archive, bytes)
            let result = try BinaryRunner.copy(archive, target)
            #expect(result.exitCode == 10, "\(result.errorText)")
            #expect(try Disk.names(in: target).isEmpty)
        }
        for option in ["--delete", "--checksum", "--verify", "--chmod=F600", "--exclude=x"] {
            let result = try extract(twoFiles(), option)
            #expect(result.exitCode == 64, "\(option): \(result.errorText)")
            #expect(try Disk.names(in: target).isEmpty)
        }
    }
}
