import MediaModel
import MediasyncTesting
import Testing

/// A dry run and a second run write nothing at all.
@Suite struct NothingToDoTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        _ = try SeededTree(in: source, seed: 7, entries: 80)
    }

    @Test("a second run leaves inode, time and change time of every entry alone", arguments: ["file", "end", "none"])
    func secondRun(durability: String) throws {
        #expect(try BinaryRunner.copy(["--fsync", durability], source, target).exitCode == 0)
        let before = try TreeSnapshot(of: target)
        for more in [[], ["--delete"], ["--checksum"], ["--verify"]] {
            let result = try BinaryRunner.copy(["--fsync", durability, "--stats"] + more, source, target)
            #expect(result.exitCode == 0, "\(more): \(result.errorText)")
            #expect(result.text.contains("unchanged"))
            #expect(result.lines.contains { $0.hasPrefix("bytes written") && $0.hasSuffix(" 0") }, "\(result.text)")
            let touched = try TreeSnapshot(of: target).differences(from: before, in: [.all, .blocks])
            #expect(touched.isEmpty, "\(more)")
        }
    }

    @Test("a second run as another user than root")
    func secondRunUnprivileged() throws {
        guard Requirement.canDropRights else { return }
        let own = place.path / "own"
        try Disk.makeDirectory(own)
        try Disk.makeDirectory(own / "sub", mode: 0o755)
        try Disk.write(own / "sub" / "file", "x")
        try Disk.setMode(target, 0o777)
        let copy = try BinaryRunner.unprivilegedProgram(in: place)
        #expect(try copy.run(["copy"], own, target / "new").exitCode == 0)
        let before = try TreeSnapshot(of: target / "new")
        #expect(try copy.run(["copy"], own, target / "new").exitCode == 0)
        expectNone(try TreeSnapshot(of: target / "new").differences(from: before, in: .all))
    }

    @Test("-n touches neither side and does not make the target")
    func dryRun() throws {
        let before = try TreeSnapshot(of: place.path)
        for options in [["-n"], ["-n", "--delete"], ["-n", "--checksum", "-i"], ["-n", "--fsync", "end"]] {
            let result = try BinaryRunner.copy(options, source, target)
            #expect(result.exitCode == 0, "\(result.errorText)")
            #expect(result.text.contains("dry run"))
            #expect(try BinaryRunner.copy(options, source, place.path / "new").exitCode == 0)
        }
        expectNone(try TreeSnapshot(of: place.path).differences(from: before, in: .all))
    }

    @Test("an interrupted time stamp is not enough: nanoseconds are compared")
    func nanoseconds() throws {
        try Disk.write(source / "clock", "12:00")
        try Disk.setTime(source / "clock", 1000, nanoseconds: 5)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        try Disk.write(source / "clock", "13:00")
        try Disk.setTime(source / "clock", 1000, nanoseconds: 6)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        #expect(try Disk.text(target / "clock") == "13:00")
        #expect(try TreeSnapshot(of: target)["clock"]?.nanoseconds == 6)
    }

    @Test("--checksum repairs a flipped bit behind the same size and time; without it nothing is seen")
    func flippedBit() throws {
        try Disk.write(source / "picture", [UInt8](repeating: 0x55, count: 500_000))
        try Disk.setTime(source / "picture", 1_600_000_000, nanoseconds: 123_456_789)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        try Disk.patch(target / "picture", at: 400_000, [0x54])
        try Disk.setTime(target / "picture", 1_600_000_000, nanoseconds: 123_456_789)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        #expect(try Disk.read(target / "picture")[400_000] == 0x54)
        let repair = try BinaryRunner.copy(["--checksum", "-i"], source, target)
        #expect(repair.exitCode == 0)
        #expect(repair.lines.contains(">fc........ picture"), "\(repair.text)")
        expectNone(try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target)))
    }
}
