import MediaModel
import MediasyncTesting
import Testing

/// Flags that change how entries are written.
@Suite struct OptionTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        try Disk.makeDirectory(source / "sub", mode: 0o700)
        try Disk.write(source / "sub" / "file", [UInt8](repeating: 9, count: 300_000), mode: 0o600)
        try Disk.makeLink(source / "link", to: BytePath("sub/file"))
    }

    @Test(
        "--chown and --chmod change what is written, and a second run agrees",
        .enabled(if: Requirement.isRoot, "needs root")
    )
    func ownership() throws {
        let options = ["--chown", "1234:nogroup", "--chmod", "D755,F644"]
        #expect(try BinaryRunner.copy(options, source, target).exitCode == 0)
        let snapshot = try TreeSnapshot(of: target)
        for (path, entry) in snapshot.entries {
            #expect(entry.owner == 1234 && entry.group == 65_534, "\(path)")
            if entry.kind == .directory { #expect(entry.mode == 0o755, "\(path)") }
            if entry.kind == .file { #expect(entry.mode == 0o644, "\(path)") }
        }
        #expect(try BinaryRunner.copy(options, source, target).exitCode == 0)
        expectNone(try TreeSnapshot(of: target).differences(from: snapshot, in: .all))
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
    }

    @Test("each way of making things durable, each digest and --verify end in an equal tree")
    func variants() throws {
        let variants = [
            ["--fsync", "file"], ["--fsync", "end"], ["--fsync", "none"], ["--verify"],
            ["--verify", "--fsync", "none"],
            ["--digest", "none"], ["--digest", "sha256"], ["--digest", "blake2b", "--verify"], ["-j", "1"],
            ["-j", "64"],
            ["--no-xattrs", "--no-hard-links"], ["--digest", "none", "--fsync", "none", "-j", "2"],
        ]
        try Disk.write(source / "large", SeededGenerator.bytes(20 << 20, seed: 1))
        for options in variants {
            let fresh = place.path / "fresh"
            let result = try BinaryRunner.copy(options, source, fresh)
            #expect(result.exitCode == 0, "\(options): \(result.errorText)")
            expectNone(try TreeSnapshot(of: fresh).differences(from: TreeSnapshot(of: source)), "\(options)")
            Disk.removeTree(fresh)
        }
    }

    @Test(
        "a file large enough for several workers is copied whole",
        arguments: [["--verify"], ["--digest", "none"], []]
    )
    func largeFile(options: [String]) throws {
        try Disk.write(source / "film", SeededGenerator.bytes((65 << 20) + 12_345, seed: 1))
        #expect(try BinaryRunner.copy(options + ["--fsync", "none"], source, target).exitCode == 0)
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
    }

    @Test("--bwlimit holds roughly")
    func bandwidth() throws {
        try Disk.write(source / "data", SeededGenerator.bytes(2 << 20, seed: 1))
        let limited = try BinaryRunner.copy(["--bwlimit", "1M"], source, target)
        #expect(limited.exitCode == 0)
        #expect(limited.seconds > 1.2 && limited.seconds < 10, "\(limited.seconds) s for 2.3 MB at 1 MB/s")
    }

    @Test(
        "fsync is called for every file by default, for none with --fsync none",
        .enabled(if: Requirement.canTrace, "needs strace")
    )
    func synchronises() throws {
        func calls(_ durability: String) throws -> (fsync: Int, syncfs: Int) {
            let log = place.path / "trace-\(durability)"
            let wrapper = ["strace", "-f", "-qq", "-e", "trace=fsync,syncfs", "-o", "\(log)"]
            let result = try BinaryRunner.copy(
                ["--fsync", durability],
                source,
                target / durability,
                wrapper: wrapper
            )
            #expect(result.exitCode == 0, "\(result.errorText)")
            // Without the record of runs, a database with syncs of its own.
            let text = try Disk.text(log)
            let lines = text.split(separator: "\n")
            return (lines.filter { $0.contains("fsync(") }.count, lines.filter { $0.contains("syncfs(") }.count)
        }
        let file = try calls("file")
        let end = try calls("end")
        let none = try calls("none")
        // The file, the root for all directories, and the marker of the run with its directory.
        #expect(file.fsync >= none.fsync + 4, "\(file.fsync) and \(none.fsync)")
        #expect(file.syncfs == 0 && none.syncfs == 0)
        #expect(end.syncfs == 1)
    }
}
