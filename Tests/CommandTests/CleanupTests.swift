import MediaModel
import MediasyncTesting
import Testing

/// `mediasync cleanup`, from outside, on a database of 4.6 and a media directory.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct CleanupTests {
    @Test("old cards go, the one of today stays; the interval is said; a dry run before changes nothing")
    func cleanup() throws {
        let live = try CleanupLive("cleanup_binary", cards: 4)
        let options = ["--days", "1", "--max-delete", "100%"]
        let dry = try live.run(options + ["-n"])
        #expect(dry.exitCode == 0)
        #expect(dry.errorText.contains("older than 1 day: before 20"))
        #expect(try live.named() == [1, 2, 3, 4])
        #expect((1...4).allSatisfy { live.hasFile($0) })
        let result = try live.run(options)
        #expect(result.exitCode == 0)
        #expect(try live.named() == [4])
        #expect((1...4).map { live.hasFile($0) } == [false, false, false, true])
        #expect(result.text.contains("3 updated"))
        #expect(try live.run(options).exitCode == 0)
    }

    @Test("more than half is refused with exit code 5 unless it is allowed")
    func limit() throws {
        let live = try CleanupLive("cleanup_limit", cards: 4)
        let refused = try live.run(["--days", "1"])
        #expect(refused.exitCode == 5)
        #expect(refused.errorText.contains("3 of 4 rows would lose their files (75%)"))
        #expect(try live.named().count == 4)
        #expect(try live.run(["--days", "1", "--max-delete", "3"]).exitCode == 0)
    }

    @Test("orphans go, what a row names and what is young stays; too many are refused")
    func orphans() throws {
        let live = try CleanupLive("cleanup_orphans", cards: 3)
        try live.sql(
            "DELETE FROM preview_cards WHERE id = 1; UPDATE preview_cards SET image_file_name = NULL WHERE id = 2"
        )
        for id in [1, 3] {
            let file = CleanupLive.folders(id).reduce(live.root) { $0 / $1 } / "c\(id).png"
            try Disk.setTime(file, 1_700_000_000)
        }
        #expect(try live.run(["--orphans", "-n"]).exitCode == 0)
        #expect((1...3).allSatisfy { live.hasFile($0) })
        #expect(try live.run(["--orphans", "--max-delete", "0"]).exitCode == 5)
        #expect(try live.run(["--orphans", "--prefix", "accounts"]).exitCode == 0)
        #expect((1...3).allSatisfy { live.hasFile($0) })
        let result = try live.run(["--orphans", "--verbose"])
        #expect(result.exitCode == 0)
        // 2 is an orphan, too, but was written just now.
        #expect((1...3).map { live.hasFile($0) } == [false, true, true])
        #expect(result.text.contains("deleted cache/preview_cards/images/000/000/001/original/c1.png"))
    }

    @Test("with a trash the files are kept there under their paths")
    func trash() throws {
        let live = try CleanupLive("cleanup_trash", cards: 2)
        try Disk.makeDirectory(live.place.path / "trash")
        let trash = (live.place.path / "trash").description
        #expect(try live.run(["--days", "1", "--trash", trash]).exitCode == 0)
        #expect(!live.hasFile(1))
        #expect(live.hasFile(1, in: live.place.path / "trash"))
        #expect(try live.run(["--days", "1", "--trash", "/proc"]).exitCode == 64)
        #expect(try live.run(["--days", "1", "--trash", "/no/such"]).exitCode == 10)
    }

    @Test("killed at any moment, no row names a file that is gone, and the next run leaves no file that no row names")
    func kill() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let cards = 3000
        let live = try CleanupLive("cleanup_kill", cards: cards)
        let options = ["--days", "1", "--max-delete", "100%", "--jobs", "4"]
        for round in 0..<6 {
            let program = try BinaryRunner.program().start(live.arguments(options))
            // What is not done by then is killed.
            _ = program.wait(timeout: Double.random(in: 0.02...0.25, using: &random))
            let named = try live.named()
            let dangling = named.filter { !live.hasFile($0) }
            #expect(dangling.isEmpty, "round \(round), seed \(seed)")
        }
        // The server may still hold the lock of a run whose last statement it works on.
        #expect(RunningProgram.eventually { (try? live.run(options))?.exitCode == 0 })
        #expect(try live.named() == [cards])
        let orphans = (1..<cards).filter { live.hasFile($0) }
        #expect(orphans.isEmpty, "seed \(seed)")
    }

    @Test(
        "options that contradict are refused",
        arguments: [
            [], ["--orphans", "--days", "1"], ["--days", "1", "--prefix", "x"], ["--orphans", "--jobs", "99"],
            ["--days", "-1"], ["--days", "x"], ["--days", "1", "--prune-profiles", "--remove-headers"],
            ["--days", "1", "--only", "emoji"], ["--days", "1", "--only", "local"],
            ["--days", "1", "--only", "cards", "--remove-headers"], ["--days", "1", "--include-follows"],
            ["--days", "1", "--remove-headers", "--link"],
            ["--days", "1", "--max-delete", "101%"],
        ]
    )
    func contradictions(options: [String]) throws {
        #expect(try BinaryRunner.program().run(["cleanup"] + options).exitCode == 64)
    }
}
