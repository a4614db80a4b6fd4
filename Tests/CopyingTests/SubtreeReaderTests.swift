import MediaModel
import MediasyncTesting
import Storage
import Testing
import Wire

@testable import Copying

/// Two directories have one summary only where a copy would find nothing to do.
@Suite("A summary of a directory") struct SubtreeReaderTests {
    let place: TemporaryDirectory
    private let tree: BytePath

    init() throws {
        place = try TemporaryDirectory()
        tree = place.path / "tree"
        try Self.make(tree)
    }

    /// Four levels, two files, a link; all times set.
    private static func make(_ tree: BytePath, names: [String] = ["b", "a"]) throws {
        try Disk.makeDirectory(tree)
        try Disk.makeDirectory(tree / "d")
        try Disk.makeDirectory(tree / "d" / "original")
        for name in names { try Disk.write(tree / "d" / "original" / BytePath(name), "x") }
        try Disk.makeLink(tree / "link", to: BytePath("d/original"))
        for path in ["d/original/a", "d/original/b", "link", "d/original", "d", ""] {
            try Disk.setTime(tree / BytePath(path), 1_600_000_000, nanoseconds: 5)
        }
    }

    private func read(
        _ path: BytePath,
        owners: Bool = true,
        entries: Int = SubtreeReader.entriesMax
    ) throws
        -> SubtreeSummary?
    {
        let directory = try HeldDirectory.openRoot(path)
        defer { directory.close() }
        let reader = SubtreeReader(comparesOwners: owners, device: try directory.metadata().device)
        return reader.read(directory, entries: entries)
    }

    @Test("is the same of the same, in whatever order names were made, and counts what is there")
    func same() throws {
        let other = place.path / "other"
        try Self.make(other, names: ["a", "b"])
        let first = try #require(try read(tree))
        let second = try #require(try read(other))
        #expect(first.digest == second.digest)
        #expect(first.entries == 6)
        #expect([first.directories, first.files, first.links] == [3, 2, 1])
        #expect(first.bytes == 2)
        // One reader has forgotten what it read before.
        let directory = try HeldDirectory.openRoot(tree)
        defer { directory.close() }
        let reader = SubtreeReader(comparesOwners: true, device: try directory.metadata().device)
        for _ in 0..<3 {
            #expect(reader.read(directory)?.digest == first.digest)
            try directory.rewind()
        }
    }

    static let changes: [(String, @Sendable (BytePath) throws -> Void)] = [
        ("a name", { try Disk.rename($0 / "d" / "original" / "a", to: $0 / "d" / "original" / "c") }),
        ("a directory's name", { try Disk.rename($0 / "d", to: $0 / "e") }),
        ("a size", { try Disk.write($0 / "d" / "original" / "a", "xy") }),
        ("a file's time", { try Disk.setTime($0 / "d" / "original" / "a", 1_600_000_000, nanoseconds: 6) }),
        ("a directory's time", { try Disk.setTime($0 / "d", 1_600_000_001, nanoseconds: 5) }),
        ("its own time", { try Disk.setTime($0, 1_600_000_001, nanoseconds: 5) }),
        ("a file's mode", { try Disk.setMode($0 / "d" / "original" / "a", 0o600) }),
        ("a directory's mode", { try Disk.setMode($0 / "d" / "original", 0o700) }),
        ("a set-id bit", { try Disk.setMode($0 / "d", 0o2755) }),
        ("one more file", { try Disk.write($0 / "d" / "new", "") }),
        ("one more directory", { try Disk.makeDirectory($0 / "d" / "new") }),
        ("one file less", { try Disk.remove($0 / "d" / "original" / "a") }),
        (
            "where a link leads",
            {
                try Disk.remove($0 / "link")
                try Disk.makeLink($0 / "link", to: BytePath("d/originaL"))
            }
        ),
        (
            "a file in the place of a link",
            {
                try Disk.remove($0 / "link")
                try Disk.write($0 / "link", "d/original")
            }
        ),
        (
            "a file one level higher",
            { try Disk.rename($0 / "d" / "original" / "b", to: $0 / "d" / "b") }
        ),
    ]

