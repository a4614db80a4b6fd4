import MediaModel
import MediasyncTesting
import Testing

/// What cannot be right is refused before the first write, with what, why and a hint.
@Suite struct RefusalTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        try Disk.write(source / "file", "content")
    }

    /// Runs a copy that must be refused with a code and change nothing.
    private func expectRefusal(
        _ code: Int32,
        _ options: [String],
        _ from: BytePath,
        _ to: BytePath,
        saying text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try TreeSnapshot(of: place.path)
        let result = try BinaryRunner.copy(options, from, to)
        #expect(result.exitCode == code, "\(result.errorText)", sourceLocation: sourceLocation)
        #expect(result.errorText.contains(text), "\(result.errorText)", sourceLocation: sourceLocation)
        #expect(result.errorText.contains("hint:"), "\(result.errorText)", sourceLocation: sourceLocation)
        let touched = try TreeSnapshot(of: place.path).differences(from: before, in: .all)
        #expect(touched.isEmpty, sourceLocation: sourceLocation)
    }

    @Test("a source that is missing")
    func sourceMissing() throws {
        try expectRefusal(10, [], place.path / "none", target, saying: "cannot open the source")
        try expectRefusal(10, ["--delete"], place.path / "none", target, saying: "ENOENT")
    }

    @Test("a source or target that is a file")
    func file() throws {
        try expectRefusal(10, [], source / "file", target, saying: "ENOTDIR")
        try expectRefusal(10, [], source, source / "file", saying: "cannot open the target")
        try expectRefusal(10, [], source, place.path / "no" / "parent", saying: "cannot make the target")
    }

    @Test("source and target that are the same directory, also by a link")
    func same() throws {
        try Disk.makeLink(place.path / "link", to: source)
        try expectRefusal(10, [], source, source, saying: "same directory")
        try expectRefusal(10, ["--delete"], source, place.path / "link", saying: "same directory")
    }

    @Test("one inside the other, also by a link, also where the target does not exist yet")
    func nested() throws {
        try Disk.makeDirectory(source / "inner")
        try Disk.makeLink(place.path / "link", to: source / "inner")
        try expectRefusal(10, [], source, source / "inner", saying: "inside the source")
        try expectRefusal(10, [], source, source / "new", saying: "inside the source")
        try expectRefusal(10, [], source, place.path / "link", saying: "inside the source")
        try expectRefusal(10, ["--delete"], source / "inner", source, saying: "inside the target")
    }

    @Test("the same directory through a bind mount", .enabled(if: Requirement.canMount, "needs root and mount"))
    func bindMount() throws {
        try Disk.makeDirectory(place.path / "bound")
        try Program("mount").check(["--bind"], source, place.path / "bound")
        defer { _ = try? Program("umount").run([], place.path / "bound") }
        try expectRefusal(10, [], source, place.path / "bound", saying: "same directory")
        try expectRefusal(10, [], source / ".", place.path / "bound" / "new", saying: "inside the source")
    }

    @Test(
        "a part of the target, mounted elsewhere, is never deleted",
        .enabled(if: Requirement.canMount, "needs root and mount")
    )
    func bindMountOfPart() throws {
        try Disk.makeDirectory(target / "part")
        for name in ["a", "b", "c"] { try Disk.write(target / "part" / name, name) }
        try Disk.makeDirectory(place.path / "bound")
        try Program("mount").check(["--bind"], target / "part", place.path / "bound")
        defer { _ = try? Program("umount").run([], place.path / "bound") }
        let before = try TreeSnapshot(of: target / "part")
        let result = try BinaryRunner.copy(["--delete", "--max-delete", "100%"], place.path / "bound", target)
        expectNone(try TreeSnapshot(of: target / "part").differences(from: before), "\(result.errorText)")
    }

    @Test(
        "a target that is a part of the source, mounted elsewhere",
        .enabled(if: Requirement.canMount, "needs root and mount")
    )
    func bindMountInSource() throws {
        try Disk.makeDirectory(source / "part")
        try Disk.makeDirectory(place.path / "bound")
        try Program("mount").check(["--bind"], source / "part", place.path / "bound")
        defer { _ = try? Program("umount").run([], place.path / "bound") }
        let result = try BinaryRunner.copy(source, place.path / "bound")
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("inside the source"))
        #expect(!Disk.exists(source / "part" / "part"))
    }

    @Test("a target mounted read-only", .enabled(if: Requirement.canMount, "needs root and loop devices"))
    func readOnly() throws {
        let disk = try LoopFileSystem(megabytes: 8)
        try Disk.makeDirectory(disk.path / "dst")
        try disk.remount(readOnly: true)
        for directory in [disk.path / "dst", disk.path / "new"] {
            let result = try BinaryRunner.copy(source, directory)
            #expect(result.exitCode == 10, "\(result.errorText)")
            #expect(result.errorText.contains("EROFS"), "\(result.errorText)")
            #expect(result.errorText.contains("hint:"))
        }
    }

    @Test("deleting from an empty source, or from one that is no media root into one that is")
    func suspiciousSource() throws {
        try Disk.write(target / "precious", "x")
        try Disk.makeDirectory(place.path / "empty")
        try expectRefusal(20, ["--delete"], place.path / "empty", target, saying: "is empty")
        try Disk.makeDirectory(target / "media_attachments")
        try Disk.makeDirectory(target / "accounts")
        try expectRefusal(20, ["--delete"], source, target, saying: "media root")
        try expectRefusal(20, ["--delete", "-n"], source, target, saying: "media root")
    }

    @Test("more deletions than --max-delete; nothing is deleted, the copy is done")
    func tooManyDeletions() throws {
        for index in 0..<10 { try Disk.write(target / "old\(index)", "x") }
        let result = try BinaryRunner.copy(["--delete"], source, target)
        #expect(result.exitCode == 5, "\(result.errorText)")
        #expect(result.errorText.contains("--max-delete"))
        #expect(result.errorText.contains("hint:"))
        #expect(try Disk.names(in: target).count == 11)
        #expect(try BinaryRunner.copy(["--delete", "--max-delete", "9"], source, target).exitCode == 5)
        #expect(try BinaryRunner.copy(["--delete", "--max-delete", "10"], source, target).exitCode == 0)
        #expect(try Disk.names(in: target) == [BytePath("file")])
    }

    @Test("a second run into the same target while one is at work")
    func secondRun() throws {
        try Disk.write(source / "large", [UInt8](repeating: 7, count: 3_000_000))
        let first = try BinaryRunner.startCopy(["--bwlimit", "1M"], source, target)
        #expect(RunningProgram.eventually { Disk.exists(target / ".mediasync-run") })
        let second = try BinaryRunner.copy(source, target)
        #expect(second.exitCode == 11, "\(second.errorText)")
        #expect(second.errorText.contains("another run"))
        #expect(second.errorText.contains("hint:"))
        #expect(first.wait().exitCode == 0)
        expectNone(try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target)))
    }

    @Test(
        "flags and values that mean nothing",
        arguments: [
            ["--nonsense"], ["--jobs", "0"], ["--fsync", "sometimes"], ["--only", "both"], ["--bwlimit", "fast"],
            ["--existing", "--ignore-existing"], ["--verify", "--digest", "none"], ["--max-delete", "150%"],
            ["--chmod", "u=z"], ["--chown", "nobody-of-this-name"], ["--files-from", "/none"],
        ]
    )
    func usage(options: [String]) throws {
        let before = try TreeSnapshot(of: place.path)
        let result = try BinaryRunner.copy(options, source, target)
        #expect(result.exitCode == 64, "\(options): \(result.errorText)")
        #expect(!result.errorText.isEmpty)
        expectNone(try TreeSnapshot(of: place.path).differences(from: before, in: .all))
    }

    @Test("a source one level too high or too low gets a hint and is copied as asked")
    func levels() throws {
        try Disk.makeDirectory(source / "system")
        try Disk.makeDirectory(source / "system" / "accounts")
        try Disk.makeDirectory(source / "system" / "cache")
        let high = try BinaryRunner.copy(source, target)
        #expect(high.exitCode == 0)
        #expect(high.errorText.contains("one level too high"), "\(high.errorText)")
        try Disk.makeDirectory(source / "system" / "accounts" / "avatars")
        let low = try BinaryRunner.copy(source / "system" / "accounts", target)
        #expect(low.errorText.contains("one level too low"), "\(low.errorText)")
    }
}
