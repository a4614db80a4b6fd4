import MediaModel
import MediasyncTesting
import Testing

/// Runs by another user than root: what cannot be read is named, the rest is copied, nothing needs root.
@Suite(.enabled(if: Requirement.canDropRights, "needs root to drop rights and setpriv")) struct UnprivilegedTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath
    let program: Program

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        try Disk.setOwner(target, 65_534, 65_534)
        program = try BinaryRunner.unprivilegedProgram(in: place)
    }

    @Test("an unreadable directory or file is named with its errno, exit 3, and the rest is copied")
    func unreadable() throws {
        for directory in ["open", "closed", "half"] {
            try Disk.makeDirectory(source / directory)
            try Disk.write(source / directory / "file", directory)
        }
        try Disk.write(source / "secret", "x", mode: 0o600)
        try Disk.setMode(source / "closed", 0o700)
        try Disk.setMode(source / "half", 0o744)
        let result = try program.run(["copy"], source, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        for path in ["closed", "half/file", "secret"] {
            #expect(result.errorText.contains(path), "\(path): \(result.errorText)")
        }
        #expect(result.errorText.contains("EACCES"))
        #expect(try Disk.text(target / "open" / "file") == "open")
        #expect(!Disk.exists(target / "secret"))
        expectNone(try TreeSnapshot(of: target).litter)
    }

    @Test("directories without write permission are filled, linked into, emptied and closed again")
    func readOnlyDirectories() throws {
        for directory in ["a", "b"] {
            try Disk.makeDirectory(source / directory)
            for index in 0..<30 { try Disk.write(source / directory / "f\(index)", "x\(index)") }
        }
        for index in 0..<30 { try Disk.makeHardLink(source / "b" / "link\(index)", to: source / "a" / "f\(index)") }
        for directory in ["a", "b"] { try Disk.setMode(source / directory, 0o555) }
        let options = ["copy", "--delete", "--max-delete", "100%"]
        var result = try program.run(options, source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let aspects: TreeSnapshot.Aspects = [.mode, .time, .directoryTimes, .hardLinks]
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source), in: aspects))
        for index in 0..<10 { try Disk.remove(source / "b" / "f\(index)") }
        try Disk.makeHardLink(source / "b" / "late", to: source / "a" / "f0")
        result = try program.run(options, source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source), in: aspects))
    }

    @Test("devices are skipped and named; the other kinds are made")
    func specials() throws {
        try Disk.makeSpecial(source / "device", type: 0o020000, device: 0x103)
        try Disk.makeSpecial(source / "fifo", type: 0o010000)
        try Disk.makeLink(source / "link", to: BytePath("x"))
        let result = try program.run(["copy"], source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect((result.text + result.errorText).contains("skipped"))
        #expect(try Disk.names(in: target).map(\.description) == ["fifo", "link"])
    }

    @Test("--chown and a target of another user are refused")
    func refused() throws {
        try Disk.write(source / "file", "x")
        #expect(try program.run(["copy", "--chown", "0:0"], source, target).exitCode == 64)
        try Disk.makeDirectory(place.path / "other")
        let result = try program.run(["copy"], source, place.path / "other")
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("EACCES"))
    }
}
