import MediaModel
import Testing

@testable import Restoring

/// The names of databases beside the live one, and what is read from them.
@Suite struct NameTests {
    private let run = RunID(secondsSince1970: 1_790_000_000, random: 0xABCD)

    @Test(
        "a stage and a previous database are known again by their names, whatever the live one is called",
        arguments: [
            "mastodon_production", "m", "ünïcødé 🐘", String(repeating: "x", count: 63),
            String(repeating: "é", count: 31),
        ]
    )
    func names(live: String) {
        let names = DatabaseNames(live: live)
        for (name, read) in [
            (names.stage(of: run), names.runOfStage(names.stage(of: run))),
            (names.previous(before: run), names.runOfPrevious(names.previous(before: run))),
        ] {
            #expect(name.utf8.count <= 63)
            #expect(read == run)
        }
        #expect(names.runOfStage(names.previous(before: run)) == nil)
        #expect(names.runOfStage(live) == nil)
    }

    @Test(
        "names that only look like it are nobody's",
        arguments: [
            "m_stage_", "m_stage_20261123", "m_stage_x", "other_stage_20260921-141320-0000abcd",
            "m_stage_20260921-141320-0000abcdx",
        ]
    )
    func strangers(name: String) {
        #expect(DatabaseNames(live: "m").runOfStage(name) == nil)
    }

    @Test("a stage has the comment of its run or none yet; a previous one has the comment")
    func comments() {
        #expect(DatabaseComment.isStage(DatabaseComment.stage(run), of: run))
        #expect(DatabaseComment.isStage(nil, of: run))
        #expect(!DatabaseComment.isStage("my own", of: run))
        #expect(DatabaseComment.isPrevious(DatabaseComment.previous(run), of: run))
        #expect(!DatabaseComment.isPrevious(nil, of: run))
        let dump = RestoredDump(madeAt: 1_790_000_000, source: .header)
        let comment = DatabaseComment.previous(run, dump: dump)
        #expect(DatabaseComment.isPrevious(comment, of: run))
        #expect(!DatabaseComment.isPrevious(comment.replacing("; ", with: " and "), of: run))
        #expect(RestoredDump(comment: comment) == dump)
    }

    @Test("the row that the server names is found in the dump, though pieces went to several connections")
    func origins() {
        var origins = RowOrigins()
        origins.add(firstRow: 1, line: 100)
        origins.add(firstRow: 11, line: 500)
        #expect(origins.line(ofRow: 1) == 100)
        #expect(origins.line(ofRow: 10) == 109)
        #expect(origins.line(ofRow: 11) == 500)
        #expect(origins.line(in: "COPY statuses, line 13, column text") == 502)
        #expect(origins.line(in: "COPY statuses") == nil)
        #expect(origins.line(in: "SQL function \"f\"") == nil)
        #expect(origins.line(ofRow: 0) == nil)
    }

    @Test("a dump's migrations are compared as sets with those of the installed Mastodon")
    func migrations() throws {
        let installed: Set = ["20250101000000", "20260101000000"]
        #expect(try RestoreGuards.compare(installed, installed: installed) == .same)
        #expect(try RestoreGuards.compare(["20250101000000"], installed: installed) == .needed(1))
        #expect(try RestoreGuards.compare(installed.union(["20250601000000"]), installed: installed) == .same)
        #expect(try RestoreGuards.compare([], installed: nil) == .unknown)
        #expect(throws: SyncError.self) { try RestoreGuards.compare(["20260101000001"], installed: installed) }
    }
}
