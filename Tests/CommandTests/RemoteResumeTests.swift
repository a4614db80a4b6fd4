import MediaModel
import MediasyncTesting
import Testing

/// A large file whose arrival is cut off is gone on with: little of it is sent twice, and what comes out is the source's
/// file, whatever became of either part meanwhile.
@Suite("A large file whose connection is lost") struct RemoteResumeTests: RemoteSuite {
    let pair: RemotePair
    private static let size = 12 << 20

    init() throws {
        pair = try RemotePair()
    }

    /// Which process is killed.
    enum End: String, CaseIterable, CustomTestStringConvertible {
        case near, far, both
        var testDescription: String { rawValue }
    }

    private func makeSource() throws -> [UInt8] {
        let bytes = SeededGenerator.bytes(Self.size, seed: 5)
        try Disk.makeDirectory(source / "deep")
        try Disk.write(source / "deep" / "video.mp4", bytes, mode: 0o444)
        try Disk.setTime(source / "deep" / "video.mp4", 1_600_000_000)
        try Disk.setTime(source / "deep", 1_600_000_000)
        return bytes
    }

    private var folder: BytePath { target / "deep" }

    /// The temporaries in the file's directory.
    private func parts() -> [BytePath] {
        ((try? Disk.names(in: folder)) ?? []).filter { $0.description.hasPrefix(".mediasync-tmp") }.map { folder / $0 }
    }

    private func expectNoLitter(_ location: SourceLocation = #_sourceLocation) throws {
        #expect(parts().isEmpty, sourceLocation: location)
        let names = try Disk.names(in: target)
        #expect(!names.contains { $0.description.hasPrefix(".mediasync") }, sourceLocation: location)
    }

    /// Runs until more than a third of the file is there, and kills it; nothing of it runs when it returns.
    private func cutOff(_ direction: Direction, _ end: End) throws -> RunningProgram {
        let note = (place.path / "pid").description
        let noting = try LocalShell(in: place, before: "echo $$ >> \(note)")
        let running = try start(direction, ["--json", "--bwlimit", "4M"], shell: noting)
        let isThere = { parts().contains { (Disk.size($0) ?? 0) > Self.size / 3 } }
        #expect(RunningProgram.eventually { isThere() || !running.isRunning })
        #expect(isThere())
        switch end {
        case .near: running.send(9)
        case .both: running.killGroup()
        case .far:
            let process = try Disk.text(BytePath(note)).split(separator: "\n").first.map(String.init) ?? ""
            try Program("kill").check(["-KILL", process])
        }
        return running
    }

    @Test("comes in two connections, with hardly a byte twice", arguments: Direction.allCases)
    func dropped(direction: Direction) throws {
        _ = try makeSource()
        let cut = place.path / "cut"
        let most = Self.size * 2 / 3
        // Hands on at once whatever comes, up to there.
        let relay = "dd bs=64k iflag=count_bytes count=\(most) 2>/dev/null"
        let (before, behind) = direction == .pull ? ("", "| \(relay)") : ("\(relay) |", "")
        let dropping = try LocalShell(
            in: place,
            before: "if mkdir \(cut) 2>/dev/null; then \(before) sh -c \"$*\" \(behind); exit 0; fi"
        )
        let result = try start(direction, ["--json", "--bwlimit", "8M"], shell: dropping).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect((result.text + result.errorText).contains("it is tried again (2 of 5)"), "\(result.text)")
        try expectEqual()
        try expectNoLitter()
        #expect(Self.number("bytes_matched", in: result) > Self.size / 3)
        #expect(Self.number("bytes_transferred", in: result) < Self.size * 5 / 4)
    }

    @Test("is gone on with after kill -9", arguments: Direction.allCases, End.allCases)
    func killed(direction: Direction, end: End) throws {
        _ = try makeSource()
        var result = try cutOff(direction, end).wait()
        // The near end begins anew by itself where only the far one is gone.
        if end != .far { result = try runAgain(direction, ["--json"]) }
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual()
        try expectNoLitter()
        #expect(Self.number("bytes_matched", in: result) >= Self.size / 3 - 1 << 18)
    }

