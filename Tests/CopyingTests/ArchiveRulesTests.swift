import MediaModel
import MediasyncTesting
import Storage
import Testing

@testable import Copying

/// What is believed of an archive's entries, and where they go.
@Suite struct ArchiveRulesTests {
    private static let deep: String = String(repeating: "d/", count: 63)
    private static let longName: String = String(repeating: "n", count: 255)

    @Test(
        "names become relative, plain and bounded",
        arguments: [
            ("a", "a"), ("./a/./b", "a/b"), ("a//b/", "a/b"), (".", ""), ("./", ""), ("..a/b..", "..a/b.."),
            ("-", "-"), (longName, longName), (deep + "x", deep + "x"),
        ]
    )
    func names(path: String, expected: String) throws {
        #expect(try ArchivePath.checked(BytePath(path)) == BytePath(expected))
    }

    @Test(
        "names that lead out or cost too much are refused",
        arguments: [
            ("/a", ArchivePath.Refusal.absolute), ("//", .absolute), ("..", .upwards), ("a/..", .upwards),
            ("a/../b", .upwards), ("./../a", .upwards), (longName + "n", .tooLong), (deep + "x/y", .tooDeep),
            (String(repeating: "a/", count: 2048), .tooLong),
        ]
    )
    func refused(path: String, reason: ArchivePath.Refusal) {
        #expect(throws: reason) { try ArchivePath.checked(BytePath(path)) }
    }

    @Test("a path of any dots and slashes is what its names are", arguments: 0..<4)
    func anyPath(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let length = Int.random(in: 0...12, using: &random)
            let path = String((0..<length).map { _ in "a../".randomElement(using: &random) ?? "a" })
            let names = path.split(separator: "/").filter { $0 != "." }
            let isRefused = path.hasPrefix("/") || names.contains("..")
            let checked = try? ArchivePath.checked(BytePath(path))
            #expect(checked == (isRefused ? nil : BytePath(names.joined(separator: "/"))), "\(path)")
        }
    }

    @Test(
        "the first path into a media tree tells where it begins",
        arguments: [
            ("accounts/avatars/x", ""), ("media/cache/accounts/avatars/x", "media/"),
            ("home/mastodon/live/public/system/site_uploads/files/1", "home/mastodon/live/public/system/"),
            ("backups/media/backups/dumps/1", "backups/media/"), ("accounts/accounts/headers/x", "accounts/"),
        ]
    )
    func level(path: String, prefix: String) {
        var level = ArchiveLevel()
        for early in ["", "home", "README", "home/mastodon/file"] {
            #expect(level.place(of: BytePath(early)) == .unknown)
        }
        let inside = String(path.dropFirst(prefix.count))
        #expect(level.place(of: BytePath(path)) == .inside(BytePath(inside)))
        #expect(level.prefix == Array(prefix.utf8))
        #expect(level.place(of: BytePath(prefix + "new_folder/x")) == .inside(BytePath("new_folder/x")))
        #expect(level.place(of: BytePath("")) == .above)
        if prefix.isEmpty { return }
        #expect(level.place(of: BytePath(String(prefix.dropLast()))) == .above)
        #expect(level.place(of: BytePath(String(prefix.prefix { $0 != "/" }))) == .above)
        // The same names elsewhere are another tree.
        #expect(level.place(of: BytePath("other/accounts/avatars/x")) == .outside)
        #expect(level.place(of: BytePath(String(prefix.dropLast()) + "x/accounts/avatars/x")) == .outside)
    }

    @Test(
        "paths that only look like media tell nothing",
        arguments: [
            "accounts", "accounts/x", "avatars/000/x", "media/files/x", "backups/media", "cache/x/avatars",
        ]
    )
    func noLevel(path: String) {
        #expect(MediaLayout.level(of: BytePath(path)) == nil)
    }

    @Test("mediasync's own names are told anywhere in a path")
    func own() {
        let temporary = ".mediasync-tmp-20231114-221320-00000001-0.1"
        for path in [temporary, "a/\(temporary)", "\(temporary)/a", ".mediasync-run"] {
            #expect(ArchivePath.isOwn(BytePath(path)))
        }
        for path in ["a/.mediasync-tmp-x", "a.mediasync-run/b", "", ".", "a/.b", "mediasync-run"] {
            #expect(!ArchivePath.isOwn(BytePath(path)))
        }
    }

    @Test(
        "everything of one row goes one way",
        arguments: [
            ("a/b/001/original/x", "a/b/001/small/y", true), ("a/b/001/original/x", "a/b/002/original/x", false),
            ("x", "y/z", true), ("a/b/c", "d/b/c", false),
        ]
    )
    func route(one: String, other: String, isSame: Bool) {
        #expect((BytePath(one).routeHash == BytePath(other).routeHash) == isSame)
    }

    // MARK: What is there already

    private func verdict(_ file: ExtractionFile, in place: TemporaryDirectory) throws -> String {
        let directory = try HeldDirectory.openRoot(place.path)
        defer { directory.close() }
        let existing = try BytePath("x").withEntryName { (name) throws(FileFault) in try directory.lookUp(name) }
        switch ExtractionVerdict(file, beside: existing) {
        case .write: return "write"
        case .replace: return "replace"
        case .keep(let outcome): return outcome.name
        }
    }

    @Test(
        "only what is older is replaced; an archive of whole seconds is compared by them",
        arguments: [
            (1000, 0, 3, 1000, nil, "unchanged"), (1000, 500, 3, 1000, nil, "unchanged"),
            (999, 999, 3, 1000, nil, "replace"),
            (1001, 0, 3, 1000, nil, "skipped"), (1000, 0, 4, 1000, nil, "failed"), (999, 0, 4, 1000, nil, "replace"),
            (1001, 0, 4, 1000, nil, "skipped"), (1000, 5, 3, 1000, 5, "unchanged"), (1000, 4, 3, 1000, 5, "replace"),
            (1000, 6, 3, 1000, 5, "skipped"), (1000, 5, 4, 1000, 5, "failed"),
        ] as [(Int, Int, Int, Int64, UInt32?, String)]
    )
    func existing(seconds: Int, nanoseconds: Int, size: Int, theirs: Int64, fraction: UInt32?, expected: String) throws
    {
        let place = try TemporaryDirectory()
        let file = ExtractionFile(
            path: BytePath("x"),
            size: 3,
            permissions: 0o644,
            modified: ArchiveTime(seconds: theirs, nanoseconds: fraction)
        )
        #expect(try verdict(file, in: place) == "write")
        try Disk.write(place.path / "x", [UInt8](repeating: 1, count: size))
        try Disk.setTime(place.path / "x", seconds, nanoseconds: nanoseconds)
        #expect(try verdict(file, in: place) == expected)
        try Disk.remove(place.path / "x")
        try Disk.makeDirectory(place.path / "x")
        #expect(try verdict(file, in: place) == "failed")
    }
}
