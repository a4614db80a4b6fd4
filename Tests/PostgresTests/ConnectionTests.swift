import MediaModel
import MediasyncTesting
import Pacing
import Testing

@testable import Postgres

/// The adapter against a real server.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct ConnectionTests {
    @Test("a statement that was started is answered later; one that fails is told then, and the session goes on")
    func startedStatement() throws {
        let connection = try Server.connect()
        try connection.start("SELECT n, n = 2, 'text ' || n, NULL FROM generate_series($1::int, 3) n", [.integer(1)])
        let rows = try connection.finish()
        #expect(rows.map { $0.integer(0) } == [1, 2, 3])
        #expect(rows.map { $0.isTrue(1) } == [false, true, false])
        #expect(rows.map { $0.text(2) } == ["text 1", "text 2", "text 3"])
        #expect(rows.allSatisfy { $0.isNull(3) && $0.integer(3) == nil && $0.text(3) == nil })
        try connection.start("SELECT 1 / 0")
        #expect(throws: DatabaseFault.self) { _ = try connection.finish() }
        #expect(try connection.query("SELECT 7").only?.integer == 7)
    }

    @Test("rows come back as the server wrote them, NULL apart from an empty text")
    func rows() throws {
        let connection = try Server.connect()
        let rows = try connection.query(
            "SELECT $1::bigint + 1 AS a, $2::text AS b, $3::text AS c, $4::boolean AS d, $5::bytea AS e",
            [.integer(41), .text("it's; DROP TABLE \"x\" \\"), .null, .boolean(true), .bytes([0, 255, 39])]
        )
        #expect(rows.columns == ["a", "b", "c", "d", "e"])
        #expect(rows.count == 1)
        #expect(rows[0][0].integer == 42)
        #expect(rows[0][1].text == "it's; DROP TABLE \"x\" \\")
        #expect(rows[0][2].isNull)
        #expect(rows[0][3].boolean == true)
        #expect(rows[0][4].text == "\\x00ff27")
        #expect(connection.serverVersion >= 120_000)
    }

    @Test("a batch of values travels as one array, with quotes, backslashes, commas, braces and NULL")
    func arrays() throws {
        let connection = try Server.connect()
        // A combining mark makes one character of a quote and itself; the server reads bytes.
        let texts: [String?] = [
            "a,b", "{x}", "q\"uote", "back\\slash", "", nil, "NULL", "ü\u{301}", "\"\u{301},\"", "\\\u{301}",
        ]
        let rows = try connection.query(
            "SELECT n, t FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS u (n, t, i) ORDER BY i",
            [.integers(Array(1...10)), .texts(texts)]
        )
        #expect(rows.map { $0[0].integer } == (1...10).map { Int64($0) })
        #expect(rows.map { $0[1].text } == texts)
        #expect(try connection.query("SELECT $1::text[] = '{}'", [.texts([])]).only?.boolean == true)
    }

    @Test("names and literals mean what they say, whatever they contain")
    func quoting() throws {
        let connection = try Server.makeDatabase("quoting")
        let names = ["plain", "with \"quote\"", "semi; colon", "new\nline", "back\\slash", "it's", "ü\u{301}\"\u{301}"]
        for name in names {
            try connection.execute("CREATE TABLE \(SQL.qualified("public", name)) (a int)")
            for setting in ["on", "off"] {
                try connection.execute("SET standard_conforming_strings = \(setting)")
                #expect(try connection.query("SELECT \(SQL.literal(name))").only?.text == name)
            }
        }
        let found = try connection.query(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        #expect(Set(found.compactMap { $0[0].text }) == Set(names))
        #expect(SQL.identifier("nul\0byte") == "\"nulbyte\"")
    }

    @Test("rows that are copied in arrive, piece by piece as they were cut")
    func copy() throws {
        let connection = try Server.makeDatabase("copying")
        try connection.execute("CREATE TABLE t (a bigint, b text)")
        var copy = try connection.copyIn("COPY t FROM STDIN")
        for piece in ["1\ton", "e\n2\ttw\\no\n", "", "3\t\\N\n"] {
            try copy.put(Array(piece.utf8))
        }
        #expect(try copy.finish() == 3)
        #expect(
            try connection.query("SELECT string_agg(coalesce(b, '-'), ',' ORDER BY a) FROM t").only?.text
                == "one,tw\no,-"
        )
        #expect(connection.isAlive)
    }

    @Test("a row that does not fit fails the whole copy, with the column and without the value")
    func copyOfWrongRows() throws {
        let connection = try Server.makeDatabase("wrong_rows")
        try connection.execute("CREATE TABLE t (a bigint)")
        var copy = try connection.copyIn("COPY t FROM STDIN")
        try copy.put(Array("1\nsecret\n".utf8))
        for _ in 0..<16 { try copy.put(Array(String(repeating: "2\n", count: 1 << 19).utf8)) }
        do throws(DatabaseFault) {
            _ = try copy.finish()
            Issue.record("taken")
        } catch {
            #expect(error.kind == .badData)
            #expect(error.context == "COPY t, line 2, column a")
        }
        #expect(try connection.query("SELECT count(*) FROM t").only?.integer == 0)
    }

    @Test("an aborted copy leaves no row and a session that works, and so does one that is let go")
    func abortedCopy() throws {
        let connection = try Server.makeDatabase("aborted")
        try connection.execute("CREATE TABLE t (a bigint)")
        for aborts in [true, false] {
            var copy = try connection.copyIn("COPY t FROM STDIN")
            try copy.put(Array("1\n".utf8))
            if aborts { copy.abort(because: "test") } else { _ = consume copy }
            #expect(try connection.query("SELECT count(*) FROM t").only?.integer == 0)
        }
    }

    @Test("a COPY where none was expected is an error, not a hang")
    func unexpectedCopy() throws {
        let connection = try Server.connect()
        #expect(throws: DatabaseFault.self) { try connection.execute("COPY pg_class TO STDOUT") }
        #expect(throws: DatabaseFault.self) {
            try Server.connect().execute("CREATE TEMP TABLE t (a int); COPY t FROM STDIN")
        }
    }

    @Test("a NUL byte in a statement is refused: what follows it would be lost")
    func nul() throws {
        let connection = try Server.connect()
        #expect(throws: DatabaseFault.self) { try connection.query(bytes: Array("SELECT 1;\0 DROP".utf8)) }
        #expect(throws: DatabaseFault.self) { try connection.query(bytes: Array("SELECT 1; SELECT 2".utf8)) }
        #expect(try connection.query(bytes: Array("SELECT 'ü'".utf8)).only?.text == "ü")
        #expect(throws: DatabaseFault.self) { try connection.query(bytes: [0x53, 0xFF]) }
    }

    @Test("a transaction whose body fails is rolled back")
    func rollback() throws {
        let connection = try Server.makeDatabase("rollback")
        #expect(throws: DatabaseFault.self) {
            try connection.transaction { () throws(DatabaseFault) in
                try connection.execute("CREATE TABLE t (a int)")
                try connection.execute("SELECT 1/0")
            }
        }
        #expect(try connection.query("SELECT to_regclass('t') IS NULL").only?.boolean == true)
    }

    @Test("errors of the server are told apart by their class")
    func faults() throws {
        let connection = try Server.makeDatabase("faults")
        try connection.execute("CREATE TABLE t (a int PRIMARY KEY); CREATE ROLE nobody_here LOGIN")
        let rows: [(String, DatabaseFault.Kind, SyncError.Code)] = [
            ("SELECT * FROM missing", .missing, .database),
            ("INSERT INTO t VALUES (1), (1)", .violated, .database),
            ("SELECT 'x'::int", .badData, .database),
            ("SELEC 1", .badStatement, .database),
            ("CREATE TABLE t (a int)", .exists, .database),
            ("SET ROLE nobody_here; SELECT * FROM t", .forbidden, .database),
            ("RESET ROLE; SET statement_timeout = 1; SELECT pg_sleep(10)", .cancelled, .database),
        ]
        for (statement, kind, code) in rows {
            do throws(DatabaseFault) {
                try connection.execute(statement)
                Issue.record("\(statement) went through")
            } catch {
                #expect(error.kind == kind, "\(statement): \(error)")
                #expect(error.syncError("x").code == code)
            }
        }
        #expect(throws: DatabaseFault.self) { try Server.connect("no_such_database") }
        do throws(DatabaseFault) { _ = try connection.query("SELECT 1; SELECT 2") } catch {
            #expect(error.kind == .badStatement)
        }
    }

    @Test("a server that is not there is unreachable, and a role that is not there denied")
    func unreachable() throws {
        var settings = try Server.settings()
        settings.host = "/nonexistent"
        do throws(DatabaseFault) {
            _ = try Connection(settings, application: "test")
            Issue.record("connected")
        } catch {
            #expect(error.kind == .unreachable)
            #expect(error.syncError("x").code.exitStatus == .databaseUnreachable)
        }
        settings = try Server.settings(user: "nobody at all")
        do throws(DatabaseFault) {
            _ = try Connection(settings, application: "test")
            Issue.record("connected")
        } catch {
            #expect(error.kind == .denied)
        }
    }

    @Test("another thread cancels a statement, and the session lives on; severed, it is lost")
    func cancelling() async throws {
        let connection = try Server.connect()
        let canceller = connection.canceller
        let watch = try Server.connect()
        let pid = Int64(connection.processID)
        let busy =
            "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%pg_sleep%' AND state = 'active'"
        // A thread of its own: the cooperative pool may be full of tests that wait for programs.
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        for severs in [false, true] {
            let thread = Task(executorPreference: pool) {
                // Asked until it is seen at work: a cancel that comes before the statement has no effect.
                while !Task.isCancelled {
                    if severs { canceller.sever() } else { canceller.cancel() }
                    RunningProgram.pause(milliseconds: 20)
                }
            }
            do throws(DatabaseFault) {
                try connection.execute("SELECT pg_sleep(60)")
                Issue.record("slept")
            } catch {
                #expect(error.kind == (severs ? .lost : .cancelled), "\(error)")
            }
            thread.cancel()
            _ = await thread.result
            #expect(connection.isAlive == !severs)
        }
        // The server does not look for a client while it sleeps: what is cut off is ended by its number.
        _ = try watch.query("SELECT pg_terminate_backend($1)", [.integer(pid)])
        #expect(RunningProgram.eventually { (try? watch.query(busy, [.integer(pid)]).only?.integer) == 0 })
        canceller.cancel()
        canceller.sever()
    }

    @Test("notices are counted, not printed")
    func notices() throws {
        let connection = try Server.connect()
        try connection.execute("DO $$ BEGIN FOR i IN 1..7 LOOP RAISE NOTICE 'x'; END LOOP; END $$")
        #expect(connection.notices == 7)
    }
}
