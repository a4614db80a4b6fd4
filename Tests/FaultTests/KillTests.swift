import MediaModel
import MediasyncTesting
import Testing

/// kill -9, SIGINT and SIGTERM at any moment.
@Suite(.serialized) struct KillTests {
    @Test("kill -9 at a random moment leaves whole files only, and the next run heals and clears up", arguments: 1...16)
    func kill(round: Int) throws {
        let seed = UInt64(round) &* 7919
        var random = SeededGenerator(seed: seed)
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let tree = try SelfCheckingTree(source: source, target: target, files: 120, seed: seed)
        let options = [["--fsync", "file"], ["--fsync", "none"], ["--verify"], ["--bwlimit", "2M"]][round % 4]
        let run = try BinaryRunner.startCopy(options, source, target)
        // Startup takes some time: begin when the first change is made.
        _ = RunningProgram.eventually(within: 5) { Disk.exists(target / ".mediasync-run") || !run.isRunning }
        RunningProgram.pause(milliseconds: Int.random(in: 0...(round % 4 == 3 ? 400 : 60), using: &random))
        run.killGroup()
        let end = run.wait()
        expectNone(try tree.tornFiles(), "seed \(seed), ended \(end)")
        let next = try BinaryRunner.copy(source, target)
        #expect(next.exitCode == 0, "\(next.errorText)")
        expectNone(try tree.differences(), "seed \(seed)")
    }

    @Test("litter of a killed run is removed by the next full run, even after one with a selection in between")
    func litterBesideSelection() throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let tree = try SelfCheckingTree(source: source, target: target, files: 40, seed: 5)
        // It replaces a file, so it is written under a temporary name: what is new has none until it is done.
        try Disk.write(source / "d1" / "large", SeededGenerator.bytes(8 << 20, seed: 1))
        try Disk.write(target / "d1" / "large", "old")
        let run = try BinaryRunner.startCopy(["--bwlimit", "1M"], source, target)
        #expect(
            RunningProgram.eventually {
                (try? TreeSnapshot(of: target).litter.contains { $0.bytes.starts(with: Array("d1/".utf8)) }) ?? false
            }
        )
        run.killGroup()
        _ = run.wait()
        #expect(try !TreeSnapshot(of: target).litter.isEmpty)
        #expect(try BinaryRunner.copy(["--exclude", "/d*/"], source, target).exitCode == 0)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try TreeSnapshot(of: target).litter)
        expectNone(try tree.differences())
    }

    @Test(
        "SIGINT and SIGTERM stop within seconds, leave nothing behind, and the rerun keeps what is done",
        arguments: [(2, 130), (15, 143), (1, 143)] as [(Int32, Int32)]
    )
    func stop(signal: Int32, code: Int32) throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let tree = try SelfCheckingTree(source: source, target: target, files: 60, seed: 9)
        try Disk.write(source / "d4" / "large", SeededGenerator.bytes(20 << 20, seed: 2))
        let run = try BinaryRunner.startCopy(["--bwlimit", "1M"], source, target)
        _ = RunningProgram.eventually { (try? tree.missingFiles().count) ?? 60 < 40 }
        let before = RunningProgram.now()
        run.send(signal)
        let result = run.wait(timeout: 20)
        #expect(RunningProgram.now() - before < 3)
        #expect(result.exitCode == code, "\(result.errorText)")
        #expect(result.errorText.contains("SIG"))
        let stopped = try TreeSnapshot(of: target)
        #expect(stopped.litter.isEmpty)
        expectNone(try tree.tornFiles())
        #expect(!Disk.exists(target / "d4" / "large"))
        let finished = Set(stopped.paths).subtracting(try tree.missingFiles().map { BytePath($0) })
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try tree.differences())
        let after = try TreeSnapshot(of: target)
        let copied = try Set(TreeSnapshot(of: source).paths)
        for path in finished.intersection(copied) where stopped.entries[path]?.kind == .file {
            guard stopped.entries[path]?.contentHash == after.entries[path]?.contentHash else { continue }
            #expect(stopped.entries[path]?.inode == after.entries[path]?.inode, "\(path) was written again")
        }
    }
}
