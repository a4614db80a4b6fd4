import Dumps
import MediaModel
import Testing

@testable import Restoring

/// R7: which collation a stage gets, and what is told of it.
@Suite struct StageLocaleTests {
    private static let plain = DatabaseLocale(collate: "C", ctype: "C")
    private static let english = DatabaseLocale(collate: "en_US.UTF-8", ctype: "en_US.UTF-8")
    private static let german = DatabaseLocale(provider: .icu, collate: "C", ctype: "C", name: "de-AT")

    private func live(_ locale: DatabaseLocale) -> DatabaseFacts {
        let provider = [.libc: "c", .icu: "i", .builtin: "b"][locale.provider] ?? "c"
        return DatabaseFacts(
            number: 1,
            name: "mastodon",
            owner: "mastodon",
            encoding: "UTF8",
            collate: locale.collate,
            ctype: locale.ctype,
            provider: provider,
            providerLocale: locale.name,
            allowsConnections: true
        )
    }

    @Test("the old database's collation comes first, then the dump's; a newer server's own has another name here")
    func candidates() {
        #expect(StageLocale.candidates(live: live(Self.german), dumped: Self.english) == [Self.german])
        #expect(StageLocale.candidates(live: nil, dumped: Self.english) == [Self.english])
        #expect(StageLocale.candidates(live: nil, dumped: nil).isEmpty)
        for (name, libc) in [("C", "C"), ("C.UTF-8", "C.UTF-8"), ("PG_UNICODE_FAST", "C.UTF-8")] {
            let builtin = DatabaseLocale(provider: .builtin, collate: "C", ctype: "C", name: name)
            let other = DatabaseLocale(collate: libc, ctype: libc)
            #expect(StageLocale.candidates(live: nil, dumped: builtin) == [builtin, other])
        }
    }

    @Test(
        "whether two databases sort alike",
        arguments: [
            (plain, plain, true), (plain, english, false), (english, german, false), (german, german, true),
            (plain, DatabaseLocale(collate: "POSIX", ctype: "POSIX"), true),
            (english, DatabaseLocale(collate: "en_US.utf8", ctype: "en_US.UTF8"), true),
            (english, DatabaseLocale(collate: "en_US.UTF-8", ctype: "C"), false),
            (german, DatabaseLocale(provider: .icu, collate: "x", ctype: "y", name: "de-AT"), true),
            (german, DatabaseLocale(provider: .icu, collate: "C", ctype: "C", name: "sv"), false),
        ]
    )
    func difference(dumped: DatabaseLocale, other: DatabaseLocale, isSame: Bool) {
        let notice = StageLocale.difference(dumped: dumped, live: live(other))
        #expect((notice == nil) == isSame)
        if let notice {
            #expect(notice.level == .warning)
            #expect(notice.message.contains("\(dumped)") && notice.message.contains("\(other)"))
        }
        #expect(StageLocale.difference(dumped: nil, live: live(other)) == nil)
        #expect(StageLocale.difference(dumped: dumped, live: nil) == nil)
    }

    @Test("a database that was sorted by another version is told with the remedy")
    func versions() throws {
        #expect(StageLocale.outdated("m", nil) == nil)
        #expect(StageLocale.outdated("m", CollationVersions(recorded: "1", actual: "1")) == nil)
        let notice = try #require(StageLocale.outdated("m", CollationVersions(recorded: "1", actual: "2")))
        #expect(notice.level == .warning && notice.message.contains("version 1") && notice.message.contains("has 2"))
        #expect(notice.hint?.contains("REINDEX DATABASE \"m\"") == true)
    }

    @Test("locales as people see them")
    func texts() {
        #expect("\(Self.english)" == "en_US.UTF-8 (libc)" && "\(Self.german)" == "de-AT (icu)")
        #expect("\(DatabaseLocale(collate: "C", ctype: "x\u{1B}"))" == "C, characters of x\\x1b (libc)")
    }

    @Test("what is left out is one line; nothing left out is none")
    func leftOut() {
        var vetting = VettingSummary()
        #expect(LeftOutNotice.make(vetting, outside: VettingSummary()) == nil)
        vetting.leftOut = [.owner: 3, .statistics: 2]
        var outside = VettingSummary()
        outside.leftOut = [.role: 1, .owner: 1]
        #expect(
            LeftOutNotice.make(vetting, outside: outside)?.message
                == "left out of the dump: 4 owners, 1 roles, 2 statistics: ANALYZE makes new ones"
        )
    }
}
