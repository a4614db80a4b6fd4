import MediaModel
import MediasyncTesting
import Testing

/// `mediasync cleanup`, from outside, on a database of 4.6 and a media directory.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct CleanupTests {
    private static let cluster = Result {
        let cluster = try PostgresCluster()
        // Once, before several tests need it at the same time.
        try MastodonDatabase.makeRole(cluster)
        return cluster
    }

    /// A live directory: settings, a database with old preview cards and one of today, and their files.
    private final class Live {
        let place: TemporaryDirectory
        let name: String
        var root: BytePath { place.path / "media" }

        init(_ name: String, cards: Int) throws {
            self.name = name
            place = try TemporaryDirectory()
            let cluster = try CleanupTests.cluster.get()
            _ = try MastodonDatabase(cluster, name: name, release: "4.6")
            let settings = """
                DB_HOST=\(cluster.socketDirectory)
                DB_PORT=\(cluster.port)
                DB_NAME=\(name)
                DB_USER=\(MastodonDatabase.role)
                PAPERCLIP_ROOT_PATH=\(place.path / "media")

                """
            try Disk.write(place.path / ".env.production", settings)
            try Disk.makeDirectory(place.path / "media")
            try fill(cards: cards)
        }

        /// Rows `1...cards`, the last one of today, and a file for each.
        func fill(cards: Int) throws {
            try sql(
                """
                INSERT INTO preview_cards (id, url, image_file_name, image_content_type, image_file_size,
                    image_storage_schema_version, created_at, updated_at)
                SELECT n, 'https://p.example/' || n, 'c' || n || '.png', 'image/png', 7, 1, '2020-01-01',
                    CASE WHEN n = \(cards) THEN now() AT TIME ZONE 'utc' ELSE '2020-01-01' END
                FROM generate_series(1, \(cards)) n
                """
            )
            for id in 1...cards {
                var folder = root
                for part in Self.folders(id) {
                    folder = folder / part
                    if !Disk.exists(folder) { try Disk.makeDirectory(folder) }
                }
                try Disk.write(folder / "c\(id).png", "content")
            }
        }

        static func folders(_ id: Int) -> [String] {
            let digits = String(repeating: "0", count: 9 - String(id).count) + String(id)
            let groups = stride(from: 0, to: 9, by: 3).map { start in
                String(digits.dropFirst(start).prefix(3))
            }
            return ["cache", "preview_cards", "images"] + groups + ["original"]
        }

        func hasFile(_ id: Int, in root: BytePath? = nil) -> Bool {
            Disk.exists(Self.folders(id).reduce(root ?? self.root) { $0 / $1 } / "c\(id).png")
        }

        @discardableResult
        func sql(_ statements: String) throws -> String {
            try CleanupTests.cluster.get().sql(statements, database: name, user: MastodonDatabase.role)
        }

        /// Rows that name a file.
        func named() throws -> Set<Int> {
            let text = try sql("SELECT id FROM preview_cards WHERE image_file_name IS NOT NULL")
            return Set(text.split(separator: "\n").compactMap { Int($0) })
        }

        func arguments(_ options: [String]) -> [BytePath] {
            [BytePath("cleanup"), BytePath("--env-file"), place.path / ".env.production"] + options.map { BytePath($0) }
        }

        func run(_ options: [String]) throws -> Program.Result {
            try BinaryRunner.program().run(arguments(options))
        }
    }

    @Test("old cards go, the one of today stays; the interval is said; a dry run before changes nothing")
    func cleanup() throws {
        let live = try Live("cleanup_binary", cards: 4)
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
        let live = try Live("cleanup_limit", cards: 4)
        let refused = try live.run(["--days", "1"])
        #expect(refused.exitCode == 5)
        #expect(refused.errorText.contains("3 of 4 rows would lose their files (75%)"))
        #expect(try live.named().count == 4)
        #expect(try live.run(["--days", "1", "--max-delete", "3"]).exitCode == 0)
    }

    @Test("orphans go, what a row names and what is young stays; too many are refused")
    func orphans() throws {
        let live = try Live("cleanup_orphans", cards: 3)
        try live.sql(
            "DELETE FROM preview_cards WHERE id = 1; UPDATE preview_cards SET image_file_name = NULL WHERE id = 2"
        )
        for id in [1, 3] {
            let file = Live.folders(id).reduce(live.root) { $0 / $1 } / "c\(id).png"
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
        let live = try Live("cleanup_trash", cards: 2)
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
        let live = try Live("cleanup_kill", cards: cards)
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
            ["--days", "1", "--only", "cards", "--keep-interacted"], ["--days", "1", "--remove-headers", "--link"],
            ["--days", "1", "--max-delete", "101%"],
        ]
    )
    func contradictions(options: [String]) throws {
        #expect(try BinaryRunner.program().run(["cleanup"] + options).exitCode == 64)
    }
}
