import MediaModel
import MediasyncTesting
import Testing

/// A disk whose every read takes its time: others fill the wait.
@Suite(.serialized, .enabled(if: Requirement.canTrace, "needs strace")) struct SlowDiskTests {
    @Test("a large file on a slow disk is read by several threads")
    func sharing() throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let film = source / "film"
        try Disk.write(film, SeededGenerator.bytes(72 << 20, seed: 4))
        let log = place.path / "calls"
        let wrapper = [
            "strace", "-f", "-qq", "-o", "\(log)", "-P", "\(film)", "-e", "trace=read,pread64",
            "-e", "inject=read:delay_enter=3000",
        ]
        let result = try BinaryRunner.copy(["--fsync", "none"], source, target, wrapper: wrapper)
        #expect(result.exitCode == 0, "\(result.errorText)")
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
        let calls = try Disk.text(log).split(separator: "\n").filter { $0.contains("pread64(") }
        let threads = Set(calls.map { $0.prefix { $0 != " " } })
        #expect(threads.count > 1, "\(calls.count) calls of \(threads.count) threads")
    }
}
