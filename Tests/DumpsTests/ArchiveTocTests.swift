import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

@Suite struct ArchiveTocTests {
    static let list = """
        ;
        ; Archive created at 2026-11-24 07:28:03 UTC
        ;     dbname: mastodon_production
        ;     TOC Entries: 1092
        ;     Format: CUSTOM
        ;
        ; Selected TOC Entries:
        ;

        """

    @Test(
        "what becomes of an entry",
        arguments: [
            ("432; 1255 16386 FUNCTION public timestamp_id(text) mastodon", "FUNCTION", .use),
            ("431; 1259 18440 TABLE public Odd \"Name postgres", "TABLE", .use),
            ("5; 0 18440 TABLE DATA public accounts mastodon", "TABLE DATA", .use),
            ("5; 0 0 SEQUENCE OWNED BY public accounts_id_seq mastodon", "SEQUENCE OWNED BY", .use),
            ("5; 0 0 MATERIALIZED VIEW DATA public instances mastodon", "MATERIALIZED VIEW DATA", .use),
            ("5; 2606 1 FK CONSTRAINT public statuses fk_9bda1543f7 mastodon", "FK CONSTRAINT", .use),
            ("5; 1259 1 TABLE public DATA mastodon", "TABLE", .use),
            ("5; 0 0 COMMENT public INDEX accounts_pkey mastodon", "COMMENT", .use),
            ("5; 0 0 COMMENT - EXTENSION plpgsql ", "COMMENT", .leftOut(.extensionComment)),
            ("5; 0 0 COMMENT - SCHEMA public postgres", "COMMENT", .leftOut(.publicSchema)),
            ("5; 0 0 COMMENT - DATABASE mastodon postgres", "COMMENT", .leftOut(.database)),
            ("5; 2615 1 SCHEMA - public postgres", "SCHEMA", .leftOut(.publicSchema)),
            ("5; 2615 1 SCHEMA - extra postgres", "SCHEMA", .use),
            ("5; 3079 1 EXTENSION - plpgsql ", "EXTENSION", .leftOut(.serverExtension)),
            ("5; 3079 1 EXTENSION - pg_stat_statements ", "EXTENSION", .leftOut(.serverExtension)),
            ("5; 3079 1 EXTENSION - pg_trgm ", "EXTENSION", .use),
            ("5; 3079 1 EXTENSION - dblink ", "EXTENSION", .refused(.extensions)),
            ("5; 0 0 ACL public TABLE accounts mastodon", "ACL", .leftOut(.privilege)),
            ("5; 826 1 DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES postgres", "DEFAULT ACL", .leftOut(.privilege)),
            ("5; 2613 1 BLOB - 1234 postgres", "BLOB", .leftOut(.largeObject)),
            ("5; 0 0 BLOBS - BLOBS ", "BLOBS", .leftOut(.largeObject)),
            ("5; 2612 1 PROCEDURAL LANGUAGE - plpgsql ", "PROCEDURAL LANGUAGE", .leftOut(.serverExtension)),
            ("5; 2612 1 PROCEDURAL LANGUAGE - plpython3u ", "PROCEDURAL LANGUAGE", .refused(.language)),
            ("5; 1417 1 SERVER - elsewhere postgres", "SERVER", .refused(.outside)),
            ("5; 0 0 USER MAPPING - USER MAPPING mastodon SERVER x postgres", "USER MAPPING", .refused(.outside)),
            ("5; 6104 1 PUBLICATION - p postgres", "PUBLICATION", .refused(.outside)),
            ("5; 6106 1 PUBLICATION TABLE public p accounts postgres", "PUBLICATION TABLE", .refused(.outside)),
            ("5; 6100 1 SUBSCRIPTION - s postgres", "SUBSCRIPTION", .refused(.outside)),
            ("5; 3466 1 EVENT TRIGGER - e postgres", "EVENT TRIGGER", .refused(.outside)),
            ("5; 2605 1 CAST - CAST (integer AS text) ", "CAST", .refused(.unknown)),
            ("5; 1 1 NOVELTY public x postgres", "NOVELTY", .refused(.unknown)),
        ] as [(String, String, ArchiveToc.Verdict)]
    )
    func verdicts(line: String, descriptor: String, verdict: ArchiveToc.Verdict) throws {
        let toc = try ArchiveToc(list: Array((Self.list + line + "\n").utf8))
        let entry = try #require(toc.entries.first)
        #expect(toc.entries.count == 1 && entry.descriptor == descriptor && entry.verdict == verdict)
        #expect(toc.database == "mastodon_production" && toc.createdAt == "2026-11-24 07:28:03 UTC")
        switch verdict {
        case .use: #expect(try toc.vettedList() == Array("\(entry.id);\n".utf8))
        case .leftOut: #expect(try toc.vettedList() == [])
        case .refused(let reason):
            let error = #expect(throws: SyncError.self) { _ = try toc.vettedList() }
            #expect(error?.code == .refused && error?.what == "entry \(entry.id) of the archive is refused")
            #expect(toc.refusals.map(\.reason) == [reason])
        }
    }

    @Test(
        "a line that cannot be read is no list of an archive",
        arguments: ["x", "5", "5;", "-1; 0 0 TABLE public a b", "5; a b TABLE public a b", "5; 1 TABLE public a"]
    )
    func unreadable(line: String) {
        let error = #expect(throws: SyncError.self) { _ = try ArchiveToc(list: Array((Self.list + line + "\n").utf8)) }
        #expect(error?.code == .unusable)
    }

    @Test("names in a list are escaped before they are shown")
    func escaping() throws {
        let toc = try ArchiveToc(list: Array("5; 1417 1 SERVER - a\u{1B}[2J postgres\n".utf8))
        #expect(toc.refusals.first?.text == "SERVER a\\x1b[2J postgres")
    }
}