    @Test("is gone on with after a stop, and lies there under no name of its own", arguments: Direction.allCases)
    func stopped(direction: Direction) throws {
        _ = try makeSource()
        let running = try start(direction, ["--bwlimit", "4M"])
        #expect(RunningProgram.eventually { parts().contains { (Disk.size($0) ?? 0) > Self.size / 3 } })
        running.send(15)
        #expect(running.wait().exitCode == 143)
        #expect(!Disk.exists(folder / "video.mp4"))
        #expect(RunningProgram.eventually { parts().count == 1 })
        let plan = try runAgain(direction, ["-n", "--json"])
        #expect(plan.exitCode == 0 && parts().count == 1, "\(plan.errorText)")
        let result = try runAgain(direction, ["--json", "--delta", "never"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual()
        try expectNoLitter()
        #expect(Self.number("bytes_matched", in: result) >= Self.size / 3 - 1 << 18)
    }

    /// What happens to what is there before the next run.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Bytes that are of use all the same, at least.
        let matched: Int
        /// The part that is there, the source's file, and something that nobody may read.
        let apply: @Sendable (BytePath, BytePath, BytePath) throws -> Void
    }

    static let changes = [
        Change(testDescription: "the part is written to", matched: 2 << 20) { part, _, _ in
            try Disk.patch(part, at: 1 << 20, SeededGenerator.bytes(300_000, seed: 8))
        },
        Change(testDescription: "the part is shorter", matched: 2 << 20) { part, _, _ in
            try Disk.truncate(part, to: (2 << 20) + 77)
        },
        Change(testDescription: "the part has lost its bytes", matched: 0) { part, _, _ in
            try Disk.truncate(part, to: 0)
            try Disk.truncate(part, to: 5 << 20)
        },
        Change(testDescription: "the part is longer than the file", matched: 0) { part, _, _ in
            try Disk.write(part, SeededGenerator.bytes(size + 1_000_000, seed: 9))
        },
        Change(testDescription: "the part is a link", matched: 0) { part, _, secret in
            try Disk.remove(part)
            try Disk.makeLink(part, to: secret)
        },
        Change(testDescription: "the part is a second name of something else", matched: 0) { part, _, secret in
            try Disk.remove(part)
            try Disk.makeHardLink(part, to: secret)
        },
        Change(testDescription: "the part is a directory", matched: 0) { part, _, _ in
            try Disk.remove(part)
            try Disk.makeDirectory(part)
        },
        Change(testDescription: "bytes come in front of the source's", matched: 2 << 20) { _, file, _ in
            try Disk.write(file, [1, 2, 3] + Disk.read(file))
        },
        Change(testDescription: "the source is written to", matched: 2 << 20) { _, file, _ in
            try Disk.patch(file, at: 100, [1, 2, 3])
        },
        Change(testDescription: "the source grows", matched: 3 << 20) { _, file, _ in
            try Disk.write(file, Disk.read(file) + [1, 2, 3])
        },
        Change(testDescription: "the source is cut", matched: 1 << 20) { _, file, _ in
            try Disk.truncate(file, to: (1 << 20) + 500_000)
        },
        Change(testDescription: "the source is another file", matched: 0) { _, file, _ in
            try Disk.write(file, SeededGenerator.bytes(size, seed: 10))
        },
        Change(testDescription: "the source is empty", matched: 0) { _, file, _ in try Disk.truncate(file, to: 0) },
        Change(testDescription: "the source is gone", matched: 0) { _, file, _ in try Disk.remove(file) },
    ]

    @Test("comes out as the source has it when it ends", arguments: Direction.allCases, changes)
    func changed(direction: Direction, change: Change) throws {
        let bytes = try makeSource()
        let secret = place.path / "secret"
        try Disk.write(secret, bytes)
        _ = try cutOff(direction, .both).wait()
        // The far end of what was killed may still be at it.
        #expect(RunningProgram.eventually { parts().count == 1 })
        try change.apply(#require(parts().first), source / "deep" / "video.mp4", secret)
        let result = try runAgain(direction, ["--json"])
        // What nobody understands stays, and only a directory cannot be removed like a file.
        #expect(result.exitCode == 0, "\(result.errorText)")
        let isDirectory = parts().contains { Disk.isDirectory($0) }
        if isDirectory {
            #expect(try Disk.read(folder / "video.mp4") == bytes)
        } else {
            try expectEqual()
            try expectNoLitter()
        }
        #expect(try Disk.read(secret) == bytes)
        let matched = Self.number("bytes_matched", in: result)
        // A file that is small now comes whole.
        let mayComeWhole = (Disk.size(source / "deep" / "video.mp4") ?? 0) < 4 << 20
        #expect(mayComeWhole || (matched >= change.matched && (change.matched > 0 || matched == 0)), "\(matched)")
    }

    @Test("is cleared away by a copy within the machine")
    func local() throws {
        _ = try makeSource()
        _ = try cutOff(.pull, .both).wait()
        let result = try BinaryRunner.copy(source, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual()
        try expectNoLitter()
    }
}
