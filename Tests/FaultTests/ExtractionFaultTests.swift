import MediaModel
import MediasyncTesting
import Testing

/// An extraction that is killed, stopped, or runs out of space, and goes on.
@Suite(.serialized) struct ExtractionFaultTests {
    private static let files = 1500

    /// An archive whose files tell by their content whether they are whole, and what it comes to.
    private struct Subject {
        let place: TemporaryDirectory
        let archive: BytePath
        private var contents: [String: [UInt8]] = [:]

        init(seed: UInt64, files: Int = ExtractionFaultTests.files, bytesMax: Int = 6000) throws {
            place = try TemporaryDirectory()
            archive = place.path / "media.tar.zst"
            var random = SeededGenerator(seed: seed)
            var tar = TarWriter()
            for index in 0..<files {
                let name = "accounts/avatars/000/00\(index % 7)/\(100 + index % 800)/original/f\(index).png"
                let size = index % 200 == 0 ? 700_000 : Int.random(in: 0...bytesMax, using: &random)
                let bytes = random.bytes(size)
                contents[name] = bytes
                tar.file("media/" + name, bytes)
            }
            try Disk.write(place.path / "media.tar", tar.finished())
            try Program("zstd").check(["-q", "-1"], place.path / "media.tar", BytePath("-o"), archive)
        }

        /// Files that are there and not whole, or not the archive's.
        func torn(in target: BytePath, older: [UInt8]? = nil) throws -> [String] {
            try contents.compactMap { name, bytes in
                guard Disk.exists(target / name) else { return nil }
                let found = try Disk.read(target / name)
                return found == bytes || found == older ? nil : "\(name) has \(found.count) bytes"
            }
        }

        func differences(in target: BytePath) throws -> [String] {
            let missing = contents.keys.filter { !Disk.exists(target / $0) }.map { "\($0) is missing" }
            let found = try TreeSnapshot(of: target).entries.values.filter { $0.kind == .file }.count
            let count = found == contents.count ? [] : ["\(found) files for \(contents.count)"]
            return try Array((missing + torn(in: target) + count).prefix(10))
        }

        /// An older version of each third file.
        func writeOlder(_ bytes: [UInt8], in target: BytePath) throws {
            for (index, name) in contents.keys.sorted().enumerated() where index % 3 == 0 {
                try Program("mkdir").check(["-p"], (target / name).withoutLast)
                try Disk.write(target / name, bytes)
                try Disk.setTime(target / name, 1_500_000_000)
            }
        }
    }

    @Test("kill -9 at a random moment leaves whole files only, and the next run heals and clears up", arguments: 1...10)
    func kill(round: Int) throws {
        let seed = UInt64(round) &* 6271
        var random = SeededGenerator(seed: seed)
        let subject = try Subject(seed: seed)
        let target = subject.place.path / "dst"
        try Disk.makeDirectory(target)
        let older = Array("older".utf8)
        if round % 2 == 0 { try subject.writeOlder(older, in: target) }
        let options = [["--fsync", "file"], ["--fsync", "none"], ["--fsync", "end"]][round % 3]
        for attempt in 1...3 {
            let run = try BinaryRunner.startCopy(options, subject.archive, target)
            _ = RunningProgram.eventually(within: 5) { Disk.exists(target / ".mediasync-run") || !run.isRunning }
            RunningProgram.pause(milliseconds: Int.random(in: 0...120 * attempt, using: &random))
            run.killGroup()
            _ = run.wait()
            expectNone(try subject.torn(in: target, older: older), "seed \(seed), attempt \(attempt)")
        }
        let last = try BinaryRunner.copy(subject.archive, target)
        #expect(last.exitCode == 0, "\(last.errorText)")
        expectNone(try subject.differences(in: target), "seed \(seed)")
        expectNone(try TreeSnapshot(of: target).litter, "seed \(seed)")
    }

    @Test(
        "SIGINT and SIGTERM stop within seconds and leave no litter",
        arguments: [(2, 130), (15, 143)] as [(Int32, Int32)]
    )
    func stop(signal: Int32, code: Int32) throws {
        let subject = try Subject(seed: 5, files: 4000)
        let target = subject.place.path / "dst"
        let run = try BinaryRunner.startCopy(subject.archive, target)
        _ = RunningProgram.eventually(within: 10) { Disk.exists(target / "accounts/avatars/000/001") || !run.isRunning }
        let before = RunningProgram.now()
        run.send(signal)
        let result = run.wait(timeout: 20)
        #expect(RunningProgram.now() - before < 5)
        #expect(result.exitCode == code, "\(result.errorText)")
        expectNone(try subject.torn(in: target))
        expectNone(try TreeSnapshot(of: target).litter)
        #expect(try BinaryRunner.copy(subject.archive, target).exitCode == 0)
        expectNone(try subject.differences(in: target))
    }

