import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

/// How a dumped database was made, in the words of all releases, in every kind of dump.
@Suite struct DatabaseDefinitionTests {
    private static let start = "CREATE DATABASE m WITH TEMPLATE = template0 ENCODING = 'UTF8'"

    @Test(
        "what CREATE DATABASE says of the collation",
        arguments: [
            (" LC_COLLATE = 'de_AT.UTF-8' LC_CTYPE = 'C'", DatabaseLocale(collate: "de_AT.UTF-8", ctype: "C")),
            (" LOCALE = 'en_US.UTF-8'", DatabaseLocale(collate: "en_US.UTF-8", ctype: "en_US.UTF-8")),
            (" LOCALE_PROVIDER = libc LOCALE = 'C'", DatabaseLocale(collate: "C", ctype: "C")),
            (
                " LOCALE_PROVIDER = icu LC_COLLATE = 'C' LC_CTYPE = 'C.UTF-8' ICU_LOCALE = 'de-AT'",
                DatabaseLocale(provider: .icu, collate: "C", ctype: "C.UTF-8", name: "de-AT")
            ),
            (
                " LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'en-US' ICU_RULES = '&a < b'",
                DatabaseLocale(provider: .icu, collate: "C", ctype: "C", name: "en-US")
            ),
            (
                " LOCALE_PROVIDER = builtin LOCALE = 'C' BUILTIN_LOCALE = 'C.UTF-8'",
                DatabaseLocale(provider: .builtin, collate: "C", ctype: "C", name: "C.UTF-8")
            ),
            (
                " TABLESPACE = fast LOCALE 'English_United States.1252'",
                DatabaseLocale(collate: "English_United States.1252", ctype: "English_United States.1252")
            ),
            ("", nil), (" LOCALE = '../../tmp/evil'", nil), (" LOCALE = '/tmp/evil'", nil), (" LOCALE = ''", nil),
            (" LOCALE = E'x'", nil), (" LOCALE_PROVIDER = strange LOCALE = 'C'", nil),
            (" LC_COLLATE = 'C'", nil), (" LOCALE = '\(String(repeating: "x", count: 129))'", nil),
            (" LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'a/b'", nil),
        ] as [(String, DatabaseLocale?)]
    )
    func locales(words: String, expected: DatabaseLocale?) throws {
        let definition = try #require(DatabaseDefinition(Array((Self.start + words).utf8)))
        #expect(definition.name == "m" && definition.encoding == "UTF8" && definition.locale == expected)
    }

    @Test(
        "other statements make no database",
        arguments: ["CREATE TABLE database (a int)", "CREATE DATABASE", "", "x"]
    )
    func others(sql: String) {
        #expect(DatabaseDefinition(Array(sql.utf8)) == nil)
    }

    @Test("a dump with --create tells it, one without does not", arguments: [nil, "mastodon"])
    func plain(name: String?) throws {
        let database = try #require(DumpReading.inspection(DumpText(createsDatabase: name).text()).databases.first)
        #expect(database.definition?.name == name && database.name == name)
        #expect(database.definition?.locale == name.map { _ in DatabaseLocale(collate: "C.UTF-8", ctype: "C.UTF-8") })
    }

    @Test("each database of a cluster has its own")
    func cluster() throws {
        let text = DumpText.cluster([("forum", DumpText()), ("mastodon", DumpText())])
            .replacing(
                "DATABASE forum WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C.UTF-8'",
                with: "DATABASE forum WITH TEMPLATE = template0 ENCODING = 'LATIN1' LOCALE = 'C'"
            )
        let found = try DumpReading.inspection(text, kind: .cluster).databases.map(\.definition)
        #expect(found.map { $0?.name } == [nil, "forum", "mastodon"])
        #expect(found.map { $0?.encoding } == [nil, "LATIN1", "UTF8"])
        #expect(found.map { $0?.locale?.collate } == [nil, "C", "C.UTF-8"])
    }

    @Test("the text of an archive's one entry tells it, whatever stands around it")
    func archive() {
        let text = DumpText(createsDatabase: "mastodon").text()
        #expect(DatabaseDefinition.first(inText: Array(text.utf8))?.name == "mastodon")
        #expect(DatabaseDefinition.first(inText: Array(text.prefix(200).utf8)) == nil)
        #expect(DatabaseDefinition.first(inText: []) == nil)
    }

