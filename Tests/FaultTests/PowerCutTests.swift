import MediaModel
import MediasyncTesting
import Testing

/// The power fails: what was promised to be on the disk is there, and nothing is torn.
@Suite(
    .serialized,
    .enabled(if: Requirement.canMount && Requirement.has("xfs_io"), "needs root, loop devices and xfs_io")
)
struct PowerCutTests {
    private struct Setting {
        let disk: LoopFileSystem
        let place: TemporaryDirectory
        let tree: SelfCheckingTree

        init(_ kind: LoopFileSystem.Kind, files: Int, seed: UInt64) throws {
            disk = try LoopFileSystem(kind, megabytes: kind == .ext4 ? 96 : 320)
            place = try TemporaryDirectory()
            try Disk.makeDirectory(place.path / "src")
            try Disk.makeDirectory(disk.path / "dst")
            tree = try SelfCheckingTree(
                source: place.path / "src",
                target: disk.path / "dst",
                files: files,
                seed: seed
            )
            try Program("sync").check(["-f"], disk.path)
        }
    }

    @Test(
        "right after exit 0 every file, directory and attribute is on the disk",
        arguments: [("file", LoopFileSystem.Kind.ext4), ("end", .ext4), ("file", .xfs)]
    )
    func afterExit(durability: String, kind: LoopFileSystem.Kind) throws {
        guard Requirement.has("mkfs.\(kind.rawValue)") else { return }
        let setting = try Setting(kind, files: 150, seed: 21)
        try Disk.makeDirectory(setting.tree.source / "new")
        try Disk.makeDirectory(setting.tree.source / "new" / "deep")
        try Disk.write(setting.tree.source / "new" / "deep" / "file", "x")
        try Disk.makeLink(setting.tree.source / "new" / "link", to: BytePath("deep"))
        try Disk.makeHardLink(setting.tree.source / "new" / "hard", to: setting.tree.source / "d0" / "f0")
        try Disk.write(setting.tree.target / "extra", "x")
        let options = ["--fsync", durability, "--delete", "--max-delete", "100%"]
        let result = try BinaryRunner.copy(options, setting.tree.source, setting.tree.target)
        try setting.disk.cutPower()
        #expect(result.exitCode == 0, "\(result.errorText)")
        expectNone(try setting.tree.differences())
    }

    @Test("in the middle of a run nothing is torn, and the next run heals", arguments: 1...4)
    func midRun(round: Int) throws {
        let setting = try Setting(.ext4, files: 250, seed: UInt64(round))
        let run = try BinaryRunner.startCopy(["--bwlimit", "8M"], setting.tree.source, setting.tree.target)
        _ = RunningProgram.eventually { Disk.exists(setting.tree.target / ".mediasync-run") || !run.isRunning }
        RunningProgram.pause(milliseconds: 40 * round)
        // Somebody else's fsync commits the journal in between, renames with it.
        try Disk.write(setting.disk.path / "foreign", "x")
        try Program("sync").check([], setting.disk.path / "foreign")
        try setting.disk.stopDisk()
        let result = run.wait()
        #expect(result.exitCode != nil, "\(result)")
        try setting.disk.cutPower()
        expectNone(try setting.tree.tornFiles(), "round \(round)")
        let next = try BinaryRunner.copy(setting.tree.source, setting.tree.target)
        #expect(next.exitCode == 0, "\(next.errorText)")
        expectNone(try setting.tree.differences())
    }

    @Test("a disk that stopped is never reported as success")
    func stoppedDisk() throws {
        let setting = try Setting(.ext4, files: 60, seed: 33)
        let run = try BinaryRunner.startCopy(["--bwlimit", "300K"], setting.tree.source, setting.tree.target)
        _ = RunningProgram.eventually { Disk.exists(setting.tree.target / ".mediasync-run") }
        try setting.disk.stopDisk()
        let result = run.wait()
        #expect(result.exitCode != 0 && result.exitCode != nil)
        #expect(result.errorText.contains("EIO") || result.errorText.contains("EROFS"), "\(result.errorText)")
    }

    @Test("the control: with --fsync none a power cut right after exit 0 does lose files")
    func control() throws {
        let setting = try Setting(.ext4, files: 150, seed: 22)
        let result = try BinaryRunner.copy(["--fsync", "none"], setting.tree.source, setting.tree.target)
        try setting.disk.cutPower()
        #expect(result.exitCode == 0)
        #expect(try !setting.tree.missingFiles().isEmpty, "the power cut of these tests cuts nothing")
    }
}
