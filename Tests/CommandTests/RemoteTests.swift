import MediaModel
import MediasyncTesting
import Testing

/// Copies between two machines, of which one is this one and the other one too: the two ends meet through pipes.
@Suite("A copy to or from another machine") struct RemoteTests: RemoteSuite {
    let pair: RemotePair

    init() throws {
        pair = try RemotePair()
    }

    private func copy(_ direction: Direction, _ options: [String] = []) throws -> Program.Result {
        try start(direction, options).wait(timeout: 120)
    }

    @Test(
        "makes the target equal to a random tree, again after random changes, and then changes nothing",
        .enabled(if: Requirement.isRoot, "needs root"),
        arguments: Direction.allCases,
        1...5 as ClosedRange<UInt64>
    )
    func random(direction: Direction, seed: UInt64) throws {
        var tree = try SeededTree(in: source, seed: seed, entries: 70)
        for round in 0..<3 {
            if round > 0 { try tree.mutate(25) }
            let result = try copy(direction, ["--delete", "--max-delete", "100%"])
            #expect(result.exitCode == 0, "seed \(seed), round \(round): \(result.errorText)")
            try expectEqual(.copied, "seed \(seed), round \(round)")
        }
        let before = try TreeSnapshot(of: target)
        let again = try copy(direction, ["--delete"])
        #expect(again.exitCode == 0, "seed \(seed): \(again.errorText)")
        #expect(try TreeSnapshot(of: target).differences(from: before, in: .all).isEmpty, "seed \(seed)")
    }

    @Test("prints in a dry run what it then does", arguments: Direction.allCases)
    func dryRun(direction: Direction) throws {
        var tree = try SeededTree(in: source, seed: 77, entries: 50, hardLinks: false)
        for round in 0..<2 {
            if round > 0 { try tree.mutate(10) }
            let plan = try copy(direction, ["-n", "-i", "--delete", "--max-delete", "100%"])
            let done = try copy(direction, ["-i", "--delete", "--max-delete", "100%"])
            #expect(plan.exitCode == done.exitCode, "\(plan.errorText) \(done.errorText)")
            let lines = { (result: Program.Result) in
                Set(result.lines.filter { $0.dropFirst(11).hasPrefix(" ") && !$0.hasPrefix(" ") })
            }
            #expect(lines(plan) == lines(done))
        }
    }

    @Test("carries files of every size, and leaves holes as holes", arguments: Direction.allCases)
    func sizes(direction: Direction) throws {
        for size in [0, 1, 4095, 131_071, 131_072, 131_073, 262_144, 262_145, 3_000_000] {
            try Disk.write(source / "f\(size)", SeededGenerator.bytes(size, seed: UInt64(size) + 1))
        }
        try Disk.write(source / "holes", [1])
        try Disk.truncate(source / "holes", to: 20 << 20)
        try Disk.patch(source / "holes", at: 10 << 20, [1, 2, 3])
        let result = try copy(direction)
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual([.mode, .time])
        #expect(try #require(Disk.blocks(target / "holes")) < 1000)
    }

    @Test("compares contents where it is asked to", arguments: Direction.allCases)
    func checksum(direction: Direction) throws {
        for name in ["same", "flipped"] {
            try Disk.write(source / name, "contents")
            try Disk.write(target / name, name == "same" ? "contents" : "cOntents")
            for tree in [source, target] { try Disk.setTime(tree / name, 1_600_000_000) }
        }
        let inode = Disk.inode(target / "same")
        #expect(try copy(direction).exitCode == 0)
        #expect(try Disk.text(target / "flipped") == "cOntents")
        let result = try copy(direction, ["--checksum"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.text(target / "flipped") == "contents")
        #expect(Disk.inode(target / "same") == inode)
    }

    @Test("leaves out what rules leave out, and keeps it in the target", arguments: Direction.allCases)
    func filters(direction: Direction) throws {
        for name in ["a.jpg", "b.tmp"] { try Disk.write(source / name, name) }
        try Disk.makeDirectory(source / "cache")
        try Disk.write(source / "cache" / "c", "x")
        try Disk.write(target / "old.tmp", "x")
        try Disk.write(target / "old.jpg", "x")
        let options = ["--exclude", "*.tmp", "--only", "local", "--delete", "--max-delete", "100%", "--json"]
        let result = try copy(direction, options)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try TreeSnapshot(of: target).paths.map(\.description) == [".", "a.jpg", "old.tmp"])
    }