    // MARK: Statements about databases

    /// Statements one after the other, and the number of the one that is refused; nil: none.
    static let sequences: [([String], Int?)] = [
        (["CREATE DATABASE m TEMPLATE template0", "ALTER DATABASE m OWNER TO x", "COMMENT ON DATABASE m IS 'x'"], nil),
        (["DROP DATABASE m", "CREATE DATABASE m TEMPLATE template0"], nil),
        (["DROP DATABASE IF EXISTS m", "CREATE DATABASE m TEMPLATE template0"], nil),
        (
            [
                "UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = 'm'", "DROP DATABASE m",
                "CREATE DATABASE m", "ALTER DATABASE m IS_TEMPLATE = true",
            ], nil
        ),
        (
            [
                "CREATE DATABASE m", "ALTER DATABASE m SET search_path TO 'a', 'b'",
                "ALTER DATABASE m CONNECTION LIMIT = 7",
                "ALTER ROLE x IN DATABASE m SET work_mem TO '1GB'", "GRANT ALL ON DATABASE m TO x",
            ], nil
        ),
        (["DROP DATABASE other"] + ["CREATE DATABASE m"], 1), (["DROP DATABASE m", "SET lock_timeout = 0"], 1),
        (["DROP DATABASE m", "DROP DATABASE n"], 1), (["CREATE DATABASE m", "DROP DATABASE m"], 1),
        (["CREATE DATABASE m", "CREATE DATABASE n"], 1), (["DROP DATABASE m WITH (FORCE)"], 0),
        (["ALTER DATABASE m SET work_mem TO '1GB'"], 0), (["CREATE DATABASE m", "ALTER DATABASE n OWNER TO x"], 1),
        (["CREATE DATABASE m", "ALTER DATABASE m RENAME TO n"], 1),
        (["CREATE DATABASE m", "ALTER DATABASE m SET TABLESPACE fast"], 1),
        (["CREATE DATABASE m", "ALTER DATABASE m REFRESH COLLATION VERSION"], 1), (["DROP DATABASE"], 0),
        (["CREATE ROLE x"], 0), (["ALTER ROLE x SET work_mem TO '1GB'"], 0), (["CREATE TABLESPACE t LOCATION '/x'"], 0),
    ]

    @Test(
        "of statements about databases, what pg_dump writes of its own is left out, the rest refused",
        arguments: sequences
    )
    func sequence(statements: [String], refused: Int?) {
        var classifier = StatementClassifier()
        for (index, sql) in statements.enumerated() {
            let verdict = classifier.verdict(Array(sql.utf8), line: 1, scope: .single)
            if index == refused {
                guard case .refused(.server, _, _) = verdict else { Issue.record("\(sql): \(verdict)"); return }
                return
            }
            guard case .role(.leftOut, _) = verdict else { Issue.record("\(sql): \(verdict)"); return }
        }
        #expect(refused == nil)
    }

    @Test(
        "in a database of a cluster only its own properties are left out; outside of all of them every database's",
        arguments: [
            ("ALTER DATABASE m SET work_mem TO '1GB'", true, true),
            ("ALTER DATABASE n SET work_mem TO '1GB'", false, true),
            ("ALTER DATABASE m RENAME TO n", false, false), ("ALTER DATABASE m OWNER TO x", true, true),
            ("CREATE DATABASE n", false, true), ("DROP DATABASE IF EXISTS n", false, true),
            ("CREATE ROLE x", false, true), ("CREATE TABLESPACE t LOCATION '/x'", false, true),
            ("ALTER SYSTEM SET a = 1", false, false),
        ]
    )
    func cluster(sql: String, isFineInside: Bool, isFineOutside: Bool) {
        for (scope, isFine) in [
            (StatementClassifier.Scope.database("m"), isFineInside), (.outside, isFineOutside),
        ] {
            var classifier = StatementClassifier()
            switch classifier.verdict(Array(sql.utf8), line: 1, scope: scope) {
            case .role(.leftOut, _): #expect(isFine, "\(scope)")
            case .refused(let reason, _, _): #expect(!isFine && reason == .server, "\(scope)")
            default: Issue.record("\(sql) would be run")
            }
        }
    }
}
