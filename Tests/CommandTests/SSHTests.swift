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
        [[], ["--delta", "always", "--detect-renames"]]
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

    @Test("reaches no further than the key's own command")
    func forcedCommand() throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        try Disk.write(source / "a", "x")
        let server = try SSHServer(command: "\(BinaryRunner.path) agent --read-only --root \(source)")
        let options = ["--rsh", server.shell]
        #expect(try BinaryRunner.copy(options, Self.far(source), target).exitCode == 0)
        #expect(try Disk.text(target / "a") == "x")
        #expect(try BinaryRunner.copy(options, Self.far(BytePath("/etc")), target).exitCode == 20)
        #expect(try BinaryRunner.copy(options, source, Self.far(source)).exitCode == 20)
    }
}
