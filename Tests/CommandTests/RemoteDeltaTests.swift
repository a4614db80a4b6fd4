import MediaModel
import MediasyncTesting
import Testing

/// What is new in files is sent, and no more; what comes out is the source's file in any case.
@Suite("A copy of files that changed, to or from another machine") struct RemoteDeltaTests: RemoteSuite {
    let pair: RemotePair

    init() throws {
        pair = try RemotePair()
    }

    /// A run that must succeed, and the numbers of its summary.
    private func copy(_ direction: Direction, _ options: [String] = []) throws -> (matched: Int, transferred: Int) {
        let result = try start(direction, ["--json"] + options).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        return (Self.number("bytes_matched", in: result), Self.number("bytes_transferred", in: result))
    }

    /// A change of a file of a million bytes.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Bytes between the machines, all told.
        let most: Int
        let apply: @Sendable (inout [UInt8]) -> Void
    }

    static let changes = [
        Change(testDescription: "none but the time", most: 12_000) { _ in },
        Change(testDescription: "in the middle", most: 14_000) { $0[500_000] ^= 1 },
        Change(testDescription: "in front", most: 14_000) { $0.insert(7, at: 0) },
        Change(testDescription: "at the end", most: 17_000) { $0 += SeededGenerator.bytes(3000, seed: 9) },
        Change(testDescription: "cut", most: 14_000) { $0.removeLast(700_000) },
        Change(testDescription: "halves exchanged", most: 16_000) { $0 = Array($0[500_000...] + $0[..<500_000]) },
        Change(testDescription: "all of it", most: 1_020_000) { $0 = SeededGenerator.bytes(1_000_000, seed: 10) },
        Change(testDescription: "to nothing", most: 12_000) { $0 = [] },
    ]

    @Test("sends little of a file that changed a little", arguments: Direction.allCases, changes)
    func changed(direction: Direction, change: Change) throws {
        var bytes = SeededGenerator.bytes(1_000_000, seed: 3)
        try Disk.write(target / "f", bytes)
        change.apply(&bytes)
        try Disk.write(source / "f", bytes)
        try Disk.setTime(source / "f", 1_600_000_000)
        let figures = try copy(direction)
        try expectEqual()
        #expect(figures.transferred < change.most)
        #expect(figures.matched <= bytes.count)
    }

    @Test("sends all of it where it is told to", arguments: Direction.allCases)
    func never(direction: Direction) throws {
        let bytes = SeededGenerator.bytes(1_000_000, seed: 3)
        for tree in [source, target] { try Disk.write(tree / "f", bytes) }
        try Disk.setTime(source / "f", 1_600_000_000)
        let figures = try copy(direction, ["--delta", "never"])
        try expectEqual()
        #expect(figures.matched == 0 && figures.transferred > 1_000_000)
    }

    @Test("stops describing files where it learns that nothing of them is there", arguments: Direction.allCases)
    func learning(direction: Direction) throws {
        for number in 0..<2000 {
            try Disk.write(target / "f\(number).jpg", SeededGenerator.bytes(20_000, seed: UInt64(number)))
            try Disk.write(source / "f\(number).jpg", SeededGenerator.bytes(20_000, seed: UInt64(number) + 5000))
            try Disk.setTime(source / "f\(number).jpg", 1_600_000_000)
        }
        // What is on its way when it is learned comes on top: a description for each of them.
        let always = try copy(direction, ["--delta", "always", "--fsync", "none"]).transferred
        for number in 0..<2000 {
            try Disk.write(target / "f\(number).jpg", SeededGenerator.bytes(20_000, seed: UInt64(number)))
        }
        let auto = try copy(direction, ["--fsync", "none"]).transferred
        try expectEqual()
        let never = 2000 * 20_000
        #expect(auto - never < (always - never) * 2 / 3, "\(auto) of \(always)")
    }

    @Test("describes small files only where it is told to", arguments: Direction.allCases)
    func small(direction: Direction) throws {
        for number in 0..<300 {
            let bytes = SeededGenerator.bytes(10_000 + number, seed: UInt64(number))
            try Disk.write(target / "f\(number)", bytes)
            try Disk.write(source / "f\(number)", bytes)
            try Disk.setTime(source / "f\(number)", 1_600_000_000)
        }
        let figures = try copy(direction, ["--delta", "always"])
        try expectEqual()
        #expect(figures.matched > 3_000_000 && figures.transferred < 400_000)
        for number in 0..<300 { try Disk.setTime(source / "f\(number)", 1_500_000_000) }
        #expect(try copy(direction).matched == 0)
        try expectEqual()
    }

    @Test(
        "makes the target equal to a random tree, whatever was there, all of it by what is new",
        .enabled(if: Requirement.isRoot, "needs root"),
        arguments: Direction.allCases,
        1...6 as ClosedRange<UInt64>
    )
    func random(direction: Direction, seed: UInt64) throws {
        var tree = try SeededTree(in: source, seed: seed, entries: 70)
        for round in 0..<3 {
            if round > 0 { try tree.mutate(25) }
            let options = ["--delta", "always", "--detect-renames", "--delete", "--max-delete", "100%"]
            let result = try start(direction, options).wait(timeout: 120)
            if result.exitCode == 3, result.errorText.contains("could not replace the directory") { return }
            #expect(result.exitCode == 0, "seed \(seed), round \(round): \(result.errorText)")
            try expectEqual(.copied, "seed \(seed), round \(round)")
        }
    }

    @Test("leaves holes as holes in a file that was built from an older one", arguments: Direction.allCases)
    func holes(direction: Direction) throws {
        for tree in [source, target] {
            try Disk.write(tree / "f", SeededGenerator.bytes(100_000, seed: 1))
            try Disk.truncate(tree / "f", to: 30 << 20)
        }
        try Disk.patch(source / "f", at: 20 << 20, [1, 2, 3])
        try Disk.setTime(source / "f", 1_600_000_000)
        let figures = try copy(direction, ["--delta", "always"])
        try expectEqual()
        #expect(figures.matched > 29 << 20)
        #expect(try #require(Disk.blocks(target / "f")) < 1000)
    }

    @Test("keeps both names' content apart where the target's file has two", arguments: Direction.allCases)
    func secondName(direction: Direction) throws {
        let bytes = SeededGenerator.bytes(200_000, seed: 1)
        try Disk.write(target / "f", bytes)
        try Disk.makeHardLink(target / "kept", to: target / "f")
        try Disk.write(source / "f", bytes + [1])
        try Disk.write(source / "kept", bytes)
        _ = try copy(direction)
        #expect(try Disk.read(target / "f") == bytes + [1])
        #expect(try Disk.read(target / "kept") == bytes)
    }

    // MARK: Renames

    @Test("makes a renamed file from the one that was", arguments: Direction.allCases, [true, false])
    func renamed(direction: Direction, deletes: Bool) throws {
        for tree in [source, target] {
            for name in ["one", "two", "one/deep"] { try Disk.makeDirectory(tree / name) }
        }
        for number in 0..<20 {
            let bytes = SeededGenerator.bytes(50_000 + number % 3, seed: UInt64(number))
            try Disk.write(target / "one" / "f\(number)", bytes)
            try Disk.write(source / "two" / "g\(number)", bytes)
            for file in [target / "one" / "f\(number)", source / "two" / "g\(number)"] {
                try Disk.setTime(file, 1_600_000_000 + number)
            }
        }
        // Of the same size, and another content.
        try Disk.write(source / "one/deep" / "other", SeededGenerator.bytes(50_000, seed: 77))
        let options = deletes ? ["--delete", "--max-delete", "100%"] : []
        let figures = try copy(direction, ["--detect-renames"] + options)
        if deletes {
            try expectEqual()
        } else {
            #expect(try Disk.names(in: target / "one").count == 21)
            #expect(try Disk.read(target / "two" / "g7") == Disk.read(source / "two" / "g7"))
        }
        #expect(figures.matched > 20 * 50_000 - 1)
        #expect(figures.transferred < 80_000)
        // Never a second name of the same file.
        let inodes = try Disk.names(in: target / "two").map { Disk.inode(target / "two" / $0) }
        #expect(Set(inodes).count == 20)
    }

    @Test("looks for no renames that rules leave out, or that nobody asked for", arguments: Direction.allCases)
    func unasked(direction: Direction) throws {
        let bytes = SeededGenerator.bytes(60_000, seed: 1)
        try Disk.makeDirectory(target / "secret")
        try Disk.write(target / "secret" / "f", bytes)
        try Disk.write(source / "g", bytes)
        #expect(try copy(direction, ["--detect-renames", "--exclude", "secret"]).matched == 0)
        try Disk.remove(target / "g")
        #expect(try copy(direction).matched == 0)
        try Disk.remove(target / "g")
        #expect(try copy(direction, ["--detect-renames"]).matched == 60_000)
    }

    // MARK: What goes on meanwhile

    @Test("kill -9 in the middle of it leaves whole files, and the next run goes on", arguments: Direction.allCases)
    func killed(direction: Direction) throws {
        var old: [BytePath: [UInt8]] = [:]
        for number in 0..<30 {
            var bytes = SeededGenerator.bytes(400_000, seed: UInt64(number))
            try Disk.write(target / "f\(number)", bytes)
            old[BytePath("f\(number)")] = bytes
            for place in 0..<100 { bytes[place * 3999] ^= 1 }
            try Disk.write(source / "f\(number)", bytes)
            try Disk.setTime(source / "f\(number)", 1_600_000_000)
        }
        let running = try start(direction, ["--delta", "always", "--bwlimit", "1M"])
        let isNew = { (name: BytePath) in (try? Disk.read(source / name)) == (try? Disk.read(target / name)) }
        #expect(RunningProgram.eventually { old.keys.contains(where: isNew) || !running.isRunning })
        running.killGroup()
        _ = running.wait()
        for (name, bytes) in old { #expect(try isNew(name) || Disk.read(target / name) == bytes, "\(name)") }
        let result = try runAgain(direction, ["--delta", "always"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual()
    }

    @Test("a source that changes all the time is told of, and nothing of it is put in place")
    func sourceChanges() throws {
        let bytes = SeededGenerator.bytes(4 << 20, seed: 1)
        for tree in [source, target] { try Disk.write(tree / "f", bytes) }
        try Disk.setTime(source / "f", 1_600_000_000)
        try Disk.write(source / "other", "x")
        // Each piece of new bytes waits for the limit; meanwhile the file is written to.
        try Disk.patch(source / "f", at: 0, SeededGenerator.bytes(2 << 20, seed: 2))
        let running = try start(.pull, ["--delta", "always", "--bwlimit", "1M"])
        var number: UInt8 = 0
        while running.isRunning {
            number &+= 1
            try Disk.patch(source / "f", at: Int64(4 << 20) - 1, [number])
            RunningProgram.pause(milliseconds: 5)
        }
        let result = running.wait()
        #expect(result.exitCode == 24, "\(result.errorText)")
        #expect(result.errorText.contains("changed while it was read"))
        #expect(try Disk.read(target / "f") == bytes)
        #expect(try Disk.text(target / "other") == "x")
    }

    @Test("an older version that changes while it is used is noticed, and the file comes whole")
    func basisChanges() throws {
        let bytes = SeededGenerator.bytes(3 << 20, seed: 1)
        try Disk.write(source / "f", SeededGenerator.bytes(1 << 20, seed: 2) + bytes)
        try Disk.write(target / "f", bytes)
        let running = try start(.pull, ["--delta", "always", "--bwlimit", "1M"])
        // It was described when the first bytes have come; what is taken over of it comes behind them.
        let isBuilding = {
            (try? Disk.names(in: target).contains { $0.description.hasPrefix(".mediasync-tmp") }) ?? false
        }
        #expect(RunningProgram.eventually { isBuilding() || !running.isRunning })
        try Disk.patch(target / "f", at: 1 << 20, SeededGenerator.bytes(1 << 20, seed: 5))
        let result = running.wait()
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.read(target / "f") == Disk.read(source / "f"))
    }

    @Test("a file of the target that cannot be read is no hindrance", .enabled(if: Requirement.isRoot, "needs root"))
    func unreadable() throws {
        try Disk.write(source / "f", SeededGenerator.bytes(200_000, seed: 1))
        try Disk.write(target / "f", SeededGenerator.bytes(200_000, seed: 2))
        try Disk.setTime(target / "f", 1_500_000_000)
        try Disk.setMode(target / "f", 0o000)
        try Disk.setOwner(target, 65_534, 65_534)
        try Disk.setOwner(target / "f", 65_534, 65_534)
        let program = try BinaryRunner.unprivilegedProgram(in: place)
        try Disk.setMode(place.path, 0o755)
        let far = BytePath(bytes: Array("old.example:".utf8) + source.bytes)
        let binary = (place.path / "mediasync").description
        let options = ["copy", "--delta", "always", "--rsh", shell.path.description, "--remote-path", binary]
        let result = try program.run(options, far, target)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.read(target / "f") == Disk.read(source / "f"))
    }
}
