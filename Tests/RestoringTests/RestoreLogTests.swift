import MediaModel
import Testing

@testable import Restoring

/// What pg_restore says, and what is made of it.
@Suite struct RestoreLogTests {
    private func read(_ text: String) -> (events: [RestoreLog.Event], log: RestoreLog) {
        var log = RestoreLog()
        let events = text.split(separator: "\n").compactMap { log.take(Array($0.utf8)) }
        return (events, log)
    }

    @Test("the words of all releases that say what is done")
    func events() {
        let (events, log) = read(
            """
            pg_restore: connecting to database for restore
            pg_restore: processing item 3500 ENCODING ENCODING
            pg_restore: creating TABLE "public.accounts"
            pg_restore: entering main parallel loop
            pg_restore: launching item 4567 TABLE DATA accounts
            pg_restore: processing data for table "public.accounts"
            pg_restore: finished item 4567 TABLE DATA accounts
            pg_restore: finished main parallel loop
            pg_restore: executing SEQUENCE SET accounts_id_seq
            pg_restore: creating FK CONSTRAINT "public.statuses fk_1"
            pg_restore: launching item x
            pg_restore: creating nothing
            """
        )
        #expect(
            events == [
                .processing(3500), .working("TABLE public.accounts"), .loopBegins, .launched(4567),
                .working("TABLE DATA public.accounts"), .finished(4567), .loopEnds,
                .working("SEQUENCE SET accounts_id_seq"), .working("FK CONSTRAINT public.statuses fk_1"),
            ]
        )
        #expect(log.errors.isEmpty && log.last == "creating nothing")
    }

    @Test("a failure names the entry, the reason and the row, with everything escaped")
    func failure() {
        let error = read(
            """
            pg_restore: while PROCESSING TOC:
            pg_restore: from TOC entry 4567; 0 16500 TABLE DATA accou\u{1B}nts mastodon
            pg_restore: error: COPY failed for table "accounts": ERROR:  invalid input syntax for type bigint: "a"
            CONTEXT:  COPY accounts, line 3, column id: "a"
            pg_restore: from TOC entry 1; 0 0 OTHER
            pg_restore: error: another
            """
        ).log.error
        #expect(error.code == .database && error.retry == .abortStage)
        #expect(
            error.what == "cannot load the archive's entry 4567; 0 16500 TABLE DATA accou\\x1bnts mastodon"
        )
        #expect(
            error.why
                == "COPY failed for table \"accounts\": ERROR:  invalid input syntax for type bigint: \"a\"; "
                + "COPY accounts, line 3, column id: \"a\""
        )
    }

    @Test(
        "what the failure means",
        arguments: [
            ("pg_restore: error: could not extend file: No space left on device", .exhausted, "No space"),
            ("pg_restore: error: server closed the connection unexpectedly", .database, "the connection was lost"),
            ("FATAL:  terminating connection due to administrator command", .database, "the connection was lost"),
            ("something else", .database, "something else"), ("", .database, "ended by a signal"),
        ] as [(String, SyncError.Code, String)]
    )
    func meaning(line: String, code: SyncError.Code, word: String) {
        let error = read(line).log.error
        #expect(error.code == code && error.what == "cannot load the archive")
        #expect(error.why?.contains(word) == true, "\(error)")
    }

    @Test("what is kept of endless errors is bounded")
    func bounds() {
        var log = RestoreLog()
        for number in 0..<10_000 {
            _ = log.take(Array("pg_restore: error: \(number) \(String(repeating: "x", count: 4000))".utf8))
        }
        #expect(log.errors.count == 3 && log.errors.allSatisfy { $0.utf8.count <= 400 })
        #expect((log.last?.utf8.count ?? 0) <= 400)
    }
}
