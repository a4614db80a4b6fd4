import MediaModel
import MediasyncTesting
import Testing

/// R5: a dump of an older Mastodon, and what the installed one knows.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct MigrationTests {
    /// A dump of Mastodon 4.3, made once.
    private static let older = Result { () -> (TemporaryDirectory, BytePath) in
        let origin = try Origin.get()
        let database = try MastodonDatabase(origin.cluster, name: "old_release", release: "4.3")
        let place = try TemporaryDirectory()
        try database.writeDump(to: place.path / "dump")
        return (place, place.path / "dump")
    }

    private var psql: String { "\(PostgresCluster.programs?.description ?? "")/psql" }

    @Test("the migrate command runs against the stage, before it is live")
    func migrate() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("migrating")
        let (_, dump) = try Self.older.get()
        let ask = "SELECT count(*) FROM rules WHERE text = '\(LiveDatabase.mark)'"
        let command = """
            test "$DB_NAME" = "$MEDIASYNC_STAGE" && test "$DB_NAME" != migrating &&
            test "$(\(psql) -XAt -d migrating -c "\(ask)")" = 1 &&
            \(psql) -X -d "$DB_NAME" -c "CREATE TABLE migrated (a int)"
            """
        let result = try live.restore(["--migrate-command", command], dump)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try origin.cluster.sql("SELECT count(*) FROM migrated", database: live.name) == "0")
        #expect(!result.errorText.contains("db:migrate"))
    }

    @Test(
        "a dump of every release of Mastodon is known by its name and restores whole",
        arguments: ["4.2", "4.3", "4.5", "4.6"]
    )
    func everyRelease(release: String) throws {
        let origin = try Origin.get()
        let name = "of_release_\(release.replacing(".", with: "_"))"
        let source = try MastodonDatabase(origin.cluster, name: name, release: release)
        let place = try TemporaryDirectory()
        try source.writeDump(to: place.path / "dump")
        let live = try origin.makeLive("into_\(name)")
        try origin.cluster.sql("DROP DATABASE \(live.name)")
        let plan = try live.restore(["-n"], place.path / "dump")
        #expect(plan.text.contains("schema     Mastodon \(release)"), "\(plan.text) \(plan.errorText)")
        let result = try live.restore(place.path / "dump")
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.canonicalDump() == source.canonicalDump())
    }

    @Test("a migrate command that fails drops the stage and leaves the old database")
    func failing() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("migrating_not")
        let (_, dump) = try Self.older.get()
        let result = try live.restore(["--migrate-command", "echo no such gem >&2; exit 7"], dump)
        #expect(result.exitCode == 1, "\(result.errorText)")
        #expect(result.errorText.contains("exit 7: no such gem"))
        try live.expectUntouched()
    }

    @Test("Mastodon's directory says what is installed: a newer dump is refused")
    func root() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("with_root")
        let place = try TemporaryDirectory()
        for name in ["db", "db/migrate", "db/post_migrate"] { try Disk.makeDirectory(place.path / name) }
        try Disk.write(place.path / "db/migrate/20241007071624_add_something.rb", "")
        let root = place.path.description
        let refused = try live.restore(["--mastodon-root", root], origin.plain)
        #expect(refused.exitCode == 20, "\(refused.errorText)")
        #expect(refused.errorText.contains("newer than the installed Mastodon"))
        try live.expectUntouched()
        let none = try live.restore(["--mastodon-root", root + "/db"], origin.plain)
        #expect(none.exitCode == 78, "\(none.errorText)")
    }

    @Test("settings, limits and rights of the old database are those of the new one")
    func heritage() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("inherited")
        for statement in [
            "ALTER DATABASE inherited SET statement_timeout = '7s'", "ALTER DATABASE inherited CONNECTION LIMIT 42",
            "ALTER DATABASE inherited SET search_path = \"$user\", public, \"odd name\"",
            "REVOKE CONNECT ON DATABASE inherited FROM PUBLIC", "GRANT CONNECT ON DATABASE inherited TO weak",
        ] { try origin.cluster.sql(statement, user: "mastodon") }
        let facts = """
            SELECT setconfig, datconnlimit, datacl FROM pg_database d JOIN pg_db_role_setting ON setdatabase = d.oid
            WHERE datname = 'inherited'
            """
        let before = try origin.cluster.sql(facts)
        let result = try live.restore(origin.plain)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(!result.errorText.contains("does not get"))
        let after = try origin.cluster.sql(facts)
        #expect(
            Set(after.split(whereSeparator: { ",{}|".contains($0) }))
                == Set(before.split(whereSeparator: { ",{}|".contains($0) }))
        )
        #expect(before.contains("statement_timeout=7s"))
    }
}
