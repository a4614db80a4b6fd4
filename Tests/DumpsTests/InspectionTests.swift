import Archives
import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

@Suite struct InspectionTests {
    @Test("a plain dump: versions, tables, rows, migrations, what is left out", arguments: PlainDumpTests.styles)
    func plain(style: DumpText) throws {
        let place = try TemporaryDirectory()
        let text = style.text()
        let file = try DumpReading.open(Array(text.utf8), in: place)
        let seen = Reports()
        let inspection = try DumpInspector.inspect(file) { seen.add($0) }
        #expect(inspection.kind == .plain && inspection.fileBytes == text.utf8.count)
        #expect(inspection.textBytes == text.utf8.count && inspection.lines == text.utf8.count { $0 == 0x0A })
        #expect(inspection.serverMajor == style.version)
        #expect(inspection.programVersion == "\(style.version).8 (Debian \(style.version).8-1)")
        #expect(inspection.databases.count == 1)
        let database = try #require(inspection.mastodonDatabase)
        #expect(database.name == style.createsDatabase && database.isMastodon && database.encoding == "UTF8")
        let rows = database.tables.mapValues(\.rows)
        #expect(
            rows == [
                TableName("accounts"): 2, TableName("media_attachments"): 0, TableName("schema_migrations"): 3,
                TableName("statuses"): 3,
            ]
        )
        #expect(database.rows == 8 && database.bytes > 100)
        #expect(database.migrations == Set(DumpText.migrations) && database.release.relation == .unknown)
        #expect(database.indexes == 2 && database.foreignKeys == 1)
        #expect(database.vetting.refusals == [])
        let leftOut = database.vetting.leftOut
        #expect(leftOut[.serverExtension] == 1 && leftOut[.extensionComment] == 1)
        #expect((leftOut[.owner] ?? 0) == (style.hasOwners ? 5 : 0))
        #expect((leftOut[.drop] ?? 0) == (style.isClean ? 6 : 0))
        #expect(database.vetting.leftOutExamples.count == min(20, leftOut.values.reduce(0, +)))
        #expect(seen.last == inspection.fileBytes)
    }

    private final class Reports: Sendable {
        private let counts = Box<Int64>(0)
        func add(_ bytes: Int64) { counts.set(bytes) }
        var last: Int64 { counts.get() }
    }

    @Test("of a cluster's databases the one with Mastodon's tables is found")
    func cluster() throws {
        let place = try TemporaryDirectory()
        var other = DumpText()
        other.extra = "\\! id\nCREATE PUBLICATION p FOR ALL TABLES;\n"
        let text = DumpText.cluster([("forum", other), ("mastodon_production", DumpText())])
            .replacing("TABLE public.media_attachments", with: "TABLE public.pictures", maxReplacements: 1)
            .replacing("COPY public.media_attachments", with: "COPY public.pictures", maxReplacements: 1)
        let file = try DumpReading.open(Array(text.utf8), in: place)
        let inspection = try DumpInspector.inspect(file)
        #expect(inspection.databases.map(\.name) == ["template1", "forum", "mastodon_production"])
        #expect(inspection.databases.map(\.isMastodon) == [false, false, true])
        #expect(inspection.mastodonDatabase?.name == "mastodon_production")
        #expect(inspection.databases[1].vetting.refused == [.metaCommand: 1, .outside: 1])
        #expect(inspection.databases[2].vetting.refused == [:] && inspection.outside.refused == [:])
        #expect(inspection.outside.leftOut[.role] == 2 && inspection.outside.leftOut[.privilege] == 1)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for database in inspection.databases {
            #expect(lines[database.line - 1] == "\\connect \(database.name ?? "")")
        }
        let two = DumpText.cluster([("a", DumpText()), ("b", DumpText())])
        #expect(try DumpReading.inspection(two, kind: .cluster).mastodonDatabase == nil)
    }

    @Test("the release is told by the set of migrations, from COPY and from INSERT alike", arguments: [false, true])
    func release(usesInserts: Bool) throws {
        let versions = try #require(MastodonReleases.migrations(of: "4.5.3"))
        let plain = DumpText(usesInserts: usesInserts).text()
        let old = usesInserts ? "INSERT INTO public.schema_migrations VALUES ('20251023210145');\n" : "20251023210145\n"
        let new = versions.map { usesInserts ? "INSERT INTO public.schema_migrations VALUES ('\($0)');\n" : "\($0)\n" }
        let database = try #require(
            try DumpReading.inspection(plain.replacing(old, with: new.joined())).databases.first
        )
        #expect(database.release.relation == .exact && database.release.release == "4.5")
    }

    @Test(
        "when the dump was made: its header, else its newest post that is not after the file, else the file",
        arguments: [
            (true, 2_000_000_000, 1_763_632_800, DumpInspection.TimeSource.header),
            (false, 2_000_000_000, 1_762_646_484, .newestStatus), (false, 1_700_000_000, 1_700_000_000, .file),
        ] as [(Bool, Int, Int64, DumpInspection.TimeSource)]
    )
    func age(isVerbose: Bool, modified: Int, expected: Int64, source: DumpInspection.TimeSource) throws {
        let place = try TemporaryDirectory()
        try Disk.write(
            place.path / "dump",
            DumpText(isVerbose: isVerbose).text().replacing("2026-11-20", with: "2025-11-20")
        )
        try Disk.setTime(place.path / "dump", modified)
        let file = try DumpFile.open(place.path / "dump", spoolDirectory: place.path)
        #expect(file.modifiedAt == Int64(modified))
        let inspection = try DumpInspector.inspect(file)
        #expect(inspection.madeAt == expected && inspection.madeAtSource == source)
    }

    @Test(
        "times of headers",
        arguments: [
            ("1970-01-01 00:00:00 UTC", 0), ("2024-02-29 23:59:59 GMT", 1_709_251_199),
            ("2024-03-01 00:00:00 UTC", 1_709_251_200),
            ("2026-11-20 10:00:00 UTC", 1_795_168_800), ("2026-11-20 10:00:00 CET", nil), ("2026-11-20 10:00:00", nil),
            ("2026-13-20 10:00:00 UTC", nil), ("x", nil), ("9999999999999999999999-1-1 1:1:1 UTC", nil),
        ] as [(String, Int64?)]
    )
    func headerTimes(text: String, expected: Int64?) {
        #expect(DumpInspection.seconds(headerTime: text) == expected)
    }

    @Test("snowflakes carry a time, small ids do not")
    func snowflakes() {
        #expect(Snowflake.seconds(115_516_800_000_000_000) == 1_762_646_484)
        for id in [0, 42, 90_000_000_000, UInt64.max] { #expect(Snowflake.seconds(id) == nil) }
    }

    @Test("names and headers of a dump cannot forge a line or drive a terminal")
    func escaping() throws {
        var dump = DumpText()
        dump.extra = "CREATE TABLE public.\"a\u{1B}[2J\nb\" (id bigint);\n"
        let text = dump.text().replacing("database version 15.8", with: "database version 15\u{1B}[31m.8")
        let inspection = try DumpReading.inspection(text)
        #expect(inspection.serverVersion?.contains("\\x1b") == true)
        let names = try #require(inspection.databases.first).tables.keys.map(\.description)
        #expect(names.contains("a\\x1b[2J\\x0ab"))
    }

    @Test("what a million tables and migrations would take is bounded")
    func bounds() throws {
        var dump = DumpText()
        dump.extra =
            "COPY public.schema_migrations (version) FROM stdin;\n"
            + (0..<30_000).map { "\($0)\n" }.joined() + String(repeating: "9", count: 100) + "\n\\.\n"
        let database = try #require(try DumpReading.inspection(dump.text()).databases.first)
        #expect(database.migrations.count == 20_000)
        #expect(database.tables[TableName("schema_migrations")]?.rows == 30_004)
    }
}
