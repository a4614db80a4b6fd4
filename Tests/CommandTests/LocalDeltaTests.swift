import MediaModel
import MediasyncTesting
import Testing

/// Files of a copy within one machine that are made from their older versions.
@Suite("A copy within one machine that looks for what is new in files") struct LocalDeltaTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
    }

    private func matched(_ result: Program.Result) -> String? {
        result.lines.first { $0.hasPrefix("bytes matched") }?.split(separator: " ").last.map(String.init)
    }

    @Test("makes the same tree as one that copies", .enabled(if: Requirement.isRoot, "needs root"), arguments: 1...6)
    func random(seed: Int) throws {
        var tree = try SeededTree(in: source, seed: UInt64(seed), entries: 70)
        for round in 0..<3 {
            if round > 0 { try tree.mutate(25) }
            let result = try BinaryRunner.copy(
                ["--delta", "always", "--delete", "--max-delete", "100%"],
                source,
                target
            )
            if result.exitCode == 3, result.errorText.contains("could not replace the directory") { return }
            #expect(result.exitCode == 0, "seed \(seed), round \(round): \(result.errorText)")
            let differences = try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target), in: .copied)
            #expect(differences.isEmpty, "seed \(seed), round \(round)")
        }
    }

    @Test("does so on an ordinary disk where it is told to alone", arguments: ["auto", "always", "never"])
    func modes(mode: String) throws {
        let bytes = SeededGenerator.bytes(1_000_000, seed: 1)
        try Disk.write(target / "f", bytes)
        try Disk.write(source / "f", [1] + bytes)
        let result = try BinaryRunner.copy(["--delta", mode, "--stats"], source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.read(target / "f") == [1] + bytes)
        let found = matched(result)
        #expect((found != nil) == (mode == "always"), "\(result.text)")
        if let found { #expect(found.hasPrefix("99") || found == "1,000,000", "\(found)") }
    }

    @Test(
        "keeps blocks shared that did not change, on file systems that share them",
        .enabled(if: Requirement.isRoot && Requirement.has("mkfs.xfs", "cp"), "needs root and mkfs.xfs"),
        arguments: ["auto", "never"]
    )
    func sharedBlocks(mode: String) throws {
        let disk = try LoopFileSystem(.xfs, megabytes: 400)
        var bytes = SeededGenerator.bytes(32 << 20, seed: 1)
        try Disk.write(disk.path / "f", bytes)
        try Disk.makeDirectory(disk.path / "dst")
        try Program("cp").check(["--reflink=always"], disk.path / "f", disk.path / "dst" / "f")
        bytes[20 << 20] ^= 1
        try Disk.write(source / "f", bytes)
        // Not within the tick of the clock that the other file was made in: of one size and time they would be taken for the same.
        try Disk.setTime(source / "f", 1_700_000_000)
        let before = try usedMegabytes(disk.path)
        let result = try BinaryRunner.copy(["--delta", mode], source, disk.path / "dst")
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.read(disk.path / "dst" / "f") == bytes)
        let grown = try usedMegabytes(disk.path) - before
        #expect(mode == "auto" ? grown < 8 : grown > 24, "\(grown) MB more")
    }

    private func usedMegabytes(_ path: BytePath) throws -> Int {
        try Program("sync").check(["-f"], path)
        let lines = try Program("df").check(["--output=used", "-BM"], path).lines
        return Int(lines.last?.filter(\.isNumber) ?? "") ?? 0
    }

    @Test("has no renames to look for")
    func renames() throws {
        let result = try BinaryRunner.copy(["--detect-renames"], source, target)
        #expect(result.exitCode == 64 && result.errorText.contains("between machines"), "\(result.errorText)")
    }

    @Test("kill -9 in the middle of it leaves the old file or the new one")
    func killed() throws {
        let old = SeededGenerator.bytes(32 << 20, seed: 1)
        try Disk.write(target / "f", old)
        let new = [7] + old
        try Disk.write(source / "f", new)
        let running = try BinaryRunner.startCopy(["--delta", "always", "--bwlimit", "16M"], source, target)
        _ = RunningProgram.eventually { Disk.exists(target / ".mediasync-run") || !running.isRunning }
        RunningProgram.pause(milliseconds: 100)
        running.killGroup()
        _ = running.wait()
        let left = try Disk.read(target / "f")
        #expect(left == old || left == new)
        let again = try BinaryRunner.copy(["--delta", "always"], source, target)
        #expect(again.exitCode == 0, "\(again.errorText)")
        #expect(try Disk.read(target / "f") == new)
        #expect(try Disk.names(in: target) == [BytePath("f")])
    }
}
