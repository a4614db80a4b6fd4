import MediaModel
import MediasyncTesting
import Testing

/// Archives that want out, or more than there is.
@Suite struct HostileArchiveTests {
    let place: TemporaryDirectory
    let archive: BytePath
    let target: BytePath
    private static let good = "media/accounts/avatars/000/000/001/original/good.png"

    init() throws {
        place = try TemporaryDirectory()
        archive = place.path / "media.tar"
        target = place.path / "dst"
        try Disk.makeDirectory(target)
    }

    @Test("is refused by name, nothing of it is written, and the rest is extracted", arguments: HostileArchives.refused)
    func refused(_ hostile: HostileArchive) throws {
        var tar = TarWriter()
        tar.file(Self.good, "good")
        tar.add(raw: hostile.tar.bytes)
        tar.file("media/accounts/avatars/000/000/002/original/behind.png", "behind")
        try Disk.write(archive, tar.finished())
        let around = try TreeSnapshot(of: place.path).without { $0.bytes.starts(with: Array("dst".utf8)) }
        let result = try BinaryRunner.copy(archive, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.errorText.contains(hostile.reason), "\(result.errorText)")
        let tree = try TreeSnapshot(of: target)
        #expect(tree.entries.values.filter { $0.kind == .file }.count == 2)
        #expect(!tree.entries.values.contains { ![.file, .directory].contains($0.kind) })
        expectNone(tree.litter)
        let after = try TreeSnapshot(of: place.path).without { $0.bytes.starts(with: Array("dst".utf8)) }
        expectNone(after.differences(from: around, in: [.mode, .owner, .time]))
        #expect(!Disk.exists(BytePath("/tmp/mediasync-evil")))
    }

    @Test(
        "ends the run with exit 10, keeps what was whole, and nothing half-written",
        arguments: HostileArchives.broken
    )
    func broken(_ hostile: HostileArchive) throws {
        var tar = TarWriter()
        tar.file(Self.good, "good")
        tar.add(raw: hostile.tar.bytes)
        try Disk.write(archive, tar.finished())
        let result = try BinaryRunner.copy(archive, target)
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains(hostile.reason), "\(result.errorText)")
        let tree = try TreeSnapshot(of: target)
        #expect(tree.entries.values.filter { $0.kind == .file }.count == 1)
        expectNone(tree.litter)
    }

    @Test("links planted in the target are never followed, at any level")
    func planted() throws {
        let outside = place.path / "outside"
        try Disk.makeDirectory(outside)
        try Disk.makeDirectory(target / "accounts")
        try Disk.makeLink(target / "accounts" / "avatars", to: outside)
        try Disk.makeDirectory(target / "accounts" / "headers")
        try Disk.makeLink(target / "accounts" / "headers" / "x.png", to: outside / "x.png")
        var tar = TarWriter()
        tar.file(Self.good, "good")
        tar.file("media/accounts/headers/x.png", "x")
        tar.file("media/accounts/headers/y.png", "y")
        try Disk.write(archive, tar.finished())
        let result = try BinaryRunner.copy(archive, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(try Disk.names(in: outside).isEmpty)
        #expect(try Disk.text(target / "accounts/headers/y.png") == "y")
        #expect(result.errorText.contains("symlink has its name"), "\(result.errorText)")
    }

    @Test("names that forge log lines are escaped; names of any bytes are kept")
    func names() throws {
        var tar = TarWriter()
        tar.file(Self.good, "good")
        var header = TarWriter.Header("media/accounts/avatars/", size: 1)
        header.name += [0xFF, 0x0A, 0x1B]
        tar.add(header, [1])
        tar.pax([("path", "media/accounts/avatars/gr\u{fc}n.png")])
        tar.file("x", "x")
        header.type = "2"
        tar.add(header)
        try Disk.write(archive, tar.finished())
        let result = try BinaryRunner.copy(archive, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.errorText.contains("\\xff\\x0a\\x1b"), "\(result.errorText)")
        #expect(Disk.exists(target / "accounts/avatars" / BytePath(bytes: [0xFF, 0x0A, 0x1B])))
        #expect(Disk.exists(target / "accounts/avatars/gr\u{fc}n.png"))
    }

    @Test("a sparse file that claims terabytes costs no space and no memory")
    func sparseBomb() throws {
        var tar = TarWriter()
        tar.file(Self.good, "good")
        let size = "\(Int64(1) << 41)"
        tar.pax([
            ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", size),
            ("GNU.sparse.name", "media/accounts/avatars/bomb"),
        ])
        let map = Array("1\n0\n1\n".utf8)
        tar.file("x", map + [UInt8](repeating: 0, count: 512 - map.count) + [7])
        try Disk.write(archive, tar.finished())
        let run = try BinaryRunner.startCopy(archive, target)
        let result = run.wait()
        // The file system may not take files this long; then it is named.
        #expect(result.exitCode == 0 || result.errorText.contains("avatars/bomb"), "\(result.errorText)")
        #expect((Disk.blocks(target / "accounts/avatars/bomb") ?? 0) < 64)
        expectNone(try TreeSnapshot(of: target / "accounts/avatars/000").litter)
    }
}