    @Test("refuses to delete for the sake of an empty source", arguments: Direction.allCases)
    func emptySource(direction: Direction) throws {
        try Disk.write(target / "kept", "x")
        let result = try copy(direction, ["--delete"])
        #expect(result.exitCode == 20, "\(result.errorText)")
        #expect(Disk.exists(target / "kept"))
    }

    @Test("deletes no more than it may", arguments: Direction.allCases)
    func deleteLimit(direction: Direction) throws {
        try Disk.write(source / "a", "x")
        for name in 0..<9 { try Disk.write(target / "old\(name)", "x") }
        let result = try copy(direction, ["--delete"])
        #expect(result.exitCode == 5, "\(result.errorText)")
        #expect(Disk.exists(target / "old1") && Disk.exists(target / "a"))
    }

    @Test(
        "replaces directories by what the source has in their place, with --delete",
        arguments: Direction.allCases,
        [[], ["--backup-dir"], ["-n"]] as [[String]]
    )
    func conflicts(direction: Direction, options: [String]) throws {
        try Disk.write(source / "file", SeededGenerator.bytes(300_000, seed: 1))
        try Disk.write(source / "small", "small")
        try Disk.makeLink(source / "link", to: BytePath("small"))
        for name in ["file", "small", "link", "gone"] {
            try Disk.makeDirectory(target / name)
            try Disk.write(target / name / "inner", "x")
        }
        let kept = place.path / "kept"
        if options == ["--backup-dir"] { try Disk.makeDirectory(kept) }
        let keeping = options == ["--backup-dir"] ? [kept.description] : []
        let all = ["--delete", "--max-delete", "100%"] + options + keeping
        let without = try copy(direction, options == ["-n"] ? ["-n"] : [])
        #expect(without.exitCode == 3, "\(without.errorText)")
        #expect(without.errorText.contains("could not replace the directory small by a file"))
        let before = try TreeSnapshot(of: target)
        let result = try copy(direction, all)
        #expect(result.exitCode == 0, "\(result.errorText)")
        if options == ["-n"] {
            #expect(try TreeSnapshot(of: target).differences(from: before, in: .all).isEmpty)
        } else {
            try expectEqual()
        }
        if options == ["--backup-dir"] { #expect(try Disk.text(kept / "file" / "inner") == "x") }
    }

    @Test("takes what a list names, and nothing else", arguments: Direction.allCases)
    func filesFrom(direction: Direction) throws {
        for name in ["", "/a", "/a/b", "/c", "/#d", "/e", "/e/f"] { try Disk.makeDirectory(source / "t\(name)") }
        for name in ["a/1", "a/b/2", "a/b/3", "c/4", "#d/5", "6", "#7", "e/8"] {
            try Disk.write(source / "t" / name, name)
        }
        try Disk.write(target / "kept", "x")
        let list = place.path / "list"
        try Disk.write(list, "t/a/b/2\0t/c/\0t/#d\0t/#7\0missing\0")
        let options = ["--files-from", list.description, "--from0", "--delete"]
        let result = try copy(direction, options)
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.errorText.contains("missing is listed in --files-from and not in the source"))
        let there = try TreeSnapshot(of: target).paths.map(\.description)
        #expect(there == [".", "kept", "t", "t/#7", "t/#d", "t/a", "t/a/b", "t/a/b/2", "t/c", "t/c/4"], "\(there)")
    }

