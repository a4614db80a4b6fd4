import MediaModel
import MediasyncTesting
import Testing

/// Directories that are the same at both ends are told in short: nothing that differs may be missed by that.
@Suite("A second copy to or from another machine") struct RemoteSummaryTests: RemoteSuite {
    let pair: RemotePair

    init() throws {
        pair = try RemotePair()
        for row in 0..<Self.rows {
            if row % 20 == 0 { try Disk.makeDirectory(source / BytePath("\(row / 20)")) }
            for path in [Self.directory(row), Self.directory(row) / "original", Self.directory(row) / "small"] {
                try Disk.makeDirectory(source / path)
            }
            for style in ["original", "small"] { try Disk.write(source / Self.file(row, style), "picture \(row)") }
        }
    }

    private static let rows = 160

    /// Some twenty rows below each directory of the second level.
    private static func directory(_ row: Int) -> BytePath { BytePath("\(row / 20)") / BytePath("\(row)") }

    private static func file(_ row: Int, _ style: String) -> BytePath {
        directory(row) / BytePath(style) / BytePath("\(row).jpg")
    }

    /// A copy that must succeed.
    private func copy(_ direction: Direction, _ options: [String] = []) throws -> Program.Result {
        let result = try start(direction, ["--json"] + options).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        return result
    }

    @Test("says little where nothing changed, and counts the same", arguments: Direction.allCases)
    func unchanged(direction: Direction) throws {
        _ = try copy(direction)
        // Change times are told to a millisecond.
        RunningProgram.pause(milliseconds: 20)
        let long = try copy(direction, ["--delete", "--exclude", "nothing-has-this-name"])
        let short = try copy(direction, ["--delete"])
        for name in ["seen", "files", "directories", "others", "unchanged", "updated", "bytes_seen", "failed"] {
            #expect(Self.number(name, in: short) == Self.number(name, in: long), "\(name)")
        }
        #expect(Self.number("unchanged", in: short) == 1 + Self.rows / 20 + 5 * Self.rows)
        #expect(Self.number("bytes_transferred", in: short) * 3 < Self.number("bytes_transferred", in: long))
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Entries that a copy has something to do with.
        let most: Int
        let apply: @Sendable (RemoteSummaryTests) throws -> Void
    }

    static let changes = [
        Change(testDescription: "a file of the source", most: 1) {
            try Disk.write($0.source / file(7, "small"), "another picture")
        },
        Change(testDescription: "a file of the target", most: 1) {
            try Disk.write($0.target / file(7, "small"), "damage")
        },
        Change(testDescription: "a new file", most: 3) { try Disk.write($0.source / directory(159) / "new", "new") },
        Change(testDescription: "a file that is gone", most: 3) { try Disk.remove($0.source / file(120, "original")) },
        Change(testDescription: "a directory that is gone from the target", most: 5) {
            Disk.removeTree($0.target / directory(100))
        },
        Change(testDescription: "an extraneous file", most: 3) { try Disk.write($0.target / directory(5) / "old", "") },
        Change(testDescription: "a mode", most: 1) { try Disk.setMode($0.source / file(9, "small"), 0o600) },
        Change(testDescription: "a mode of the target's directory", most: 1) {
            try Disk.setMode($0.target / directory(11), 0o700)
        },
        Change(testDescription: "a time of a directory", most: 1) {
            try Disk.setTime($0.source / directory(12), 1_600_000_000)
        },
        Change(testDescription: "a link in the place of a directory", most: 5) {
            Disk.removeTree($0.target / directory(13))
            try Disk.makeLink($0.target / directory(13), to: BytePath("/etc"))
        },
        Change(testDescription: "an extended attribute", most: 1) {
            try Disk.setAttribute($0.source / file(21, "small"), "user.note", [1])
        },
        Change(testDescription: "an extended attribute of a directory", most: 1) {
            try Disk.setAttribute($0.source / directory(22), "user.note", [1])
        },
    ]

    @Test("finds every change", arguments: Direction.allCases, changes)
    func finds(direction: Direction, change: Change) throws {
        _ = try copy(direction)
        RunningProgram.pause(milliseconds: 20)
        try change.apply(self)
        let result = try copy(direction, ["--delete"])
        try expectEqual(.copied, "\(change.testDescription)")
        // Nothing else was touched.
        let done = ["copied", "created", "updated"].reduce(0) { $0 + Self.number($1, in: result) }
        #expect(done <= change.most + 1, "\(result.output)")
    }

    @Test(
        "sets what summaries do not speak of",
        .enabled(if: Requirement.isRoot, "needs root"),
        arguments: Direction.allCases
    )
    func owners(direction: Direction) throws {
        _ = try copy(direction)
        try Disk.setOwner(target / Self.file(30, "small"), 7, 8)
        _ = try copy(direction)
        try expectEqual()
        _ = try copy(direction, ["--chown", "7:8"])
        for row in 0..<Self.rows { #expect(Disk.owner(target / Self.file(row, "small")) == 7) }
    }

    @Test("follows a tree through many changes", arguments: Direction.allCases, 1...3 as ClosedRange<UInt64>)
    func random(direction: Direction, seed: UInt64) throws {
        _ = try copy(direction)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<6 {
            for _ in 0..<(round * 8) {
                let row = Int.random(in: 0..<Self.rows, using: &generator)
                let tree = Bool.random(using: &generator) ? source : target
                let file = tree / Self.file(row, "small")
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: try Disk.write(tree / Self.directory(row) / BytePath("f\(round)"), "\(round)")
                case 1: try Disk.write(file, "changed \(round)")
                case 2: if Disk.exists(file) { try Disk.remove(file) }
                case 3: try Disk.setTime(tree / Self.directory(row) / "original", 1_500_000_000 + round)
                default: try Disk.setMode(tree / Self.directory(row), 0o711)
                }
            }
            _ = try copy(direction, ["--delete"])
            try expectEqual(.copied, "seed \(seed), round \(round)")
        }
    }
}
