import MediaModel
import MediasyncTesting
import Testing

/// `--delete`: only what the source does not have, after everything else, and never beyond the tree.
@Suite struct DeleteTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath
    private let all = ["--delete", "--max-delete", "100%"]

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        try Disk.write(source / "kept", "x")
    }

    @Test("what is extraneous goes, with everything below it, whatever its names and modes")
    func extraneous() throws {
        _ = try SeededTree(in: target, seed: 11, entries: 60)
        let result = try BinaryRunner.copy(all, source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        expectNone(try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target)))
    }

    @Test("what a rule excludes stays, and so do the directories above it")
    func excluded() throws {
        try Disk.makeDirectory(target / "gone")
        try Disk.makeDirectory(target / "gone" / "deep")
        try Disk.write(target / "gone" / "deep" / "a.keep", "x")
        try Disk.write(target / "gone" / "deep" / "b", "x")
        try Disk.makeDirectory(target / "cache")
        try Disk.write(target / "cache" / "c", "x")
        let result = try BinaryRunner.copy(all + ["--exclude", "*.keep", "--exclude", "/cache/"], source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let left = try TreeSnapshot(of: target).paths.map(\.description)
        #expect(left == [".", "cache", "cache/c", "gone", "gone/deep", "gone/deep/a.keep", "kept"])
    }

    @Test("--only local leaves the remote half of the target alone")
    func onlyLocal() throws {
        try Disk.makeDirectory(target / "cache")
        try Disk.write(target / "cache" / "c", "x")
        try Disk.write(target / "old", "x")
        #expect(try BinaryRunner.copy(all + ["--only", "local"], source, target).exitCode == 0)
        #expect(try Disk.names(in: target).map(\.description) == ["cache", "kept"])
    }

    @Test(
        "a directory that cannot be listed switches deletion off",
        .enabled(if: Requirement.canDropRights, "needs root")
    )
    func listingError() throws {
        try Disk.makeDirectory(source / "secret", mode: 0o000)
        try Disk.write(target / "old", "x")
        for path in [target, target / "old"] { try Disk.setOwner(path, 65_534, 65_534) }
        let result = try BinaryRunner.unprivilegedProgram(in: place).run(["copy"] + all, source, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.errorText.contains("nothing was deleted"))
        #expect(Disk.exists(target / "old"))
    }

    @Test(
        "nothing mounted in the target is entered, neither another file system nor a bind mount of the same",
        .enabled(if: Requirement.canMount, "needs root and mount")
    )
    func mounts() throws {
        let outside = place.path / "outside"
        try Disk.makeDirectory(outside)
        try Disk.write(outside / "canary", "alive")
        try Disk.makeDirectory(target / "old")
        try Disk.write(target / "old" / "plain", "x")
        try Disk.makeDirectory(target / "old" / "tmpfs")
        try Disk.makeDirectory(target / "old" / "bound")
        try Program("mount").check(["-t", "tmpfs", "none"], target / "old" / "tmpfs")
        defer { _ = try? Program("umount").run([], target / "old" / "tmpfs") }
        try Disk.write(target / "old" / "tmpfs" / "canary", "alive")
        try Program("mount").check(["--bind"], outside, target / "old" / "bound")
        defer { _ = try? Program("umount").run([], target / "old" / "bound") }
        let result = try BinaryRunner.copy(all, source, target)
        #expect(try Disk.text(outside / "canary") == "alive")
        #expect(try Disk.text(target / "old" / "tmpfs" / "canary") == "alive")
        #expect(!Disk.exists(target / "old" / "plain"))
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.errorText.contains("mount point"), "\(result.errorText)")
    }

    @Test("a directory makes way for a file with --delete, and its contents count and are shown")
    func conflict() throws {
        try Disk.write(source / "name", "file now")
        try Disk.makeDirectory(target / "name")
        for index in 0..<6 { try Disk.write(target / "name" / "f\(index)", "x") }
        let limited = try BinaryRunner.copy(["--delete", "--max-delete", "3"], source, target)
        #expect(limited.exitCode == 5, "\(limited.errorText)")
        #expect(Disk.exists(target / "name" / "f0"))
        let plan = try BinaryRunner.copy(all + ["-n", "-i"], source, target)
        #expect(plan.lines.filter { $0.hasPrefix("*deleting") }.count == 7, "\(plan.text)")
        let result = try BinaryRunner.copy(all, source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.text(target / "name") == "file now")
    }

    @Test("without --delete a directory with entries stays, and the file is named as failed, in a dry run too")
    func conflictWithoutDelete() throws {
        try Disk.write(source / "name", "file now")
        try Disk.makeLink(source / "link", to: BytePath("x"))
        try Disk.makeDirectory(source / "empty-there")
        for name in ["name", "link"] {
            try Disk.makeDirectory(target / name)
            try Disk.write(target / name / "inside", "x")
        }
        for options in [["-n"], []] {
            let result = try BinaryRunner.copy(options, source, target)
            #expect(result.exitCode == 3, "\(result.errorText)")
            #expect(result.errorText.contains("could not replace the directory name by a file"))
            #expect(result.errorText.contains("could not replace the directory link by a symlink"))
        }
        #expect(try Disk.text(target / "name" / "inside") == "x")
        #expect(Disk.exists(target / "kept"))
    }

    @Test("a directory that holds something excluded cannot make way; the run says so")
    func conflictWithExcluded() throws {
        try Disk.write(source / "name", "file now")
        try Disk.makeDirectory(target / "name")
        try Disk.write(target / "name" / "a.keep", "x")
        let result = try BinaryRunner.copy(all + ["--exclude", "*.keep"], source, target)
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.errorText.contains("could not replace the directory name"))
        #expect(try Disk.text(target / "name" / "a.keep") == "x")
    }

    @Test("an empty directory makes way for a file, a file or link for a directory, without --delete")
    func kinds() throws {
        try Disk.write(source / "a", "file")
        try Disk.makeDirectory(target / "a")
        for name in ["b", "c"] {
            try Disk.makeDirectory(source / name)
            try Disk.write(source / name / "inside", "x")
        }
        try Disk.write(target / "b", "was a file")
        try Disk.makeLink(target / "c", to: place.path)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        expectNone(try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target)))
        #expect(try Disk.names(in: place.path).map(\.description) == ["dst", "src"])
    }

    @Test("--backup-dir keeps what is replaced and what is deleted, inside the target or beside it")
    func backup() throws {
        for name in ["inside", "beside"] {
            let backup = name == "inside" ? target / "backup" : place.path / "backup"
            try Disk.makeDirectory(backup)
            if !Disk.exists(source / "sub") { try Disk.makeDirectory(source / "sub") }
            try Disk.write(source / "sub" / "changed", "new \(name)")
            if !Disk.exists(target / "sub") { try Disk.makeDirectory(target / "sub") }
            try Disk.write(target / "sub" / "changed", "old \(name)")
            try Disk.setTime(target / "sub" / "changed", 1)
            try Disk.write(target / "sub" / "gone", "gone \(name)")
            let backupPath = String(decoding: backup.bytes, as: UTF8.self)
            let options = all + ["--backup-dir", backupPath]
            let plan = try BinaryRunner.copy(options + ["-n", "-i"], source, target)
            let result = try BinaryRunner.copy(options + ["-i"], source, target)
            #expect(result.exitCode == 0, "\(result.errorText)")
            #expect(
                plan.lines.filter { !$0.hasPrefix(" ") && !$0.hasPrefix("copy") }.sorted()
                    == result.lines.filter { !$0.hasPrefix(" ") && !$0.hasPrefix("copy") }.sorted()
            )
            #expect(try Disk.text(backup / "sub" / "changed") == "old \(name)")
            #expect(try Disk.text(backup / "sub" / "gone") == "gone \(name)")
            #expect(try Disk.text(target / "sub" / "changed") == "new \(name)")
            #expect(!Disk.exists(target / "sub" / "gone"))
            Disk.removeTree(backup)
        }
    }

    @Test("a directory that is deleted a second time is merged with the older backup; kinds that clash are named")
    func secondBackup() throws {
        let backup = place.path / "backup"
        try Disk.makeDirectory(backup)
        try Disk.write(source / "kept", "kept")
        let options = all + ["--backup-dir", String(decoding: backup.bytes, as: UTF8.self)]
        for round in 1...2 {
            for directory in ["gone", "gone/deep"] { try Disk.makeDirectory(target / directory) }
            try Disk.write(target / "gone" / "deep" / "both", "round \(round)")
            try Disk.write(target / "gone" / "deep" / "only\(round)", "x")
            if round == 1 { try Disk.write(target / "gone" / "kind", "a file") }
            if round == 2 {
                try Disk.makeDirectory(target / "gone" / "kind")
                try Disk.write(target / "gone" / "kind" / "inside", "x")
            }
            let result = try BinaryRunner.copy(options, source, target)
            #expect(result.exitCode == 0, "\(result.errorText)")
            #expect(!Disk.exists(target / "gone"))
        }
        #expect(try Disk.text(backup / "gone" / "deep" / "both") == "round 2")
        for name in ["only1", "only2"] { #expect(Disk.exists(backup / "gone" / "deep" / name)) }
        #expect(Disk.exists(backup / "gone" / "kind" / "inside"))

        try Disk.write(target / "gone", "a file where a directory was kept")
        let clash = try BinaryRunner.copy(options, source, target)
        #expect(clash.exitCode == 3, "\(clash.errorText)")
        #expect(clash.errorText.contains("gone") && clash.errorText.contains("EISDIR"), "\(clash.errorText)")
        #expect(try Disk.text(target / "gone") == "a file where a directory was kept")
        #expect(Disk.exists(backup / "gone" / "deep" / "only1"))
    }
}