    @Test("tells what differs", arguments: Direction.allCases)
    func verify(direction: Direction) throws {
        for tree in [source, target] {
            for name in ["same", "flipped", "mode", "kind"] { try Disk.write(tree / name, "contents") }
            try Disk.setMode(tree, 0o755)
        }
        try Disk.write(target / "flipped", "cOntents")
        try Disk.write(source / "new", "x")
        try Disk.makeDirectory(target / "extra")
        try Disk.write(target / "extra" / "inner", "x")
        try Disk.remove(target / "kind")
        try Disk.makeDirectory(target / "kind")
        try Disk.write(target / "kind" / "inner", "x")
        for tree in [source, target] {
            for name in ["same", "flipped", "mode"] { try Disk.setTime(tree / name, 1_600_000_000) }
            try Disk.setTime(tree, 1_600_000_000)
        }
        try Disk.setMode(target / "mode", 0o600)
        let before = try TreeSnapshot(of: target)
        let sides =
            direction == .pull ? ["old.example:\(source)", "\(target)"] : ["\(source)", "old.example:\(target)"]
        let words = ["--rsh", shell.path.description, "--remote-path", BinaryRunner.path]
        let found = try BinaryRunner.program().run(["verify"] + words + sides)
        #expect(found.exitCode == 4, "\(found.errorText)")
        let here = try BinaryRunner.program().run(["verify", "\(source)", "\(target)"])
        let differences = { (result: Program.Result) in
            Set(
                result.lines.filter { line in
                    ["missing", "content", "extra", "kind", "mode"].contains { line.hasPrefix($0) }
                }
            )
        }
        #expect(
            differences(found) == differences(here) && differences(found).count == 5,
            "\(found.text) | \(here.text)"
        )
        let contents = try BinaryRunner.program().run(["verify", "--content-only", "--uncached"] + words + sides)
        #expect(!contents.lines.contains { $0.hasSuffix("mode") } && contents.exitCode == 4)
        #expect(try TreeSnapshot(of: target).differences(from: before, in: .all).isEmpty)
        for name in ["flipped", "new", "extra", "kind", "mode"] { Disk.removeTree(target / name) }
        for name in ["flipped", "new", "kind", "mode"] { Disk.removeTree(source / name) }
        for tree in [source, target] { try Disk.setTime(tree, 1_600_000_000) }
        let equal = try BinaryRunner.program().run(["verify"] + words + sides)
        #expect(equal.exitCode == 0, "\(equal.text) \(equal.errorText)")
    }

    @Test("keeps within few open files at the receiver", arguments: Direction.allCases)
    func fewDescriptors(direction: Direction) throws {
        var tree = try SeededTree(in: source, seed: 12, entries: 150)
        try tree.mutate(10)
        let few = try LocalShell(in: place, before: direction == .push ? "ulimit -n 80" : "")
        let sides =
            direction == .pull ? ["old.example:\(source)", "\(target)"] : ["\(source)", "old.example:\(target)"]
        let words = ["copy", "--rsh", few.path.description, "--remote-path", BinaryRunner.path] + sides
        let limit = direction == .pull ? "ulimit -n 80; " : ""
        let result = try Program("sh").run(
            ["-c", "\(limit)exec \"$0\" \"$@\"", BinaryRunner.path] + words
        )
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual()
    }

    @Test("says what it cannot read, and copies the rest", arguments: Direction.allCases)
    func missing(direction: Direction) throws {
        Disk.removeTree(source)
        let result = try copy(direction)
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("cannot open the source"))
    }

    @Test("says that mediasync is not there, and what to do", arguments: Direction.allCases)
    func notInstalled(direction: Direction) throws {
        let result = try copy(direction, ["--remote-path", "/nonexistent/mediasync"])
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("mediasync was not found on old.example"))
        #expect(result.errorText.contains("--remote-path"))
    }

    @Test("says that ssh did not get there", arguments: Direction.allCases)
    func unreachable(direction: Direction) throws {
        let broken = try LocalShell(in: place, before: "echo 'Permission denied (publickey).' >&2; exit 255")
        let result = try start(direction, shell: broken).wait()
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("cannot reach old.example by ssh"))
        #expect(result.errorText.contains("Permission denied (publickey)."))
    }

    @Test("knows a login shell that prints something", arguments: Direction.allCases)
    func chattyShell(direction: Direction) throws {
        let chatty = try LocalShell(in: place, before: "echo 'Welcome!'")
        let result = try start(direction, shell: chatty).wait()
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("does not keep to the protocol") && result.errorText.contains("Welcome!"))
    }

    @Test("needs one end on this machine")
    func twoMachines() throws {
        let result = try BinaryRunner.copy([], BytePath("a:b"), BytePath("ssh://c/d"))
        #expect(result.exitCode == 64)
        let option = try BinaryRunner.copy([], BytePath("-oProxyCommand=x:b"), target)
        #expect(option.exitCode == 64)
    }

    @Test("stops when it is asked to, leaves no litter, and goes on afterwards", arguments: Direction.allCases)
    func stopped(direction: Direction) throws {
        for name in 0..<40 { try Disk.write(source / "f\(name)", SeededGenerator.bytes(300_000, seed: UInt64(name))) }
        let running = try start(direction, ["--bwlimit", "2M"])
        #expect(RunningProgram.eventually { (try? Disk.names(in: target).count) ?? 0 > 3 })
        running.send(15)
        let result = running.wait()
        #expect(result.exitCode == 143, "\(result.errorText)")
        let left = try Disk.names(in: target).map(\.description)
        #expect(!left.isEmpty && left.count < 40 && !left.contains { $0.hasPrefix(".mediasync-tmp") }, "\(left)")
        let again = try copy(direction)
        #expect(again.exitCode == 0, "\(again.errorText)")
        try expectEqual()
    }

    @Test("begins again where the connection is lost, and goes on where it was", arguments: Direction.allCases)
    func lost(direction: Direction) throws {
        for name in 0..<40 { try Disk.write(source / "f\(name)", SeededGenerator.bytes(300_000, seed: UInt64(name))) }
        let note = (place.path / "pid").description
        let shell = try LocalShell(in: place, before: "echo $$ > \(note)")
        let running = try start(direction, ["--bwlimit", "2M"], shell: shell)
        #expect(RunningProgram.eventually { (try? Disk.names(in: target).count) ?? 0 > 3 })
        let process = try Disk.text(BytePath(note)).split(separator: "\n").first.map(String.init) ?? ""
        try Program("kill").check(["-KILL", process])
        let result = running.wait()
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.errorText.contains("it is tried again (2 of 5)"), "\(result.errorText)")
        try expectEqual()
        #expect(try Disk.names(in: target).allSatisfy { !$0.description.hasPrefix(".mediasync") })
    }

    @Test("is confined by what its key may run")
    func confined() throws {
        try Disk.write(source / "a", "x")
        try Disk.makeDirectory(source / "inner")
        let agent = "\(BinaryRunner.path) agent --read-only --root \(source)"
        let script = place.path / "forced"
        try Disk.write(script, "#!/bin/sh\nexec \(agent)\n", mode: 0o755)
        let run = { (from: BytePath, to: BytePath) in
            try BinaryRunner.copy(["--rsh", script.description], from, to)
        }
        let far = { (path: String) in BytePath("host:\(path)") }
        #expect(try run(far("\(source)"), target).exitCode == 0)
        #expect(try run(far("inner"), target / "i").exitCode == 0)
        for path in ["/etc", "..", "inner/../..", "\(source)/../dst"] {
            let result = try run(far(path), target)
            #expect(result.exitCode == 20, "\(path): \(result.errorText)")
        }
        let words = ["verify", "--rsh", script.description]
        let verify = try BinaryRunner.program().run(words + ["\(target)", "host:\(source)/inner"])
        #expect(verify.exitCode == 4, "\(verify.errorText)")
        let push = try run(target, far("\(source)/inner"))
        #expect(push.exitCode == 20 && push.errorText.contains("may only read"), "\(push.errorText)")
        try Disk.makeLink(source / "out", to: BytePath("/etc"))
        #expect(try run(far("out"), target).exitCode == 10)
    }
}
