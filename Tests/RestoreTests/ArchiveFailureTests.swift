import MediaModel
import MediasyncTesting
import Testing

/// R2, R3, R6, R9 for archives, which another program loads: real ones, made by pg_dump and then damaged, or made from a
/// database that holds what must not be run.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct ArchiveFailureTests {
    /// Archives of the filled database, made once.
    private static let archives = Result { () -> TemporaryDirectory in
        let place = try TemporaryDirectory()
        for form in ["-Fc", "-Ft", "-Fd"] {
            try Origin.get().database.writeDump([form], to: place.path / form)
        }
        return place
    }

    private static func archive(_ form: String) throws -> BytePath { try archives.get().path / form }

    private func expectRefused(
        _ name: String,
        _ dump: BytePath,
        code: Int32,
        says word: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let live = try Origin.get().makeLive(name)
        let result = try live.restore(dump)
        #expect(result.exitCode == code, "\(result.errorText)", sourceLocation: sourceLocation)
        if let word { #expect(result.errorText.contains(word), "\(result.errorText)", sourceLocation: sourceLocation) }
        try live.expectUntouched(sourceLocation: sourceLocation)
    }

    @Test("an archive that was cut anywhere is refused", arguments: ["-Fc", "-Ft"], [1, 40, 70, 95])
    func cut(form: String, percent: Int) throws {
        let place = try TemporaryDirectory()
        let bytes = try Disk.read(try Self.archive(form))
        try Disk.write(place.path / "dump", Array(bytes.prefix(bytes.count * percent / 100)))
        let name = "archive_cut_\(form.dropFirst().lowercased())_\(percent)"
        try expectRefused(name, place.path / "dump", code: 10)
    }

    @Test("an archive with a damaged block of rows is refused")
    func damaged() throws {
        let place = try TemporaryDirectory()
        var bytes = try Disk.read(try Self.archive("-Fc"))
        for index in bytes.count * 3 / 4..<bytes.count * 3 / 4 + 64 { bytes[index] ^= 0x5A }
        try Disk.write(place.path / "dump", bytes)
        try expectRefused("archive_damaged", place.path / "dump", code: 10)
    }

    @Test("a directory without one of its files, or with one that was cut, is refused", arguments: [true, false])
    func directory(isCut: Bool) throws {
        let place = try TemporaryDirectory()
        try Program("cp").check(["-r"], try Self.archive("-Fd"), place.path / "dump")
        let sizes = try Disk.names(in: place.path / "dump").filter { $0 != BytePath("toc.dat") }
            .map { (try Disk.read(place.path / "dump" / $0).count, $0) }
        let largest = try #require(sizes.max { $0.0 < $1.0 })
        if isCut {
            try Disk.truncate(place.path / "dump" / largest.1, to: Int64(largest.0 / 2))
        } else {
            try Disk.remove(place.path / "dump" / largest.1)
        }
        try expectRefused("archive_directory_\(isCut)", place.path / "dump", code: 10)
    }

    static let contents: [(String, String)] = [
        (
            "event_trigger",
            """
            CREATE FUNCTION react() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
            CREATE EVENT TRIGGER react ON ddl_command_end EXECUTE FUNCTION react()
            """
        ),
        ("internal", "CREATE FUNCTION twice(text) RETURNS int LANGUAGE internal AS 'ascii'"),
        ("publication", "CREATE PUBLICATION everything FOR ALL TABLES"),
        ("server", "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER elsewhere FOREIGN DATA WRAPPER w"),
        ("reading", "CREATE VIEW secrets AS SELECT pg_read_file('/etc/passwd') AS text"),
        ("cast", "CREATE TYPE pair AS (a int, b int); CREATE CAST (pair AS text) WITH INOUT"),
    ]

    @Test("an archive of a database that holds what must not be run is refused", arguments: contents)
    func hostile(name: String, sql: String) throws {
        let origin = try Origin.get()
        let source = try LiveDatabase(origin.cluster, name: "holds_\(name)", template: origin.database.name)
        try origin.cluster.sql(sql, database: source.name)
        let place = try TemporaryDirectory()
        try MastodonDatabase(existing: origin.cluster, name: source.name).writeDump(["-Fc"], to: place.path / "dump")
        try expectRefused("archive_with_\(name)", place.path / "dump", code: 20, says: "refused")
    }

    @Test(
        "rows that break a foreign key are named by the archive's entry and the server's words",
        arguments: ["-Fc", "-Ft"]
    )
    func brokenKey(form: String) throws {
        let origin = try Origin.get()
        let name = "breaks_key_\(form.dropFirst().lowercased())"
        let source = try LiveDatabase(origin.cluster, name: name, template: origin.database.name)
        try origin.cluster.sql(
            "SET session_replication_role = replica; UPDATE favourites SET account_id = 42 WHERE id = (SELECT min(id) FROM favourites)",
            database: source.name
        )
        let place = try TemporaryDirectory()
        try MastodonDatabase(existing: origin.cluster, name: source.name).writeDump([form], to: place.path / "dump")
        let live = try origin.makeLive("over_\(name)")
        let result = try live.restore(place.path / "dump")
        #expect(result.exitCode == 12, "\(result.errorText)")
        for word in ["cannot load the archive's entry", "FK CONSTRAINT favourites", "violates foreign key"] {
            #expect(result.errorText.contains(word), "\(result.errorText)")
        }
        try live.expectUntouched()
    }

    @Test("a connection that is lost while an archive is loaded is exit code 12, and the stage is dropped")
    func lost() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("archive_lost")
        let run = try live.start([], try Self.archive("-Fc"))
        let end =
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname LIKE 'archive_lost_stage_%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(end)).map { $0 != "0" } ?? false })
        let result = run.wait(timeout: 60)
        // The end of all its sessions may have come when everything was done.
        if result.exitCode != 0 {
            #expect(result.exitCode == 12, "\(result.errorText)")
            try live.expectUntouched("\(result.errorText)")
        }
    }

    @Test(
        "kill -9 while an archive is loaded leaves one database, no program behind, and the next run drops the stage",
        arguments: 1...4
    )
    func killed(round: Int) throws {
        var random = SeededGenerator(seed: UInt64(round) &* 77)
        let origin = try Origin.get()
        let live = try origin.makeLive("archive_kill_\(round)")
        let run = try live.start([], try Self.archive("-Fc"))
        let stages = "SELECT count(*) FROM pg_database WHERE datname LIKE '\(live.name)_stage_%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(stages)) == "1" })
        RunningProgram.pause(milliseconds: Int.random(in: 0...1500, using: &random))
        run.send(9)
        _ = run.wait()
        let isOld = try live.isOld()
        if !isOld { #expect(try live.canonicalDump() == origin.canonical, "round \(round)") }
        let next = try live.restore(["--force"], try Self.archive("-Fc"))
        #expect(next.exitCode == 0, "round \(round): \(next.errorText)")
        #expect(try live.canonicalDump() == origin.canonical)
        expectNone(try live.relatives().filter { $0.contains("_stage_") }, "round \(round)")
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '\(live.name)%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(sessions)) == "0" })
    }
}
