import MediaModel
import MediasyncTesting
import Testing

/// Others work in both trees during a copy: writers in the source, attackers in either.
@Suite(.serialized) struct RaceTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
    }

    /// A shell loop beside the copy, killed when the value goes.
    private func loop(_ body: String, _ arguments: BytePath...) throws -> RunningProgram {
        let script = BytePath("while :; do \(body); done")
        return try Program("/bin/bash").start([BytePath("-c"), script, BytePath("loop")] + arguments)
    }

    @Test(
        "a file that changes while it is read is tried again, then named, and no mixture gets its name",
        .enabled(if: Requirement.canTrace, "needs strace"),
        arguments: [
            "printf x >>\"$1\"", "truncate -s 5000 \"$1\"; truncate -s 400000 \"$1\"",
            "cp \"$2\" \"$1.t\"; mv \"$1.t\" \"$1\"",
            "printf changed | dd of=\"$1\" conv=notrunc bs=1 seek=1000 status=none",
        ]
    )
    func changing(body: String) throws {
        for index in 0..<6 { try Disk.write(source / "quiet\(index)", "quiet \(index)") }
        let busy = source / "busy"
        try Disk.write(busy, SeededGenerator.bytes(400_000, seed: 1))
        try Disk.write(place.path / "other", SeededGenerator.bytes(400_000, seed: 2))
        let writer = try loop(body, busy, place.path / "other")
        // Every read takes 30 ms, so that something changes between the first and the last look.
        let wrapper = [
            "strace", "-f", "-qq", "-o", "/dev/null", "-P", "\(busy)", "-e", "trace=read,pread64",
            "-e", "inject=read,pread64:delay_enter=30000",
        ]
        let result = try BinaryRunner.copy(["--exclude", "*.t"], source, target, wrapper: wrapper)
        writer.killGroup()
        _ = writer.wait()
        if result.exitCode == 0, body.hasPrefix("cp") {
            // Replaced by a rename, each version is whole: one may have been caught in between.
            let versions = [1, 2].map { SeededGenerator.bytes(400_000, seed: $0) }
            #expect(try versions.contains(Disk.read(target / "busy")))
        } else {
            #expect(result.exitCode == 24, "\(result.errorText)")
            #expect(result.errorText.contains("busy changed while it was read"), "\(result.errorText)")
            #expect(!Disk.exists(target / "busy"))
        }
        for index in 0..<6 { #expect(try Disk.text(target / "quiet\(index)") == "quiet \(index)") }
        expectNone(try TreeSnapshot(of: target).litter)
        Disk.removeTree(source / "busy.t")
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
    }

    @Test(
        "what is taken out of the source between listing and reading is named, the rest goes on",
        .enabled(if: Requirement.canTrace, "needs strace")
    )
    func vanishing() throws {
        for index in 0..<200 { try Disk.write(source / "f\(index)", "\(index)") }
        let wrapper = [
            "strace", "-f", "-qq", "-o", "/dev/null", "-P", "\(source)", "-e", "trace=openat",
            "-e", "inject=openat:delay_enter=5000",
        ]
        let run = try BinaryRunner.startCopy(["-j", "1"], source, target, wrapper: wrapper)
        _ = RunningProgram.eventually { Disk.exists(target / ".mediasync-run") }
        for index in 0..<200 where index % 2 == 0 { try? Disk.remove(source / "f\(index)") }
        let result = run.wait()
        #expect(result.exitCode == 24, "\(result.errorText)")
        #expect(result.errorText.contains("ENOENT"))
        for index in 0..<200 where index % 2 == 1 { #expect(try Disk.text(target / "f\(index)") == "\(index)") }
        expectNone(try TreeSnapshot(of: target).litter)
    }

    @Test("a link swapped in for a directory of the source gives nothing from outside away")
    func swappedSource() throws {
        let outside = place.path / "outside"
        try Disk.makeDirectory(outside)
        for index in 0..<20 {
            try Disk.write(outside / "f\(index)", "SECRET")
            try Disk.makeDirectory(source / "d\(index)")
            for file in 0..<20 { try Disk.write(source / "d\(index)" / "f\(file)", "public") }
        }
        let attacker = try loop(
            "for d in \"$1\"/d*; do mv \"$d\" \"$1/../moved\" && ln -s \"$2\" \"$d\"; rm -f \"$d\"; mv \"$1/../moved\" \"$d\"; "
                + "f=\"$d/f3\"; mv \"$f\" \"$1/../file\" && ln -s \"$2/f3\" \"$f\"; rm -f \"$f\"; mv \"$1/../file\" \"$f\"; done",
            source,
            outside
        )
        for _ in 0..<12 {
            let result = try BinaryRunner.copy(["--fsync", "none"], source, target)
            #expect(result.exitCode != nil && [0, 3, 24].contains(result.exitCode), "\(result)")
            for (path, entry) in try TreeSnapshot(of: target).entries where entry.kind == .file {
                #expect(try Disk.text(target / path) == "public", "\(path)")
            }
            try resetTarget()
        }
        attacker.killGroup()
        _ = attacker.wait()
    }

    private func resetTarget() throws {
        Disk.removeTree(target)
        try Disk.makeDirectory(target)
    }

    @Test("a link swapped in for a directory or file of the target leads no write outside")
    func swappedTarget() throws {
        let outside = place.path / "outside"
        try Disk.makeDirectory(outside)
        for index in 0..<20 {
            try Disk.makeDirectory(source / "d\(index)")
            for file in 0..<10 { try Disk.write(source / "d\(index)" / "f\(file)", "new") }
        }
        for file in 0..<10 { try Disk.write(outside / "f\(file)", "canary", mode: 0o600) }
        try Disk.write(outside / "extra", "canary", mode: 0o600)
        let before = try TreeSnapshot(of: outside)
        let attacker = try loop(
            "for d in \"$1\"/d*; do [ -d \"$d\" ] || continue; rm -rf \"$1/../gone\"; mv \"$d\" \"$1/../gone\" && ln -sn \"$2\" \"$d\"; "
                + "rm -f \"$d\"; mkdir \"$d\"; ln -s \"$2/f1\" \"$d/f1\"; ln \"$2/f2\" \"$d/f2\"; ln -s \"$2\" \"$d/x\"; done",
            target,
            outside
        )
        for round in 0..<15 {
            let options = ["--fsync", "none", "--delete", "--max-delete", "100%"]
            let result = try BinaryRunner.copy(round % 2 == 0 ? options : ["--fsync", "file"], source, target)
            #expect(result.exitCode != nil && result.exitCode != 1, "\(result.errorText)")
            for index in 0..<20 { try? Disk.setTime(source / "d\(index)" / "f\(index % 10)", 1000 + round) }
        }
        attacker.killGroup()
        _ = attacker.wait()
        // A link count is all that the attacker's own hard links may change.
        expectNone(try TreeSnapshot(of: outside).differences(from: before))
        let healed = try BinaryRunner.copy(["--delete", "--max-delete", "100%"], source, target)
        #expect(healed.exitCode == 0, "\(healed.errorText)")
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
        expectNone(try TreeSnapshot(of: outside).differences(from: before))
    }
}
