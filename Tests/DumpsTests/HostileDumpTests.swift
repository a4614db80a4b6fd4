import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

/// A dump is a file that somebody may have changed. For every way out of the staging database there is a dump here; each
/// must be refused with its line, by the inspection and by the reading alike.
@Suite struct HostileDumpTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let sql: String
        let reason: Refusal.Reason
        /// Lines between the beginning of the text and what is refused.
        var offset = 0

        init(_ sql: String, _ reason: Refusal.Reason, offset: Int = 0) {
            self.sql = sql
            self.reason = reason
            self.offset = offset
        }

        var testDescription: String { sql }
    }

    static let commands: [Attack] = [
        Attack("\\! touch /tmp/owned", .metaCommand),
        Attack("SELECT 1 \\! id\n;", .metaCommand),
        Attack("\\echo `id`", .metaCommand),
        Attack("\\copy public.accounts from program 'id'", .metaCommand),
        Attack("\\i /etc/passwd", .metaCommand),
        Attack("\\ir other.sql", .metaCommand),
        Attack("\\o /tmp/out", .metaCommand),
        Attack("\\w /tmp/out", .metaCommand),
        Attack("\\g |id", .metaCommand),
        Attack("\\gexec", .metaCommand),
        Attack("\\set x `id`", .metaCommand),
        Attack("\\setenv PAGER id", .metaCommand),
        Attack("\\connect postgres", .metaCommand),
        Attack("\\c postgres", .metaCommand),
        Attack("\\connect -reuse-previous=on \"dbname='postgres'\"", .metaCommand),
        Attack("\\connect \"postgres\"", .metaCommand),
        Attack("\\restrict abc", .metaCommand),
        Attack("\\restrict `id`", .metaCommand),
        Attack("\\unrestrict wrongkey", .metaCommand),
        Attack("\\unrestrict \(DumpText.restrictKey) \\! id", .metaCommand),
        Attack("\\unrestrict `id`", .metaCommand),
        Attack("\\\\", .metaCommand),
        Attack("\\", .metaCommand),
        Attack("/* \n */ \\! id", .metaCommand, offset: 1),
        Attack("-- a comment\r\\! id", .metaCommand),
        Attack("SELECT pg_catalog.setval('x', 1, true); \\! id", .metaCommand),
        Attack("\\unrestrict \(DumpText.restrictKey)\n\\! id", .metaCommand, offset: 1),
    ]

    static let statements: [Attack] = [
        Attack("COPY public.accounts FROM PROGRAM 'id';", .serverFile),
        Attack("COPY public.accounts FROM '/etc/passwd';", .serverFile),
        Attack("COPY public.accounts TO PROGRAM 'cat > /tmp/x';", .serverFile),
        Attack("COPY public.accounts TO '/tmp/x';", .serverFile),
        Attack("COPY public.accounts TO STDOUT;", .serverFile),
        Attack("COPY (SELECT 1) TO PROGRAM 'id';", .serverFile),
        Attack("COPY public.accounts (id) FROM\n PROGRAM 'id' -- stdin\n;", .serverFile),
        Attack("COPY public.accounts FROM E'/tmp/\\'x' ;", .serverFile),
        Attack("CREATE ROLE evil SUPERUSER;", .server),
        Attack("CREATE USER evil SUPERUSER;", .server),
        Attack("CREATE GROUP evil;", .server),
        Attack("ALTER ROLE postgres PASSWORD 'x';", .server),
        Attack("ALTER USER postgres PASSWORD 'x';", .server),
        Attack("DROP ROLE postgres;", .server),
        Attack("DROP OWNED BY mastodon;", .server),
        Attack("CREATE TABLESPACE evil LOCATION '/tmp';", .server),
        Attack("DROP TABLESPACE fast;", .server),
        Attack("ALTER SYSTEM SET archive_command = 'id';", .server),
        Attack("DROP DATABASE postgres;", .server, offset: 1),
        Attack("ALTER DATABASE postgres OWNER TO mastodon;", .server),
        Attack("ALTER DATABASE mastodon_production RENAME TO other;", .server),
        Attack("SET ROLE postgres;", .identity),
        Attack("SET SESSION AUTHORIZATION postgres;", .identity),
        Attack("SET LOCAL row_security = off;", .identity),
        Attack("RESET SESSION AUTHORIZATION;", .identity),
        Attack("LOAD '/tmp/evil.so';", .unknown),
        Attack("DO $$ BEGIN PERFORM 1; END $$;", .unknown),
        Attack("CALL public.anything();", .unknown),
        Attack("EXECUTE anything;", .unknown),
        Attack("CREATE EXTENSION dblink;", .extensions),
        Attack("CREATE EXTENSION IF NOT EXISTS file_fdw WITH SCHEMA public;", .extensions),
        Attack("CREATE EXTENSION plpython3u;", .extensions),
        Attack("CREATE EXTENSION adminpack;", .extensions),
        Attack("CREATE LANGUAGE plpython3u;", .language),
        Attack("CREATE OR REPLACE TRUSTED PROCEDURAL LANGUAGE evil HANDLER x;", .language),
        Attack("CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x.so', 'system';", .language),
        Attack("CREATE FUNCTION f() RETURNS int LANGUAGE 'C' AS '/lib/x.so', 'system';", .language),
        Attack("CREATE FUNCTION f() RETURNS int LANGUAGE \"c\" AS '/lib/x.so', 'system';", .language),
        Attack("CREATE FUNCTION f() RETURNS int AS 'dsin' LANGUAGE internal;", .language),
        Attack("CREATE FUNCTION f() RETURNS int AS 'dsin' LANGUAGE sql LANGUAGE internal;", .language),
        Attack("CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS $$import os$$;", .language),
        Attack("CREATE FUNCTION f() RETURNS int AS 'x';", .language),
        Attack(
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ select pg_read_file('/etc/passwd') $$;",
            .serverFunction
        ),
        Attack("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'select PG_READ_FILE(1)';", .serverFunction),
        Attack(
            "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $x$ copy t from program 'id' $x$;",
            .serverFunction
        ),
        Attack(
            "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $x$ perform dblink_connect('') $x$;",
            .serverFunction
        ),
        Attack(
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT lo_import('/x'); END;",
            .serverFunction
        ),
        Attack(
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 case; END; ALTER SYSTEM SET a = 1; END;",
            .unknown
        ),
        Attack("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC DROP TABLE x; END;", .unknown),
        Attack("CREATE TABLE t (a text DEFAULT pg_read_file('/etc/passwd'));", .serverFunction),
        Attack("CREATE TABLE t (a text DEFAULT \"pg_read_file\"('/etc/passwd'));", .serverFunction),
        Attack("CREATE TABLE t (a text DEFAULT pg_catalog./**/pg_ls_dir('/'));", .serverFunction),
        Attack("CREATE TABLE t (a text DEFAULT U&\"pg\\005fread_file\"('/etc/passwd'));", .unknown),
        Attack("CREATE VIEW v AS SELECT * FROM pg_read_binary_file('/etc/passwd');", .serverFunction),
        Attack("CREATE INDEX i ON t USING btree (lo_import(a));", .serverFunction),
        Attack("ALTER TABLE ONLY t ALTER COLUMN a SET DEFAULT lo_export(1, '/tmp/x');", .serverFunction),
        Attack("ALTER TABLE t ADD CONSTRAINT c CHECK (dblink_exec('x', 'y') = 'z');", .serverFunction),
        Attack("SELECT pg_read_file('/etc/passwd');", .serverFunction),
        Attack("SELECT lo_import('/etc/passwd');", .serverFunction),
        Attack("SELECT pg_catalog.lo_export(1, '/tmp/x');", .serverFunction),
        Attack("SELECT pg_catalog.setval('x', pg_read_file('/etc/passwd')::int, true);", .serverFunction),
        Attack("SELECT pg_catalog.setval('x', (SELECT 1), true);", .unknown),
        Attack("SELECT public.setval('x', 1, true);", .unknown),
        Attack("SELECT pg_catalog.set_config('role', 'postgres', false);", .setting),
        Attack("SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false);", .setting),
        Attack("SELECT 1;", .unknown),
        Attack("WITH x AS (DELETE FROM accounts) SELECT 1;", .unknown),
        Attack("INSERT INTO public.accounts VALUES (pg_read_file('/etc/passwd'));", .unknown),
        Attack("INSERT INTO public.accounts SELECT 1;", .unknown),
        Attack("INSERT INTO public.accounts VALUES (1) RETURNING lo_import('/x');", .unknown),
        Attack("INSERT INTO public.accounts VALUES ('a'::regclass);", .unknown),
        Attack("UPDATE public.accounts SET id = 1;", .unknown),
        Attack("UPDATE pg_catalog.pg_authid SET rolsuper = true;", .unknown),
        Attack("DELETE FROM public.accounts;", .unknown),
        Attack("TRUNCATE public.accounts;", .unknown),
        Attack("LOCK TABLE public.accounts;", .unknown),
        Attack("CREATE TABLE t AS SELECT 1;", .unknown),
        Attack("CREATE MATERIALIZED VIEW m AS SELECT 1;", .unknown),
        Attack("CREATE INDEX CONCURRENTLY i ON t USING btree (a);", .unknown),
        Attack("CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f();", .outside),
        Attack("CREATE FOREIGN DATA WRAPPER w;", .outside),
        Attack("CREATE FOREIGN TABLE t (a int) SERVER s;", .outside),
        Attack("CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;", .outside),
        Attack("CREATE USER MAPPING FOR mastodon SERVER s;", .outside),
        Attack("ALTER USER MAPPING FOR mastodon SERVER s OPTIONS (SET a 'b');", .outside),
        Attack("IMPORT FOREIGN SCHEMA public FROM SERVER s INTO x;", .outside),
        Attack("CREATE PUBLICATION p FOR ALL TABLES;", .outside),
        Attack("CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p;", .outside),
        Attack("ALTER SUBSCRIPTION s ENABLE;", .outside),
        Attack("CREATE CAST (int AS text) WITHOUT FUNCTION;", .unknown),
        Attack("CREATE TYPE t (INPUT = a, OUTPUT = b);", .unknown),
        Attack("ALTER EXTENSION plpgsql UPDATE;", .unknown),
        Attack("ALTER FUNCTION f() SUPPORT x;", .unknown),
        Attack("ALTER TABLE t SET TABLESPACE fast;", .unknown),
        Attack("BEGIN;\nCREATE SCHEMA x;", .transaction, offset: 1),
        Attack("COMMIT;", .transaction),
        Attack("ROLLBACK;", .transaction),
        Attack("START TRANSACTION;", .transaction),
        Attack("SAVEPOINT x;", .transaction),
        Attack("PREPARE TRANSACTION 'x';", .transaction),
        Attack("SET standard_conforming_strings = off;", .setting),
        Attack("SET client_encoding = 'SJIS';", .encoding),
        Attack("SET client_encoding = 'SQL_ASCII';", .encoding),
        Attack("SET session_preload_libraries = '/tmp/evil';", .setting),
        Attack("SET search_path = (SELECT 1);", .setting),
        Attack("VACUUM;", .unknown),
        Attack("NOTIFY x;", .unknown),
        Attack("LISTEN x;", .unknown),
        Attack("'quoted';", .unknown),
        Attack("(SELECT 1);", .unknown),
        // What is only seen as hostile when strings and comments end where they end for the server.
        Attack("COMMENT ON TABLE t IS 'it''s -- not'; ALTER SYSTEM SET a = 1;", .server),
        Attack("COMMENT ON TABLE t IS E'it\\'s'; ALTER SYSTEM SET a = 1;", .server),
        Attack("COMMENT ON TABLE t IS E'a' -- b\n 'c\\''; ALTER SYSTEM SET a = 1;", .server, offset: 1),
        Attack("COMMENT ON TABLE t IS 'a\\'; ALTER SYSTEM SET a = 1; -- '", .server),
        Attack("COMMENT ON TABLE t IS $a$ $b$ $$ $a$; ALTER SYSTEM SET a = 1; -- $a$", .server),
        Attack(
            "COMMENT ON TABLE t IS $e'\\'; DROP TABLE a;--';\nALTER SYSTEM SET b = 2;",
            .server,
            offset: 1
        ),
        Attack("/* /* */ ' */ ALTER SYSTEM SET a = 1; -- '", .server),
        Attack("COMMENT ON TABLE \"a;\"\"b\" IS NULL; ALTER SYSTEM SET a = 1;", .server),
        Attack("-- comment\rALTER SYSTEM SET a = 1;", .server),
    ]

    private func text(_ attack: Attack) -> (text: String, line: Int) {
        var dump = DumpText()
        dump.extra = "\n\n" + attack.sql + "\n"
        let text = dump.text()
        let start = text.firstRange(of: dump.extra)?.lowerBound ?? text.startIndex
        return (text, text[..<start].utf8.count { $0 == 0x0A } + 3 + attack.offset)
    }

    @Test("every way out is refused, by its line", arguments: commands + statements)
    func refused(attack: Attack) throws {
        let (text, line) = text(attack)
        let inspection: DumpInspection
        do {
            inspection = try DumpReading.inspection(text)
        } catch {
            // Reading may also end there: nothing behind it is run either.
            let error = DumpReading.elements(Array(text.utf8)).error
            #expect(error?.code == .refused)
            return
        }
        let first = try #require(inspection.databases.first?.vetting.firstRefusal)
        #expect(first.reason == attack.reason, "\(first)")
        #expect(first.line == line, "\(first)")
        let reading = DumpReading.elements(Array(text.utf8))
        #expect(reading.error?.code == .refused)
        #expect(reading.error?.what == "line \(line) of the dump is refused")
        #expect(!reading.elements.contains { $0.contains("SYSTEM") || $0.contains("PROGRAM") || $0.contains("\\!") })
    }

    @Test("rows that look like commands are rows", arguments: commands + statements)
    func rows(attack: Attack) throws {
        let row = attack.sql.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
        let dump = DumpText(accountRows: "1\t\(row)\t\\N\n2\t\\.\t\\N\n\(row)\n")
        let inspection = try DumpReading.inspection(dump.text())
        #expect(inspection.databases.first?.vetting.refusals == [])
        #expect(inspection.databases.first?.tables[TableName("accounts")]?.rows == 3)
    }

    @Test("texts of INSERT that look like commands are texts", arguments: commands + statements)
    func texts(attack: Attack) throws {
        var dump = DumpText(usesInserts: true)
        dump.extra = "INSERT INTO public.accounts VALUES (1, '\(attack.sql.replacing("'", with: "''"))', NULL);\n"
        let inspection = try DumpReading.inspection(dump.text())
        #expect(inspection.databases.first?.vetting.refusals == [])
        #expect(inspection.databases.first?.tables[TableName("accounts")]?.rows == 3)
    }

    @Test(
        "in the databases of a cluster roles and databases are refused, outside of them left out",
        arguments: [
            "CREATE ROLE evil SUPERUSER;", "ALTER ROLE postgres SUPERUSER;", "CREATE DATABASE evil;",
            "DROP DATABASE postgres;",
        ]
    )
    func cluster(sql: String) throws {
        var dump = DumpText()
        dump.extra = sql + "\n"
        let inside = try DumpReading.inspection(DumpText.cluster([("mastodon", dump)]), kind: .cluster)
        #expect(inside.databases.last?.vetting.firstRefusal?.reason == .server)
        let outside = try DumpReading.inspection(
            DumpText.cluster([("mastodon", DumpText())], outside: sql + "\n"),
            kind: .cluster
        )
        #expect(outside.databases.last?.vetting.refusals == [] && outside.outside.refusals == [])
    }

    @Test(
        "what belongs to no database of a cluster may do nothing but what is left out",
        arguments: [
            "ALTER SYSTEM SET a = 1;", "\\! id", "CREATE TABLE t (a int);", "COPY t FROM stdin;\n1\n\\.",
            "SELECT pg_catalog.setval('x', 1, true);", "INSERT INTO t VALUES (1);",
            "CREATE USER MAPPING FOR a SERVER b;",
        ]
    )
    func outside(sql: String) throws {
        let text = DumpText.cluster([("mastodon", DumpText())], outside: sql + "\n")
        let inspection = try DumpReading.inspection(text, kind: .cluster)
        #expect(inspection.outside.refusals.count == 1)
        let error = DumpReading.elements(Array(text.utf8), kind: .cluster, database: "mastodon").error
        #expect(error?.code == .refused)
    }

    @Test("a dump may connect again to the database it is in: it does so behind its properties")
    func connectingAgain() throws {
        var dump = DumpText(isRestricted: false, createsDatabase: "mastodon")
        dump.extra = "ALTER DATABASE mastodon SET work_mem = '1GB';\n\\connect mastodon\n"
        #expect(DumpReading.elements(Array(dump.text().utf8)).error == nil)
        let text = DumpText.cluster([("mastodon", dump)])
        #expect(DumpReading.elements(Array(text.utf8), kind: .cluster, database: "mastodon").error == nil)
        #expect(try DumpReading.inspection(text, kind: .cluster).databases.map(\.name) == ["template1", "mastodon"])
    }

    @Test("a database of a cluster is begun once, and only between databases")
    func connecting() throws {
        var dump = DumpText(isRestricted: false)
        dump.extra = "\\connect other\n"
        let twice = DumpText.cluster([("mastodon", DumpText()), ("mastodon", DumpText())])
        for text in [DumpText.cluster([("mastodon", dump)]), twice] {
            let error = DumpReading.elements(Array(text.utf8), kind: .cluster, database: "mastodon").error
            #expect(error?.code == .refused)
        }
    }

    @Test("a second dump behind the first is refused")
    func concatenated() {
        let text = DumpText().text() + DumpText().text()
        let error = DumpReading.elements(Array(text.utf8)).error
        #expect(error?.code == .unusable || error?.code == .refused)
    }

    @Test("refusals are kept to twenty and counted to the last; their texts are escaped and short")
    func manyRefusals() throws {
        var dump = DumpText()
        dump.extra = String(
            repeating: "ALTER SYSTEM SET \"\u{1B}[2J\" = '\(String(repeating: "x", count: 500))';\n",
            count: 100
        )
        let vetting = try #require(try DumpReading.inspection(dump.text()).databases.first?.vetting)
        #expect(vetting.refusals.count == 20 && vetting.refused == [.server: 100])
        for refusal in vetting.refusals {
            #expect(refusal.text.utf8.count < 200 && refusal.text.contains("\\x1b[2J"))
        }
    }
}
