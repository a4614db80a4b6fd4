import MediaModel
import MediasyncTesting
import Storage
import Testing

@testable import Backups

/// Names, markers, the first lines of a dump, and which exports are old.
@Suite struct BackupRulesTests {
    private static let day: Int64 = 86_400

    private func candidates(_ ages: [Double]) -> [BackupRetention.Candidate] {
        ages.map {
            BackupRetention.Candidate(name: BytePath("\($0)"), madeAt: 1_700_000_000 - Int64($0 * Double(Self.day)))
        }
    }

    @Test(
        "the newest of the expired stays",
        arguments: [
            ([], []), ([1, 2, 3], []), ([8], []), ([8, 9], [9]), ([1, 8, 30, 9], [30, 9]), ([7], []),
            ([7.1, 7.2], [7.2]), ([-3, 100, 200], [200]),
        ] as [([Double], [Double])]
    )
    func retention(ages: [Double], gone: [Double]) {
        let rule = BackupRetention(days: 7, now: 1_700_000_000)
        #expect(rule.expired(candidates(ages)).map(\.name) == gone.map { BytePath("\($0)") })
    }

    @Test("only directories with a marker of ours are candidates")
    func markers() throws {
        let place = try TemporaryDirectory()
        for (name, text) in [
            ("ours", "mediasync export 1\nmade 1700000000\n"), ("other", "mediasync export 2\nmade 1\n"), ("empty", ""),
            (".hidden", "mediasync export 1\nmade 1\n"), ("cut", "mediasync export 1\nmade x\n"),
        ] {
            try Disk.makeDirectory(place.path / name)
            try Disk.write(place.path / name / ".mediasync-export", text)
        }
        try Disk.makeDirectory(place.path / "none")
        try Disk.write(place.path / "file", "x")
        try Disk.makeLink(place.path / "link", to: place.path / "ours")
        try Disk.makeDirectory(place.path / "linked")
        try Disk.makeLink(place.path / "linked" / ".mediasync-export", to: place.path / "ours" / ".mediasync-export")
        let directory = try BackupDirectory.open(place.path)
        defer { directory.close() }
        let found = try BackupRetention.candidates(in: directory)
        #expect(found == [BackupRetention.Candidate(name: BytePath("ours"), madeAt: 1_700_000_000)])
        let marker = BackupMarker(madeAt: -5)
        #expect(BackupMarker(marker.text) == marker)
    }

    @Test("an unfinished export is known by its name")
    func unfinished() {
        let run = RunID(secondsSince1970: 1_700_000_000, random: 7)
        #expect(BackupLayout.isUnfinished(BackupLayout.unfinished(run)))
        for name in [".mediasync-export", ".mediasync-export-x", "mediasync-export-\(run)", "20261124-120000"] {
            #expect(!BackupLayout.isUnfinished(BytePath(name)))
        }
    }

    @Test(
        "names of exports are one plain name",
        arguments: [
            ("20261124-120000", true), ("before the update", true), ("", false), (".", false), ("..", false),
            (".hidden", false), ("a/b", false), (String(repeating: "n", count: 201), false),
        ]
    )
    func names(name: String, isGood: Bool) {
        let options = ExportOptions(directory: BytePath("/x"), name: BytePath(name))
        #expect(((try? options.checkName()) != nil) == isGood)
        #expect(ExportOptions.name(at: 1_700_000_000) == BytePath("20231114-221320"))
    }

    @Test(
        "the snap's roles are commented out in the first hundred lines, however the text is cut",
        arguments: [1, 7, 64, 5000]
    )
    func roles(piece: Int) {
        var lines = ["--", "-- PostgreSQL database cluster dump", "--", "CREATE ROLE mastodon;", "CREATE ROLE other;"]
        lines += ["CREATE ROLE pgbouncer;", "ALTER ROLE mastodon WITH LOGIN;", "CREATE ROLE postgres;"]
        let rest = (0..<120).map { $0 == 110 ? "CREATE ROLE mastodon;" : "line \($0)" }
        let text = Array((lines + rest).joined(separator: "\n").utf8)
        let expected = lines.map {
            ["CREATE ROLE mastodon;", "CREATE ROLE pgbouncer;", "CREATE ROLE postgres;"].contains($0) ? "-- \($0)" : $0
        }
        var commenter = RoleCommenter()
        var result: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: piece) {
            result += text[start..<min(text.count, start + piece)].withUnsafeBytes { commenter.pass($0) }
        }
        result += commenter.finish()
        #expect(String(decoding: result, as: UTF8.self) == (expected + rest).joined(separator: "\n"))
    }

    @Test("a first line without an end is passed on, and not gathered")
    func endlessLine() {
        var commenter = RoleCommenter()
        let piece = [UInt8](repeating: 65, count: 700_000)
        var count = 0
        for _ in 0..<4 { count += piece.withUnsafeBytes { commenter.pass($0) }.count }
        #expect(count >= 3 * 700_000)
        #expect(count + commenter.finish().count == 4 * 700_000)
    }
}