    @Test("is another one where anything differs that a copy makes equal", arguments: changes.indices)
    func differs(index: Int) throws {
        let before = try #require(try read(tree))
        try Self.changes[index].1(tree)
        // What the change itself did to times is set back, so that only the change is left.
        for path in ["d/original", "d", ""] where index > 5 || index < 4 {
            if Disk.exists(tree / BytePath(path)) {
                try Disk.setTime(tree / BytePath(path), 1_600_000_000, nanoseconds: 5)
            }
        }
        for path in ["link", "d/original/a"] where index >= 6 {
            if Disk.exists(tree / BytePath(path)) || path == "link" {
                try Disk.setTime(tree / BytePath(path), 1_600_000_000, nanoseconds: 5)
            }
        }
        let after = try #require(try read(tree))
        #expect(after.digest != before.digest, "\(Self.changes[index].0)")
    }

    @Test("speaks of owners where they are compared", .enabled(if: Requirement.isRoot, "needs root"))
    func owners() throws {
        let (with, without) = (try read(tree), try read(tree, owners: false))
        try Disk.setOwner(tree / "d" / "original" / "a", 7, 8)
        #expect(try read(tree)?.digest != with?.digest)
        #expect(try read(tree, owners: false)?.digest == without?.digest)
    }

    @Test("says of each entry when it was changed, in the order of names")
    func changeTimes() throws {
        let summary = try #require(try read(tree))
        let paths = ["d", "d/original", "d/original/a", "d/original/b", "link"].map { tree / BytePath($0) }
        let held = try HeldDirectory.openRoot(place.path)
        defer { held.close() }
        let expected = try paths.map { path -> Int64 in
            let name = BytePath(bytes: Array(path.bytes.dropFirst(place.path.bytes.count + 1)))
            let time = try held.withParent(of: name) { (parent, name) throws(FileFault) in
                try parent.metadata(of: name).changeTime
            }
            return time.seconds * 1_000_000_000 + Int64(time.nanoseconds)
        }
        #expect(Array(summary.changeTimes.dropFirst()) == expected)
        let wire = WireSummary(id: 1, parent: 0, name: BytePath("tree"), summary, names: [], comparesChanges: true)
        for (index, time) in summary.changeTimes.enumerated() {
            // Never earlier than it was, and hardly later.
            #expect((time..<time + 1 << 20).contains(wire.change(ofEntry: index)))
        }
        let silent = WireSummary(id: 1, parent: 0, name: BytePath("tree"), summary, names: [], comparesChanges: false)
        #expect(silent.ages.isEmpty && silent.latestChange == 0)
    }

    private static let temporary =
        "\(TemporaryName.prefix)\(RunID(secondsSince1970: 1_700_000_000, random: 5).text)-1.1"

    /// What is there under the names that another tree has.
    private func look(_ names: [UInt8], at name: String = "tree") throws -> SubtreeSummary? {
        let parent = try HeldDirectory.openRoot(place.path)
        defer { parent.close() }
        let reader = SubtreeReader(comparesOwners: true, device: try parent.metadata().device)
        return reader.look(at: BytePath(name), names: names, in: parent)
    }

    private func names(of tree: BytePath) throws -> [UInt8] {
        let directory = try HeldDirectory.openRoot(tree)
        defer { directory.close() }
        let reader = SubtreeReader(comparesOwners: true, device: try directory.metadata().device)
        _ = try #require(reader.read(directory))
        return reader.namesOfLast()
    }

