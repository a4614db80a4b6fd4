import MediaModel
import MediasyncTesting
import Testing

/// R6 and R9: whatever ends a restore, exactly one of the old and the new database is live, and the next run clears up.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct CrashTests {
    /// How long a whole restore takes here: kills are spread over it.
    private static let restoreSeconds = Result { () -> Double in
        let origin = try Origin.get()
        let live = try origin.makeLive("timing")
        let result = try live.restore(origin.plain)
        if result.exitCode != 0 { throw TestFault("\(result.errorText)") }
        return result.seconds
    }

    /// Old and usable, or new and usable.
    private func expectOldOrNew(_ live: LiveDatabase, _ origin: Origin, _ comment: Comment) throws {
        if try live.isOld() { return }
        #expect(try live.canonicalDump() == origin.canonical, comment)
    }

    @Test(
        "kill -9 of mediasync at any moment leaves the old or the new database, and the next run drops the stage",
        arguments: 1...12
    )
    func killClient(round: Int) throws {
        var random = SeededGenerator(seed: UInt64(round))
        let origin = try Origin.get()
        let live = try origin.makeLive("kill_client_\(round)")
        let seconds = try Self.restoreSeconds.get()
        let run = try live.start([], origin.plain)
        RunningProgram.pause(milliseconds: Int.random(in: 0...Int(seconds * 1050), using: &random))
        run.killGroup()
        _ = run.wait()
        try expectOldOrNew(live, origin, "round \(round)")
        let next = try live.restore(["--force"], origin.plain)
        #expect(next.exitCode == 0, "round \(round): \(next.errorText)")
        #expect(try live.canonicalDump() == origin.canonical)
        expectNone(try live.relatives().filter { $0.contains("_stage_") }, "round \(round)")
    }

    @Test("a crash of the server at any moment leaves the old or the new database", arguments: 1...4)
    func killServer(round: Int) throws {
        var random = SeededGenerator(seed: UInt64(round) &* 31)
        let cluster = try PostgresCluster()
        let source = try MastodonDatabase(cluster, name: "origin")
        try source.fill()
        let canonical = try source.canonicalDump()
        let place = try TemporaryDirectory()
        let dump = place.path / "dump"
        try source.writeDump(to: dump)
        let live = try LiveDatabase(cluster, name: "live", template: "origin")
        let seconds = try Self.restoreSeconds.get()
        let run = try live.start([], dump)
        RunningProgram.pause(milliseconds: Int.random(in: 50...Int(seconds * 1000) + 60, using: &random))
        try cluster.crash()
        let result = run.wait(timeout: 30)
        #expect(!result.timedOut)
        try cluster.start()
        if result.exitCode != 0 {
            #expect(result.exitCode == 12, "round \(round): \(result.errorText)")
        }
        let isOld = try live.isOld()
        let isNew = try live.canonicalDump() == canonical
        #expect(isOld != isNew, "round \(round)")
        #expect(result.exitCode != 0 || !isOld)
        let next = try live.restore(dump)
        #expect(next.exitCode == 0, "round \(round): \(next.errorText)")
        #expect(try live.canonicalDump() == canonical)
        expectNone(try live.relatives().filter { $0.contains("_stage_") })
    }

    @Test("a row that does not fit is named by its line and table, and the stage is dropped")
    func badRow() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("bad_row")
        let place = try TemporaryDirectory()
        let dump = place.path / "dump.sql"
        var lines = try origin.plainText().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let copy = lines.firstIndex { $0.hasPrefix("COPY public.favourites ") } ?? 0
        lines[copy + 200] = "not a number" + lines[copy + 200].drop { $0 != "\t" }
        try Disk.write(dump, lines.joined(separator: "\n"))
        let result = try live.restore(dump)
        #expect(result.exitCode == 12, "\(result.errorText)")
        #expect(result.errorText.contains("favourites (line \(copy + 201) of the dump)"), "\(result.errorText)")
        #expect(!result.errorText.contains("not a number\t"))
        try live.expectUntouched()
    }

    @Test("rows that break a foreign key or a unique index are named by the statement's line and the table")
    func brokenConstraint() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("broken_constraint")
        let place = try TemporaryDirectory()
        let dump = place.path / "dump.sql"
        let text = try origin.plainText()
        for (table, breaks) in [("favourites", true), ("follows", false)] {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let copy = lines.firstIndex { $0.hasPrefix("COPY public.\(table) ") } ?? 0
            var fields = lines[copy + 1].split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            if breaks {
                fields[1] = "42"
            } else {
                fields = lines[copy + 2].split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            }
            lines[copy + 1] = fields.joined(separator: "\t")
            try Disk.write(dump, lines.joined(separator: "\n"))
            let result = try live.restore(dump)
            #expect(result.exitCode == 12, "\(result.errorText)")
            #expect(result.errorText.contains("cannot load \(table) (line "), "\(result.errorText)")
            try live.expectUntouched()
        }
    }

    @Test("a lost connection ends the run with exit code 12 and leaves the old database")
    func lostConnection() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("lost")
        let run = try live.start([], origin.plain)
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname LIKE 'lost_stage_%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(end)).map { $0 != "0" } ?? false })
        let result = run.wait(timeout: 60)
        // The end of all its sessions may have come when everything was done.
        if result.exitCode != 0 {
            #expect(result.exitCode == 12, "\(result.errorText)")
            try live.expectUntouched("\(result.errorText)")
        }
    }

    @Test(
        "a full disk of the server is exit code 14, and the stage is dropped",
        .enabled(if: Requirement.canMount, "needs root and loop devices")
    )
    func fullDisk() throws {
        let origin = try Origin.get()
        let disk = try LoopFileSystem(.ext4, megabytes: 220)
        let cluster = try PostgresCluster(
            settings: ["max_wal_size": "'32MB'", "min_wal_size": "'32MB'"],
            in: disk.path
        )
        try MastodonDatabase.makeRole(cluster)
        let live = try emptyLive(cluster)
        let fill = disk.path / "filler"
        let room = 12 << 20
        try Disk.write(fill, [UInt8](repeating: 7, count: max(0, disk.freeBytes - room)))
        let result = try live.restore(origin.plain)
        #expect(result.exitCode == 14 || result.exitCode == 12, "\(result.errorText)")
        #expect(
            result.errorText.contains("No space left") || result.errorText.contains("could not"),
            "\(result.errorText)"
        )
        try Disk.remove(fill)
        // A server without room for its journal goes down, and recovers once there is some.
        let recovers = RunningProgram.eventually(within: 40) {
            if cluster.process == nil { try? cluster.start() }
            return (try? live.isOld()) == true
        }
        #expect(recovers, "\((try? cluster.log.suffix(2000)) ?? "")")
        let next = try live.restore(origin.plain)
        #expect(next.exitCode == 0, "\(next.errorText)")
    }

    private func emptyLive(_ cluster: PostgresCluster) throws -> LiveDatabase {
        try cluster.sql("CREATE DATABASE small OWNER mastodon")
        try cluster.sql(
            "CREATE TABLE rules (text text, created_at timestamp, updated_at timestamp)",
            database: "small",
            user: "mastodon"
        )
        return try LiveDatabase(cluster, name: "live", template: "small")
    }

    @Test(
        "SIGINT and SIGTERM stop within seconds, and the stage is dropped",
        arguments: [(2, 130), (15, 143)] as [(Int32, Int32)]
    )
    func signals(signal: Int32, code: Int32) throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("signal_\(signal)")
        let run = try live.start([], origin.plain)
        let stages = "SELECT count(*) FROM pg_database WHERE datname LIKE '\(live.name)_stage_%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(stages)) == "1" })
        run.send(signal)
        let result = run.wait(timeout: 20)
        #expect(result.seconds < 15)
        if result.exitCode != 0 {
            #expect(result.exitCode == code, "\(result.errorText)")
            try live.expectUntouched("\(result.errorText)")
        }
    }

    @Test("a second run beside the first is told to wait, and leaves the first one's stage alone")
    func twoRuns() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("twice")
        let first = try live.start([], origin.plain)
        let stages = "SELECT count(*) FROM pg_database WHERE datname LIKE 'twice_stage_%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(stages)) == "1" })
        let second = try live.restore(origin.plain)
        let result = first.wait()
        #expect(result.exitCode == 0, "\(result.errorText)")
        // The first one may have been done before the second one looked.
        #expect(second.exitCode == 11 || second.exitCode == 0, "\(second.errorText)")
    }
}
