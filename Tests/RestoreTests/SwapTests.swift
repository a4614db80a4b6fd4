import MediaModel
import MediasyncTesting
import Testing

/// R4, R7, R10, R11: roles, sessions, going back.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct SwapTests {
    @Test("a session on the live database is listed and refused; with --force it is ended")
    func sessions() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("with_session")
        let psql = origin.cluster.program("psql", user: "mastodon", database: live.name)
        let session = try psql.start(["-X", "-c", "SELECT pg_sleep(100)"].map { BytePath($0) })
        let isThere = "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(live.name)' AND query LIKE '%sleep%'"
        #expect(RunningProgram.eventually { (try? origin.cluster.sql(isThere)) == "1" })
        let refused = try live.restore(origin.plain)
        #expect(refused.exitCode == 20, "\(refused.errorText)")
        #expect(refused.errorText.contains("mastodon (psql)"), "\(refused.errorText)")
        #expect(try live.relatives() == [live.name])
        #expect(session.isRunning)
        let forced = try live.restore(["--force"], origin.plain)
        #expect(forced.exitCode == 0, "\(forced.errorText)")
        #expect(try live.canonicalDump() == origin.canonical)
        #expect(session.wait(timeout: 10).exitCode != 0)
    }

    @Test("--undo goes back, a second one goes forward again, and --drop-previous keeps only what is live")
    func undo() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("undoing")
        #expect(try live.restore(origin.plain).exitCode == 0)
        #expect(try !live.isOld())
        let back = try live.act(["--undo"])
        #expect(back.exitCode == 0, "\(back.errorText)")
        #expect(try live.isOld())
        #expect(try live.relatives().count == 2)
        #expect(try live.act(["--undo"]).exitCode == 0)
        #expect(try live.canonicalDump() == origin.canonical)
        let dry = try live.act(["--drop-previous", "-n"])
        #expect(dry.exitCode == 0)
        #expect(try live.relatives().count == 2)
        #expect(try live.act(["--drop-previous"]).exitCode == 0)
        #expect(try live.relatives() == [live.name])
        #expect(try live.act(["--undo"]).exitCode == 10)
    }

    @Test("a database says of which dump it was made, through going back and forth; refresh --since dump goes by it")
    func dumpMoment() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("dump_moment")
        func comments() throws -> (live: RestoredDump?, kept: RestoredDump?) {
            func dump(_ condition: String) throws -> RestoredDump? {
                let text = try origin.cluster.sql(
                    "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname \(condition)"
                )
                return RestoredDump(comment: text)
            }
            return (try dump("= '\(live.name)'"), try dump("LIKE '\(live.name)\\_before\\_%'"))
        }
        #expect(try live.restore(origin.plain).exitCode == 0)
        let made = try #require(try comments().live)
        #expect(made.source == .newestStatus)
        #expect(try comments().kept == nil)
        #expect(try live.act(["--undo"]).exitCode == 0)
        #expect(try comments().live == nil)
        #expect(try comments().kept == made)
        #expect(try live.act(["--undo"]).exitCode == 0)
        #expect(try comments().live == made)
        // Mastodon serves again, and has newer posts.
        try origin.cluster.sql(
            """
            INSERT INTO statuses (id, account_id, uri, text, created_at, updated_at)
            SELECT (extract(epoch FROM now()) * 1000)::bigint << 16, min(id), 'x:new', '', now(), now() FROM accounts
            """,
            database: live.name,
            user: "mastodon"
        )
        let place = try TemporaryDirectory()
        let settings = """
            DB_HOST=\(origin.cluster.socketDirectory)
            DB_PORT=\(origin.cluster.port)
            DB_NAME=\(live.name)
            DB_USER=mastodon

            """
        try Disk.write(place.path / "env", settings)
        let options = ["refresh", "--since", "dump", "--dry-run", "--media-root", place.path.description]
        try Disk.makeDirectory(place.path / "cache")
        let refresh = try BinaryRunner.program().run(
            (options + ["--env-file", (place.path / "env").description]).map { BytePath($0) }
        )
        #expect(refresh.exitCode == 0, "\(refresh.errorText)")
        let moment = UTCTime(secondsSince1970: made.madeAt).iso8601
        #expect(refresh.errorText.contains("the dump that was restored, made \(moment)"), "\(refresh.errorText)")
        let begin = UTCTime(secondsSince1970: made.madeAt - 86_400).iso8601
        #expect(refresh.errorText.contains("received since \(begin)"), "\(refresh.errorText)")
    }

    @Test("where there is no database yet, one is made")
    func first() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("first")
        try origin.cluster.sql("DROP DATABASE first")
        let result = try live.restore(origin.plain)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.relatives() == ["first"])
        #expect(try live.canonicalDump() == origin.canonical)
    }

    @Test("a superuser is refused, and so is a role without the right or one that does not exist")
    func roles() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("roles")
        let asSuperuser = try live.restore(["--owner", "postgres"], origin.plain, user: "postgres")
        #expect(asSuperuser.exitCode == 20, "\(asSuperuser.errorText)")
        let weak = try live.restore([], origin.plain, user: "weak")
        #expect(weak.exitCode == 10, "\(weak.errorText)")
        #expect(weak.errorText.contains("CREATEDB"))
        let missing = try live.restore(["--owner", "nobody_there"], origin.plain)
        #expect(missing.exitCode == 10, "\(missing.errorText)")
        try live.expectUntouched()
        // A superuser may make the databases; what the dump contains still runs as the plain role.
        let mixed = try live.restore([], origin.plain, user: "postgres")
        #expect(mixed.exitCode == 0, "\(mixed.errorText)")
        let owners =
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        #expect(try origin.cluster.sql(owners, database: live.name) == "mastodon")
    }

    @Test("the new database has the collation of the old one")
    func collation() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("collated")
        try origin.cluster.sql("DROP DATABASE collated")
        try origin.cluster.sql(
            "CREATE DATABASE collated TEMPLATE template0 OWNER mastodon LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        )
        let result = try live.restore(origin.plain)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(
            try origin.cluster.sql("SELECT datcollate, datctype FROM pg_database WHERE datname = 'collated'")
                == "C.UTF-8|C.UTF-8"
        )
    }

    @Test("without a terminal nothing is done unless --yes says so")
    func confirmation() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("asking")
        let arguments =
            ["restore", "--into", live.name, "--env-file", "/dev/null"].map { BytePath($0) } + [origin.plain]
        let result = try live.program().run(arguments)
        #expect(result.exitCode == 20)
        try live.expectUntouched()
    }

    @Test("no server is exit code 12, and the message says where it was looked for")
    func unreachable() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("unreachable")
        var program = live.program()
        program.environment["PGHOST"] = "/nonexistent"
        let arguments = ["restore", "--yes", "--into", live.name, "--env-file", "/dev/null"].map { BytePath($0) }
        let result = try program.run(arguments + [origin.plain])
        #expect(result.exitCode == 12, "\(result.errorText)")
        #expect(result.errorText.contains("/nonexistent"))
    }

    @Test("Mastodon's own settings file says where the database is, and its password is printed nowhere")
    func environmentFile() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("from_settings")
        let place = try TemporaryDirectory()
        let file = place.path / ".env.production"
        try Disk.write(
            file,
            """
            LOCAL_DOMAIN=example.org
            DB_HOST=\(origin.cluster.socketDirectory)
            DB_NAME=from_settings
            DB_USER=mastodon
            DB_PASS='se$cret-word'
            DB_PORT=\(origin.cluster.port)
            """
        )
        var program = BinaryRunner.program()
        program.environment["PGHOST"] = "/nonexistent"
        let result = try program.run(
            ["restore", "--yes", "-v", "--env-file"].map { BytePath($0) } + [file, origin.plain],
            timeout: 60
        )
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try !live.isOld())
        #expect(!(result.text + result.errorText).contains("cret-word"))
    }
}