    @Test(
        "no space: exit 14, named, nothing torn, no litter; heals once there is room",
        .enabled(if: Requirement.canMount, "needs root and loop devices")
    )
    func noSpace() throws {
        let disk = try LoopFileSystem(megabytes: 24)
        let subject = try Subject(seed: 7, files: 600, bytesMax: 40_000)
        let target = disk.path / "dst"
        try Disk.makeDirectory(target)
        let ballast = disk.path / "ballast"
        try Disk.write(ballast, [UInt8](repeating: 1, count: max(0, disk.freeBytes - (3 << 20))))
        let result = try BinaryRunner.copy(subject.archive, target)
        #expect(result.exitCode == 14, "\(result.errorText)")
        #expect(result.errorText.contains("ENOSPC"), "\(result.errorText)")
        expectNone(try subject.torn(in: target))
        expectNone(try TreeSnapshot(of: target).litter)
        try Disk.remove(ballast)
        let healed = try BinaryRunner.copy(subject.archive, target)
        #expect(healed.exitCode == 0, "\(healed.errorText)")
        expectNone(try subject.differences(in: target))
    }

    @Test(
        "where the flush of the whole file system fails, every file has its own",
        .enabled(if: Requirement.canMount && Requirement.has("strace"), "needs root, loop devices and strace"),
        arguments: ["EIO", "ENOSPC"]
    )
    func flushFails(error: String) throws {
        let disk = try LoopFileSystem(megabytes: 128)
        let subject = try Subject(seed: 17, files: 400)
        let target = disk.path / "dst"
        try Disk.makeDirectory(target)
        let log = subject.place.path / "calls"
        let wrapper = ["strace", "-f", "-qq", "-o", "\(log)", "-e", "trace=fsync,syncfs,sync_file_range"]
        let result = try BinaryRunner.copy(
            [],
            subject.archive,
            target,
            wrapper: wrapper + ["-e", "inject=syncfs:error=\(error)"]
        )
        #expect(result.exitCode == 0, "\(result.errorText)")
        expectNone(try subject.differences(in: target))
        let calls = String(decoding: try Disk.read(log), as: UTF8.self)
        #expect(calls.contains("syncfs("))
        #expect(calls.split(separator: "\n").count { $0.contains("fsync(") } >= 400)
    }

    @Test(
        "bytes that a flush of the whole file system lost are told by their file, which gets no name",
        .enabled(if: Requirement.canMount && Requirement.has("strace"), "needs root, loop devices and strace")
    )
    func lostInFlush() throws {
        let disk = try LoopFileSystem(megabytes: 128)
        let subject = try Subject(seed: 19, files: 400)
        let target = disk.path / "dst"
        try Disk.makeDirectory(target)
        let result = try BinaryRunner.copy(
            [],
            subject.archive,
            target,
            wrapper: [
                "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=sync_file_range",
                "-e", "inject=sync_file_range:error=EIO:when=1",
            ]
        )
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect((result.text + result.errorText).contains("(EIO, sync_file_range)"), "\(result.errorText)")
        expectNone(try subject.torn(in: target))
        #expect(try BinaryRunner.copy(subject.archive, target).exitCode == 0)
        expectNone(try subject.differences(in: target))
    }

    @Test(
        "a power cut tears nothing, and the rerun heals",
        .enabled(if: Requirement.canMount && Requirement.has("xfs_io"), "needs root, loop devices and xfs_io")
    )
    func powerCut() throws {
        let disk = try LoopFileSystem(megabytes: 128)
        let subject = try Subject(seed: 11)
        let target = disk.path / "dst"
        try Disk.makeDirectory(target)
        try Program("sync").check(["-f"], disk.path)
        let run = try BinaryRunner.startCopy(subject.archive, target)
        _ = RunningProgram.eventually(within: 10) { Disk.exists(target / "accounts/avatars/000/001") || !run.isRunning }
        RunningProgram.pause(milliseconds: 60)
        try disk.stopDisk()
        _ = run.wait()
        try disk.cutPower()
        expectNone(try subject.torn(in: target))
        #expect(try BinaryRunner.copy(subject.archive, target).exitCode == 0)
        try disk.cutPower()
        expectNone(try subject.differences(in: target))
        expectNone(try TreeSnapshot(of: target).litter)
    }

    @Test("few descriptors are enough, or it says so")
    func descriptors() throws {
        let subject = try Subject(seed: 3, files: 300)
        let target = subject.place.path / "dst"
        try Disk.makeDirectory(target)
        for limit in ["64", "96", "256"] {
            let result = try BinaryRunner.copy(
                [],
                subject.archive,
                target,
                wrapper: ["prlimit", "--nofile=\(limit):\(limit)"]
            )
            if result.exitCode != 0 { #expect(result.errorText.contains("EMFILE"), "\(limit): \(result.errorText)") }
            expectNone(try subject.torn(in: target))
            expectNone(try TreeSnapshot(of: target).litter, "\(limit)")
        }
        #expect(try BinaryRunner.copy(subject.archive, target).exitCode == 0)
        expectNone(try subject.differences(in: target))
    }

    @Test("two runs into one target: the second is refused")
    func locked() throws {
        let subject = try Subject(seed: 4, files: 4000)
        let target = subject.place.path / "dst"
        let run = try BinaryRunner.startCopy(subject.archive, target)
        _ = RunningProgram.eventually(within: 10) { Disk.exists(target / ".mediasync-run") || !run.isRunning }
        run.send(19)
        if run.isRunning, run.isStopped {
            #expect(try BinaryRunner.copy(subject.archive, target).exitCode == 11)
        }
        run.send(18)
        #expect(run.wait().exitCode == 0)
        expectNone(try subject.differences(in: target))
    }
}

extension BytePath {
    fileprivate var withoutLast: BytePath {
        BytePath(bytes: Array(bytes[..<(bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0)]))
    }
}
