import MediaModel
import MediasyncTesting
import Testing

/// R2, R3, R5, R8: what is broken, hostile or somebody else's is refused before anything is made.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct BrokenDumpTests {
    /// Runs a changed plain dump and expects the exit code, with nothing touched.
    private func expectRefused(
        _ name: String,
        code: Int32,
        says words: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation,
        change: (inout String) throws -> Void
    ) throws {
        let origin = try Origin.get()
        let live = try origin.makeLive(name)
        let place = try TemporaryDirectory()
        let dump = place.path / "dump.sql"
        var text = try origin.plainText()
        try change(&text)
        try Disk.write(dump, text)
        let result = try live.restore(dump)
        #expect(result.exitCode == code, "\(result.errorText)", sourceLocation: sourceLocation)
        for word in words {
            #expect(result.errorText.contains(word), "\(result.errorText)", sourceLocation: sourceLocation)
        }
        try live.expectUntouched(sourceLocation: sourceLocation)
    }

    @Test("a dump that was cut anywhere is refused", arguments: [0, 1, 5, 30, 60, 90, 97, 99])
    func cut(percent: Int) throws {
        try expectRefused("cut_\(percent)", code: 10) { text in
            let bytes = Array(text.utf8)
            text = String(decoding: bytes.prefix(bytes.count * percent / 100), as: UTF8.self)
        }
    }

    @Test("a dump without its last lines, with a hole, or of zeros alone is refused")
    func holes() throws {
        try expectRefused("no_trailer", code: 10) { text in
            text = text.replacing("-- PostgreSQL database dump complete", with: "--")
        }
        try expectRefused("zeros", code: 10) { $0 = String(repeating: "\0", count: 100_000) }
        try expectRefused("hole", code: 10) { text in
            var bytes = Array(text.utf8)
            for index in bytes.count / 2..<bytes.count / 2 + 4096 { bytes[index] = 0 }
            text = String(decoding: bytes, as: UTF8.self)
        }
    }

    /// One line put into the dump, before its first table.
    static let waysOut: [(String, String)] = [
        ("shell", "\\! touch PLACE/hacked"),
        ("backtick", "\\set x `touch PLACE/hacked`"),
        ("unrestrict", "\\unrestrict x\n\\! touch PLACE/hacked"),
        ("program_out", "COPY (SELECT 1) TO PROGRAM 'touch PLACE/hacked';"),
        ("program_in", "CREATE TABLE p (a text); COPY p FROM PROGRAM 'touch PLACE/hacked';"),
        ("file_out", "COPY (SELECT 1) TO 'PLACE/hacked';"),
        ("include", "\\i PLACE/other.sql"),
        ("output", "\\o PLACE/hacked"),
        ("connect", "\\connect postgres\nDROP TABLE keep;"),
        ("set_role", "SET ROLE postgres;"),
        ("authorization", "SET SESSION AUTHORIZATION postgres;"),
        ("role", "CREATE ROLE hacked SUPERUSER;\nALTER ROLE mastodon SUPERUSER;\nSELECT pg_read_file('/etc/passwd');"),
        ("system", "ALTER SYSTEM SET log_statement = 'all';"),
        ("load", "LOAD 'PLACE/x.so';"),
        ("language", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc.so.6', 'system';"),
        ("do", "DO $$ BEGIN EXECUTE 'CREATE ROLE hacked'; END $$;"),
        ("select", "SELECT lo_import('/etc/passwd');"),
        ("commit", "COMMIT; DROP DATABASE keep;"),
    ]

    @Test("a dump that would reach outside is refused by its line, and nothing of it runs", arguments: waysOut)
    func hostile(name: String, line: String) throws {
        let origin = try Origin.get()
        try origin.cluster.sql("DO $$ BEGIN CREATE TABLE IF NOT EXISTS keep (a int); END $$")
        let place = try TemporaryDirectory()
        try Disk.setMode(place.path, 0o777)
        let roles = try origin.cluster.sql("SELECT string_agg(rolname || rolsuper, ',' ORDER BY 1) FROM pg_roles")
        var number = 0
        try expectRefused("hostile_\(name)", code: 20, says: ["line "]) { text in
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let at = lines.firstIndex { $0.hasPrefix("CREATE TABLE") } ?? 0
            number = at + 1
            lines.insert(line.replacing("PLACE", with: place.path.description), at: at)
            text = lines.joined(separator: "\n")
        }
        #expect(number > 1)
        #expect(!Disk.exists(place.path / "hacked"))
        #expect(try origin.cluster.sql("SELECT string_agg(rolname || rolsuper, ',' ORDER BY 1) FROM pg_roles") == roles)
        #expect(try origin.cluster.sql("SELECT count(*) FROM keep") == "0")
    }

    @Test("a function of the dump that tries to become somebody else has no power to do it")
    func escapes() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("escaping")
        let place = try TemporaryDirectory()
        let dump = place.path / "dump.sql"
        let function = """
            CREATE FUNCTION public.climb(a bigint) RETURNS boolean LANGUAGE plpgsql AS $_$
            BEGIN EXECUTE 'RESET ' || 'ROLE'; EXECUTE 'CREATE RO' || 'LE hacked'; RETURN true; END $_$;
            ALTER TABLE public.favourites ADD CONSTRAINT climb CHECK (public.climb(id));
            """
        let text = try origin.plainText()
        let mark = text.firstRange(of: "COPY public.favourites ")?.lowerBound ?? text.startIndex
        try Disk.write(dump, text[..<mark] + function + "\n" + text[mark...])
        let result = try live.restore(dump)
        #expect(result.exitCode != 0)
        #expect(try origin.cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'hacked'") == "0")
        try live.expectUntouched("\(result.errorText)")
    }

    @Test("a dump of another database is refused by what it lacks")
    func anotherDatabase() throws {
        let origin = try Origin.get()
        try origin.cluster.sql("CREATE DATABASE stranger")
        try origin.cluster.sql("CREATE TABLE t AS SELECT 1 AS a", database: "stranger")
        let place = try TemporaryDirectory()
        let dump = place.path / "dump"
        try MastodonDatabase(existing: origin.cluster, name: "stranger").writeDump(to: dump)
        let live = try origin.makeLive("another")
        let result = try live.restore(dump)
        #expect(result.exitCode == 13, "\(result.errorText)")
        try live.expectUntouched()
    }

    @Test("settings of newer servers do no harm; a dump of a server that nobody knows is refused")
    func newerServer() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("newer_setting")
        let place = try TemporaryDirectory()
        let dump = place.path / "dump.sql"
        let text = try origin.plainText()
        try Disk.write(
            dump,
            text.replacing("SET lock_timeout = 0;", with: "SET lock_timeout = 0;\nSET transaction_timeout = 0;")
        )
        let result = try live.restore(dump)
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectRefused("newer_server", code: 20, says: ["PostgreSQL 27"]) { text in
            text = text.replacing("-- Dumped from database version 15", with: "-- Dumped from database version 27")
        }
    }

    @Test("a dump of a newer Mastodon than the installed one is refused, one of an older one is told what to do")
    func versions() throws {
        try expectRefused("newer_mastodon", code: 20, says: ["newer than the installed Mastodon"]) { text in
            text = text.replacing(
                "COPY public.schema_migrations (version) FROM stdin;\n",
                with: "COPY public.schema_migrations (version) FROM stdin;\n29990101000000\n"
            )
        }
        let origin = try Origin.get()
        let older = try MastodonDatabase(origin.cluster, name: "origin_43", release: "4.3")
        let place = try TemporaryDirectory()
        let dump = place.path / "dump"
        try older.writeDump(to: dump)
        let live = try origin.makeLive("older_mastodon")
        let result = try live.restore(dump)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.errorText.contains("db:migrate"))
    }
}
