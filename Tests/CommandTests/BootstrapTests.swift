import MediaModel
import MediasyncTesting
import Testing

/// `--bootstrap`: this program is brought to a machine that has none, and runs there.
@Suite("A machine without mediasync") struct BootstrapTests: RemoteSuite {
    let pair: RemotePair
    private let home: BytePath
    private let stubs: BytePath

    init() throws {
        pair = try RemotePair()
        home = pair.place.path / "home"
        stubs = pair.place.path / "stubs"
        for path in [home, stubs] { try Disk.makeDirectory(path) }
        try Disk.write(pair.source / "a", "x")
    }

    /// The far machine: a home of its own, and programs that come before others.
    private func machine(_ lines: String = "") throws -> LocalShell {
        try LocalShell(in: place, before: "export HOME=\(home) PATH=\(stubs):$PATH\n\(lines)")
    }

    private func stub(_ name: String, _ script: String) throws {
        try Disk.write(stubs / name, "#!/bin/sh\n\(script)\n", mode: 0o755)
    }

    private func copy(_ direction: Direction, _ more: [String] = [], shell: LocalShell? = nil) throws -> Program.Result
    {
        let all = ["--rsh", try (shell ?? machine()).path.description, "--bootstrap"] + more
        switch direction {
        case .pull: return try BinaryRunner.copy(all, RemotePair.far(source), target, timeout: 120)
        case .push: return try BinaryRunner.copy(all, source, RemotePair.far(target), timeout: 120)
        }
    }

    private func cached() -> [BytePath] {
        let folder = home / ".cache" / "mediasync"
        return ((try? Disk.names(in: folder)) ?? []).map { folder / $0 }
    }

    @Test("gets it once, and runs it from there", arguments: Direction.allCases)
    func brought(direction: Direction) throws {
        let first = try copy(direction)
        #expect(first.exitCode == 0, "\(first.errorText)")
        #expect(first.errorText.contains("mediasync is brought to old.example"))
        try expectEqual()
        let file = try #require(cached().first)
        #expect(cached().count == 1 && Disk.mode(file) == 0o700 && Disk.mode(home / ".cache" / "mediasync") == 0o700)
        #expect(Disk.size(file) == Disk.size(BytePath(BinaryRunner.path)))
        let inode = Disk.inode(file)
        let again = try copy(direction)
        #expect(again.exitCode == 0 && !again.errorText.contains("is brought"), "\(again.errorText)")
        #expect(cached() == [file] && Disk.inode(file) == inode)
        // One that was damaged is not run.
        try Disk.patch(file, at: 5000, [1, 2, 3])
        let mended = try copy(direction)
        #expect(mended.exitCode == 0 && mended.errorText.contains("is brought"), "\(mended.errorText)")
        #expect(cached() == [file] && Disk.inode(file) != inode)
    }

    @Test("has it already: then nothing is brought")
    func there() throws {
        let result = try copy(.pull, ["--remote-path", BinaryRunner.path])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(cached().isEmpty)
    }

    @Test("has another version: then this one is brought beside it")
    func otherVersion() throws {
        try stub("mediasync", "echo 999")
        let result = try copy(.pull)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(cached().count == 1)
    }

    @Test("is of another kind: then nothing is brought, and the error says why")
    func otherSystem() throws {
        try stub("uname", "echo Linux m68k")
        let result = try copy(.push)
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("mediasync of this version is not on old.example"))
        #expect(result.errorText.contains("Linux m68k") && result.errorText.contains("--remote-path"))
        #expect(cached().isEmpty)
    }

    @Test("lacks a library: then the error names it and its package")
    func lacksLibrary() throws {
        // What is no library stands in for one that is not there.
        try Disk.write(stubs / "libpq.so.5", "nothing")
        try stub("ldd", "echo '\tlibpq.so.5 => not found'; echo '\tlibc.so.6 => /lib/libc.so.6 (0x1)'")
        let result = try copy(.pull, shell: machine("export LD_LIBRARY_PATH=\(stubs)"))
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("this program does not run on old.example"))
        #expect(result.errorText.contains("it lacks libpq.so.5\n"))
        #expect(result.errorText.contains("apt-get install libpq5"))
        #expect(try TreeSnapshot(of: target).paths.count == 1)
    }

    @Test("cannot keep it: then nothing is left there")
    func noRoom() throws {
        try stub("gzip", "head -c 100 >/dev/null; echo 'No space left on device' >&2; exit 1")
        let result = try copy(.pull)
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("could not bring mediasync to old.example"), "\(result.errorText)")
        #expect(cached().isEmpty)
    }

    @Test("says other things first, and is understood")
    func chatty() throws {
        let result = try copy(.pull, shell: machine("case \"$*\" in *agent) ;; *) echo Welcome; esac"))
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(cached().count == 1)
    }

    @Test("is not reached, or answers nothing that is understood")
    func unreachable() throws {
        let broken = try LocalShell(in: place, before: "echo 'Permission denied (publickey).' >&2; exit 255")
        let result = try copy(.pull, shell: broken)
        #expect(result.exitCode == 10, "\(result.errorText)")
        #expect(result.errorText.contains("cannot reach old.example by ssh"))
        #expect(result.errorText.contains("Permission denied (publickey)."))
        let mute = try copy(.pull, shell: LocalShell(in: place, before: "cat >/dev/null; exit 0"))
        #expect(mute.exitCode == 10 && mute.errorText.contains("cannot run a shell on old.example"))
        let endless = try copy(.pull, shell: LocalShell(in: place, before: "exec yes"))
        #expect(endless.exitCode == 10 && endless.errorText.contains("says too much"), "\(endless.errorText)")
    }

    @Test(
        "gets it through ssh, and a key that runs one command does not",
        .enabled(if: Requirement.isRoot && Requirement.hasSSH, "needs root and sshd")
    )
    func ssh() throws {
        let far = { (path: BytePath) in BytePath(bytes: Array("127.0.0.1:".utf8) + path.bytes) }
        let server = try SSHServer(environment: ["HOME": home.description])
        let options = ["--rsh", server.shell, "--remote-path", "/nonexistent/mediasync", "--bootstrap"]
        let pull = try BinaryRunner.copy(options, far(source), target, timeout: 120)
        #expect(pull.exitCode == 0, "\(pull.errorText)")
        #expect(cached().count == 1)
        try Disk.write(source / "b", "y")
        let push = try BinaryRunner.copy(options, source, far(target), timeout: 120)
        #expect(push.exitCode == 0, "\(push.errorText)")
        try expectEqual()
        let confined = try SSHServer(command: "\(BinaryRunner.path) agent --read-only --root \(source)")
        let refused = try BinaryRunner.copy(["--rsh", confined.shell, "--bootstrap"], far(source), target)
        #expect(refused.exitCode == 10, "\(refused.errorText)")
        #expect(refused.errorText.contains("cannot run a shell on 127.0.0.1"))
    }
}