    @Test("is the same by known names as by listing, but for what has none of them")
    func known() throws {
        let names = try names(of: tree)
        // d { original { a b } } link
        #expect(
            names == [1, 1, 0x64, 1, 8] + Array("original".utf8) + [0, 1, 0x61, 0, 1, 0x62, 255, 255, 2, 4]
                + Array("link".utf8) + [255]
        )
        let listed = try #require(try read(tree))
        let found = try #require(try look(names))
        #expect(found.digest == listed.digest && found.changeTimes == listed.changeTimes)
        #expect([found.directories, found.files, found.links] == [3, 2, 1] && found.bytes == 2)
        try Disk.write(tree / "d" / "extraneous", "")
        for path in ["d", ""] { try Disk.setTime(tree / BytePath(path), 1_600_000_000, nanoseconds: 5) }
        #expect(try look(names)?.digest == listed.digest)
        #expect(try read(tree)?.digest != listed.digest)
        try Disk.setMode(tree / "d" / "original" / "b", 0o600)
        #expect(try look(names)?.digest != listed.digest)
    }

    @Test("there is none by known names where one is missing, or is something else, a link to the same among it")
    func knownIsMissing() throws {
        let names = try names(of: tree)
        #expect(try look(names, at: "nothing") == nil)
        try Disk.makeLink(place.path / "other", to: BytePath("tree"))
        #expect(try look(names, at: "other") == nil)
        try Disk.rename(tree / "d", to: place.path / "moved")
        #expect(try look(names) == nil)
        try Disk.makeLink(tree / "d", to: BytePath("../moved"))
        #expect(try look(names) == nil)
        try Disk.remove(tree / "d")
        try Disk.rename(place.path / "moved", to: tree / "d")
        #expect(try look(names) != nil)
        try Disk.makeHardLink(tree / "second", to: tree / "d" / "original" / "a")
        #expect(try look(names) == nil)
    }

    static let withoutSummary: [(String, @Sendable (BytePath) throws -> Void)] = [
        ("a file of two names", { try Disk.makeHardLink($0 / "second", to: $0 / "d" / "original" / "a") }),
        ("a pipe", { try Disk.makeSpecial($0 / "pipe", type: 0o010000) }),
        ("a temporary", { try Disk.write($0 / "d" / BytePath(temporary), "") }),
        ("a long link", { try Disk.makeLink($0 / "long", to: BytePath(String(repeating: "l", count: 1025))) }),
        ("many entries", { for name in 0..<128 { try Disk.write($0 / "d" / BytePath("\(name)"), "") } }),
        ("many directories", { for name in 0..<128 { try Disk.makeDirectory($0 / "d" / BytePath("\(name)")) } }),
        (
            "many levels",
            { tree in
                var path = tree
                for _ in 0..<13 {
                    path = path / "l"
                    try Disk.makeDirectory(path)
                }
            }
        ),
    ]

    @Test("there is none of what has to be told entry by entry", arguments: withoutSummary.indices)
    func none(index: Int) throws {
        let change = Self.withoutSummary[index]
        try change.1(tree)
        #expect(try read(tree) == nil, "\(change.0)")
    }

    @Test("there is one of as many entries as are allowed, with the longest names, and of none more")
    func limits() throws {
        #expect(try read(tree, entries: 6) != nil)
        #expect(try read(tree, entries: 5) == nil)
        #expect(try read(tree, entries: 0) == nil)
        let wide = place.path / "wide"
        try Disk.makeDirectory(wide)
        let text = BytePath(String(repeating: "t", count: 1024))
        for number in 100..<227 {
            try Disk.makeLink(wide / BytePath("\(number)" + String(repeating: "n", count: 252)), to: text)
        }
        #expect(try read(wide)?.entries == 128)
        try Disk.write(wide / "one-more", "")
        #expect(try read(wide) == nil)
    }

    @Test("there is none of what lies on another device")
    func device() throws {
        let directory = try HeldDirectory.openRoot(tree)
        defer { directory.close() }
        #expect(SubtreeReader(comparesOwners: true, device: .max).read(directory) == nil)
    }
}
