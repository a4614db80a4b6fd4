import Foundation
import MediaModel
import MediasyncTesting
import Testing

/// What a run prints: the lines of rsync, JSON objects that balance, names that cannot forge anything.
@Suite struct ItemizeTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
    }

    /// Lines of `rsync -i` and of `mediasync copy -i`, the columns of directories' changes included.
    private func bothItemize(_ options: [String]) throws -> (rsync: [String], own: [String]) {
        let rsync = try Program(RsyncProgram.path).run(["-aHXn", "-i"] + options, source / "", target / "")
        let own = try BinaryRunner.copy(["-n", "-i"] + options, source, target)
        let ownLines = own.lines.filter { !$0.hasPrefix(" ") && !$0.hasPrefix("copy ") }
        // A link's text is rsync's own addition; an unchanged entry is not printed by either.
        let rsyncLines = rsync.lines.map { $0.components(separatedBy: " -> ")[0] }
        return (rsyncLines.sorted(), ownLines.filter { !$0.dropFirst(2).hasPrefix("          ") }.sorted())
    }

    @Test(
        "a first copy and then each kind of change give rsync's lines",
        .enabled(if: Requirement.hasRsync, "needs rsync")
    )
    func rsyncLines() throws {
        for directory in ["a", "a/b", "c"] { try Disk.makeDirectory(source / directory) }
        for file in ["a/one", "a/b/two", "c/three", "four", "five", "six"] { try Disk.write(source / file, file) }
        try Disk.makeLink(source / "link", to: BytePath("a/one"))
        try Disk.makeSpecial(source / "fifo", type: 0o010000)
        try Disk.setTime(target, 1000)
        var (rsync, own) = try bothItemize([])
        #expect(own == rsync)
        #expect(try BinaryRunner.copy(source, target).exitCode == 0)
        (rsync, own) = try bothItemize([])
        #expect(own == rsync)
        #expect(own.isEmpty)
        try Disk.write(source / "four", "four is longer now")
        try Disk.setMode(source / "five", 0o600)
        try Disk.setTime(source / "six", 1_500_000_000)
        try Disk.setMode(source / "c", 0o700)
        try Disk.write(source / "c" / "new", "n")
        for name in ["four", "c"] { try Disk.setTime(source / name, 1_400_000_000) }
        try Disk.remove(source / "link")
        try Disk.makeLink(source / "link", to: BytePath("a/b/two"))
        try Disk.setTime(source / "link", 1_400_000_000)
        if Requirement.isRoot {
            try Disk.setOwner(source / "a" / "one", 1000, 0)
            try Disk.setOwner(source / "a" / "b" / "two", 0, 1000)
        }
        try Disk.write(target / "extra", "x")
        // Not left to the moment of the changes: rsync does not see a difference within one second.
        try Disk.setTime(target, 1000)
        (rsync, own) = try bothItemize(["--delete"])
        #expect(own == rsync)
    }

    @Test("names cannot forge lines or drive a terminal, in any output")
    func escapedNames() throws {
        let names: [[UInt8]] = [
            Array("new\nfailed: line".utf8), [0x1B] + Array("[31mred".utf8), Array("tab\tname".utf8),
            [0xFF, 0xFE, 0x80],
            Array("\u{202E}desrever".utf8), [0x0D] + Array("return".utf8),
        ]
        for name in names { try Disk.write(source / BytePath(bytes: name), "x") }
        for name in names.prefix(2) {
            try Disk.makeDirectory(target / BytePath(bytes: name))
            try Disk.write(target / BytePath(bytes: name) / "in the way", "x")
        }
        for options in [["-i", "-v"], ["--json", "-v"]] {
            let result = try BinaryRunner.copy(options, source, target)
            #expect(result.exitCode == 3)
            for bytes in [result.output, result.errors] {
                let strange = bytes.filter { ($0 < 0x20 && $0 != 0x0A) || $0 == 0x7F }
                #expect(strange.isEmpty, "\(String(decoding: bytes, as: UTF8.self))")
                #expect(String(validating: bytes, as: UTF8.self) != nil)
            }
            if !options.contains("--json") { #expect(!(result.text + result.errorText).contains("\u{202E}")) }
            #expect(!result.errorText.split(separator: "\n").contains { $0.hasPrefix("failed: line") })
        }
        #expect(try Disk.names(in: target).count == names.count)
    }

    @Test("--json prints objects, one a line, whose counts balance")
    func json() throws {
        _ = try SeededTree(in: source, seed: 3, entries: 60)
        try Disk.write(target / "extra", "x")
        try Disk.write(source / "excluded.tmp", "x")
        let result = try BinaryRunner.copy(
            ["--json", "-v", "--delete", "--max-delete", "100%", "--exclude", "*.tmp"],
            source,
            target
        )
        #expect(result.exitCode == 0, "\(result.errorText)")
        var objects: [[String: Any]] = []
        for line in result.lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            objects.append(try #require(object, "\(line)"))
        }
        let last = try #require(objects.last)
        let counts = try #require(last["outcome"] as? [String: Any], "\(last)")
        func number(_ key: String) -> Int { (counts[key] as? NSNumber)?.intValue ?? 0 }
        let outcomes = ["copied", "created", "linked", "updated", "unchanged", "skipped", "failed"].map(number)
        #expect(number("seen") > 60)
        #expect(number("seen") == outcomes.reduce(0, +), "\(counts)")
        let items = objects.filter { $0["type"] as? String == "item" }
        #expect(items.filter { $0["outcome"] as? String == "copied" }.count == number("copied"))
        #expect(number("copied") > 0 && number("skipped") == 1)
        #expect(number("deleted") == 1)
    }
}