/// An entry that is refused, and a part of the reason.
struct HostileArchive: Sendable, CustomTestStringConvertible {
    let name: String
    let reason: String
    let tar: TarWriter
    var testDescription: String { name }

    init(_ name: String, _ reason: String, _ fill: (inout TarWriter) -> Void) {
        self.name = name
        self.reason = reason
        var tar = TarWriter()
        fill(&tar)
        self.tar = tar
    }
}

/// What is in them beside a good file.
enum HostileArchives {
    /// Entries that are refused.
    static let refused: [HostileArchive] = [
        HostileArchive("absolute", "absolute") { $0.file("/tmp/mediasync-evil", "x") },
        HostileArchive("upwards at once", "upwards") { $0.file("../evil", "x") },
        HostileArchive("upwards in the middle", "upwards") { $0.file("media/accounts/avatars/../../../evil", "x") },
        HostileArchive("upwards by a directory", "upwards") { $0.directory("media/../../evil") },
        HostileArchive("pax path upwards", "upwards") {
            $0.pax([("path", "media/../../evil")])
            $0.file("media/accounts/avatars/x", "x")
        },
        HostileArchive("symbolic link", "symbolic link") { $0.link("media/accounts/link", to: "/etc", type: "2") },
        HostileArchive("character device", "device") { $0.link("media/accounts/null", to: "", type: "3") },
        HostileArchive("block device", "device") { $0.link("media/accounts/disk", to: "", type: "4") },
        HostileArchive("fifo", "fifo") { $0.link("media/accounts/fifo", to: "", type: "6") },
        HostileArchive("outside of the media tree", "outside of media") { $0.file("other/accounts/avatars/x", "x") },
        HostileArchive("beside the media tree", "outside of media") { $0.file("evil", "x") },
        HostileArchive("a name of 300 bytes", "too long") {
            $0.file("media/accounts/" + String(repeating: "n", count: 300), "x")
        },
        HostileArchive("a path of 5000 bytes", "too long") {
            $0.file("media/" + String(repeating: "0123456789/", count: 500) + "x", "x")
        },
        HostileArchive("a hundred levels", "too deep") {
            $0.file("media/" + String(repeating: "d/", count: 100) + "x", "x")
        },
    ]

    /// Archives that cannot be read on.
    static let broken: [HostileArchive] = [
        HostileArchive("negative size", "broken") { $0.add(TarWriter.Header("media/accounts/avatars/n", size: -1)) },
        HostileArchive("size of exabytes", "") {
            $0.add(TarWriter.Header("media/accounts/avatars/n", size: .max), [1, 2])
        },
        HostileArchive("pax size of exabytes", "") {
            $0.pax([("size", "9223372036854775807")])
            $0.file("media/accounts/avatars/n", "x")
        },
        HostileArchive("pax size that is negative", "broken") {
            $0.pax([("size", "-5")])
            $0.file("media/accounts/avatars/n", "x")
        },
        HostileArchive("more content promised than there is", "cut off") {
            $0.add(TarWriter.Header("media/accounts/avatars/n", size: 5 << 20), [1, 2])
        },
        HostileArchive("a checksum that is wrong", "broken") {
            var block = TarWriter.block(TarWriter.Header("media/accounts/avatars/n"))
            block[0] ^= 1
            $0.add(raw: block)
        },
        HostileArchive("noise", "broken") { $0.add(raw: SeededGenerator.bytes(4096, seed: 1)) },
        HostileArchive("something behind the end", "follows its end") {
            $0.add(raw: [UInt8](repeating: 0, count: 1024) + [1])
        },
    ]
}
