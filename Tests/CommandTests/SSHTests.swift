import MediaModel
import MediasyncTesting
import Testing

/// The same through a real OpenSSH server on a loopback port, beside rsync through the same one.
@Suite("A copy through ssh", .serialized, .enabled(if: Requirement.isRoot && Requirement.hasSSH, "needs root and sshd"))
struct SSHTests {
    private static func far(_ path: BytePath) -> BytePath { BytePath(bytes: Array("127.0.0.1:".utf8) + path.bytes) }

    @Test(
        "ends in the tree that rsync would make",
        .enabled(if: Requirement.hasRsync, "needs rsync"),
        arguments: 1...4 as ClosedRange<UInt64>,
        [[], ["--delta", "always", "--detect-renames"], ["--connections", "4"]]
    )
    func differential(seed: UInt64, more: [String]) throws {
        let server = try SSHServer()
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let way = ["--rsh", server.shell, "--remote-path", BinaryRunner.path]
        let options = way + more + ["--delete", "--max-delete", "100%"]
        var tree = try SeededTree(in: source, seed: seed, entries: 70)
        for round in 0..<3 {
            if round > 0 { try tree.mutate(12) }
            let isPull = (Int(seed) + round) % 2 == 0
            let result =
                isPull
                ? try BinaryRunner.copy(options, Self.far(source), target)
                : try BinaryRunner.copy(options, source, Self.far(target))
            #expect(result.exitCode == 0, "seed \(seed), round \(round): \(result.errorText)")
            let rsync = try Program(RsyncProgram.path).run(
                ["-aHAXSin", "--delete", "-e", server.shell],
                Self.far(source / ""),
                target / ""
            )
            #expect(rsync.exitCode == 0, "\(rsync.errorText)")
            #expect(rsync.text == "", "seed \(seed), round \(round)")
        }
    }

    @Test("goes on with all connections where one's ssh is killed", arguments: RemoteDirection.allCases)
    func killed(direction: RemoteDirection) throws {
        let server = try SSHServer()
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        for number in 0..<60 {
            try Disk.write(source / "\(number).jpg", SeededGenerator.bytes(600_000, seed: UInt64(number)))
        }
        let shell = place.path / "ssh"
        let note = place.path / "processes"
        let words = server.shell.split(separator: " ").dropFirst().joined(separator: " ")
        try Disk.write(shell, "#!/bin/sh\necho $$ >> \(note)\nexec ssh \(words) \"$@\"\n", mode: 0o755)
        let options = ["--rsh", shell.description, "--remote-path", BinaryRunner.path]
        let more = ["--connections", "4", "--bwlimit", "8M", "--json"]
        let running =
            direction == .pull
            ? try BinaryRunner.startCopy(options + more, Self.far(source), target)
            : try BinaryRunner.startCopy(options + more, source, Self.far(target))
        let processes = { ((try? Disk.text(note)) ?? "").split(separator: "\n").map(String.init) }
        #expect(RunningProgram.eventually { processes().count == 4 && Disk.exists(target / "9.jpg") })
        try Program("kill").check(["-KILL", processes()[2]])
        let result = running.wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect((result.text + result.errorText).contains("it is tried again (2 of 5)"), "\(result.text)")
        #expect(processes().count == 8)
        #expect(try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target), in: .copied).isEmpty)
    }

    @Test("says which of the server's limits are in the way of several connections")
    func limits() throws {
        // Nobody may log in beside another who does.
        let server = try SSHServer(startsMax: "1:100:1")
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        for number in 0..<30 {
            try Disk.write(source / "\(number).jpg", SeededGenerator.bytes(600_000, seed: UInt64(number)))
        }
        let options = ["--rsh", server.shell, "--remote-path", BinaryRunner.path]
        let result = try BinaryRunner.copy(
            options + ["--connections", "8", "--bwlimit", "6M"],
            Self.far(source),
            target
        )
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.errorText.contains("of 8 connections to 127.0.0.1 could be made"), "\(result.errorText)")
        #expect(result.errorText.contains("MaxStartups"), "\(result.errorText)")
        #expect(try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target), in: .copied).isEmpty)
    }

    @Test("reaches no further than the key's own command", arguments: ["1", "3"])
    func forcedCommand(connections: String) throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        try Disk.write(source / "a", "x")
        let server = try SSHServer(command: "\(BinaryRunner.path) agent --read-only --root \(source)")
        let options = ["--rsh", server.shell, "--connections", connections]
        #expect(try BinaryRunner.copy(options, Self.far(source), target).exitCode == 0)
        #expect(try Disk.text(target / "a") == "x")
        #expect(try BinaryRunner.copy(options, Self.far(BytePath("/etc")), target).exitCode == 20)
        #expect(try BinaryRunner.copy(options, source, Self.far(source)).exitCode == 20)
    }
}
