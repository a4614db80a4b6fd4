import MediaModel
import MediasyncTesting
import Testing

/// Space, inodes, sizes, descriptors and write permission that run out in the middle.
@Suite(.serialized, .enabled(if: Requirement.canMount, "needs root and loop devices")) struct SpaceTests {
    @Test("no space left: exit 14, named, nothing torn, no temporaries, and the rerun heals once there is room")
    func noSpace() throws {
        let disk = try LoopFileSystem(megabytes: 24)
        let place = try TemporaryDirectory()
        try Disk.makeDirectory(disk.path / "dst")
        let target = disk.path / "dst"
        try Disk.makeDirectory(place.path / "src")
        let tree = try SelfCheckingTree(
            source: place.path / "src",
            target: target,
            files: 150,
            seed: 3,
            bytesMax: 400_000
        )
        let ballast = disk.path / "ballast"
        try Disk.write(ballast, [UInt8](repeating: 1, count: max(0, disk.freeBytes - (2 << 20))))
        let result = try BinaryRunner.copy(tree.source, target)
        #expect(result.exitCode == 14, "\(result.errorText)")
        #expect(result.errorText.contains("ENOSPC"), "\(result.errorText)")
        #expect(result.errorText.contains("hint:"))
        expectNone(try tree.tornFiles())
        expectNone(try TreeSnapshot(of: target).litter)
        try Disk.remove(ballast)
        let healed = try BinaryRunner.copy(tree.source, target)
        #expect(healed.exitCode == 0, "\(healed.errorText)")
        expectNone(try tree.differences())
    }

    @Test("no inodes left: the same")
    func noInodes() throws {
        let disk = try LoopFileSystem(megabytes: 16, makeOptions: ["-N", "64"])
        let place = try TemporaryDirectory()
        let source = place.path / "src"
        try Disk.makeDirectory(source)
        for index in 0..<200 { try Disk.write(source / "f\(index)", "\(index)") }
        let target = disk.path / "dst"
        let result = try BinaryRunner.copy(source, target)
        #expect(result.exitCode == 14, "\(result.errorText)")
        #expect(result.errorText.contains("ENOSPC"))
        expectNone(try TreeSnapshot(of: target).litter)
        for (path, entry) in try TreeSnapshot(of: target).entries where entry.kind == .file {
            #expect(try Disk.text(target / path) == Disk.text(source / path), "\(path)")
        }
        for index in 30..<200 { try Disk.remove(source / "f\(index)") }
        // Deletion comes after copying: make room first.
        for name in try Disk.names(in: target) { try Disk.remove(target / name) }
        let healed = try BinaryRunner.copy(source, target)
        #expect(healed.exitCode == 0, "\(healed.errorText)")
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
    }

    @Test("a file larger than the process may write is named; the others are copied")
    func fileTooLarge() throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let tree = try SelfCheckingTree(source: source, target: target, files: 30, seed: 4, bytesMax: 30_000)
        try Disk.write(source / "d0" / "large", SeededGenerator.bytes(3 << 20, seed: 3))
        let result = try BinaryRunner.copy(
            [],
            source,
            target,
            wrapper: ["prlimit", "--fsize=\(1 << 20):\(1 << 20)"]
        )
        #expect(result.exitCode == 3, "\(result)")
        #expect(result.errorText.contains("d0/large") && result.errorText.contains("EFBIG"), "\(result.errorText)")
        expectNone(try tree.missingFiles())
        expectNone(try TreeSnapshot(of: target).litter)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try tree.differences())
    }

    @Test("a target that turns read-only in the middle: exit 10, named; the rerun goes on")
    func readOnlyMidRun() throws {
        let disk = try LoopFileSystem(megabytes: 64)
        let place = try TemporaryDirectory()
        try Disk.makeDirectory(place.path / "src")
        let target = disk.path / "dst"
        try Disk.makeDirectory(target)
        let tree = try SelfCheckingTree(source: place.path / "src", target: target, files: 200, seed: 6)
        try Program("sync").check(["-f"], disk.path)
        let run = try BinaryRunner.startCopy(["--bwlimit", "1M"], tree.source, target)
        _ = RunningProgram.eventually { (try? tree.missingFiles().count) ?? 200 < 190 }
        // The kernel refuses while files are open for writing; an emergency remount does not ask.
        try Program("xfs_io").check(["-x", "-c", "shutdown -f"], disk.path)
        let result = run.wait()
        #expect(result.exitCode != 0 && result.exitCode != nil, "\(result)")
        #expect(result.errorText.contains("EROFS") || result.errorText.contains("EIO"), "\(result.errorText)")
        try disk.cutPower()
        expectNone(try tree.tornFiles())
        #expect(try BinaryRunner.copy(tree.source, target).exitCode == 0)
        expectNone(try tree.differences())
    }

    @Test("an immutable file in the target is named, the rest is copied, nothing is left beside it")
    func immutable() throws {
        let disk = try LoopFileSystem(megabytes: 16)
        let place = try TemporaryDirectory()
        try Disk.makeDirectory(place.path / "src")
        let target = disk.path / "dst"
        try Disk.makeDirectory(target)
        let tree = try SelfCheckingTree(source: place.path / "src", target: target, files: 20, seed: 8)
        try Disk.makeDirectory(target / "old")
        try Disk.write(target / "old" / "kept", "x")
        for name in ["d0/f0", "old/kept"] { try Program("chattr").check(["+i"], target / name) }
        defer { for name in ["d0/f0", "old/kept"] { _ = try? Program("chattr").run(["-i"], target / name) } }
        let result = try BinaryRunner.copy(["--delete", "--max-delete", "100%"], tree.source, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        for text in ["d0/f0", "old/kept", "EPERM"] { #expect(result.errorText.contains(text), "\(result.errorText)") }
        #expect(try tree.missingFiles().map { $0.prefix(5) } == ["d0/f0"])
        expectNone(try TreeSnapshot(of: target).litter)
    }

    @Test("few descriptors: the copy is complete or says so")
    func descriptors() throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let tree = try SelfCheckingTree(source: source, target: target, files: 60, seed: 10)
        for limit in ["64", "80", "128"] {
            let result = try BinaryRunner.copy(
                [],
                source,
                target,
                wrapper: ["prlimit", "--nofile=\(limit):\(limit)"]
            )
            if result.exitCode != 0 {
                #expect(result.exitCode == 14 || result.exitCode == 10, "\(limit): \(result)")
                #expect(result.errorText.contains("EMFILE"), "\(limit): \(result.errorText)")
            } else {
                expectNone(try tree.differences(), "\(limit)")
            }
            expectNone(try tree.tornFiles())
            expectNone(try TreeSnapshot(of: target).litter, "\(limit)")
        }
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try tree.differences())
    }

    @Test("too few descriptors to work with: exit 14 before anything is done", arguments: ["24", "32", "63"])
    func tooFewDescriptors(limit: String) throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        try Disk.write(source / "file", "x")
        let result = try BinaryRunner.copy([], source, target, wrapper: ["prlimit", "--nofile=\(limit):\(limit)"])
        #expect(result.exitCode == 14, "\(result.errorText)")
        for text in ["EMFILE", "64 are needed", "ulimit -n"] {
            #expect(result.errorText.contains(text), "\(result.errorText)")
        }
        #expect(!Disk.exists(target / "file"))
    }

    @Test("blocks are shared where the file system can", arguments: [LoopFileSystem.Kind.btrfs, .xfs])
    func reflink(kind: LoopFileSystem.Kind) throws {
        guard Requirement.has("mkfs.\(kind.rawValue)") else { return }
        let disk = try LoopFileSystem(kind, megabytes: kind == .xfs ? 320 : 200)
        let source = disk.path / "src"
        try Disk.makeDirectory(source)
        try Disk.write(source / "film", SeededGenerator.bytes(30 << 20, seed: 5))
        try Disk.write(source / "small", "x")
        try Program("sync").check(["-f"], disk.path)
        let before = disk.freeBytes
        let target = disk.path / "dst"
        let result = try BinaryRunner.copy(["--verify"], source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        try Program("sync").check(["-f"], disk.path)
        #expect(before - disk.freeBytes < 10 << 20)
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
        try Disk.patch(source / "film", at: 0, [1, 2, 3])
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
    }
}
