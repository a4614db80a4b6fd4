import MediaModel
import MediasyncTesting
import Testing

/// R7: text is sorted by the old database's rules; what differs is told, with the remedy.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct CollationTests {
    /// A dump of a small Mastodon database that sorts by other rules than the server's: by ICU's of German.
    private struct Foreign {
        let place: TemporaryDirectory
        let name = "sorted_by_icu"

        init(_ origin: Origin) throws {
            place = try TemporaryDirectory()
            try origin.cluster.sql(
                """
                CREATE DATABASE \(name) TEMPLATE template0 OWNER mastodon LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'
                    LC_COLLATE 'C' LC_CTYPE 'C'
                """
            )
            try origin.cluster.load(origin.plain, database: name)
            let database = MastodonDatabase(existing: origin.cluster, name: name)
            for form in Self.forms {
                try database.writeDump(form, to: place.path / (form.last ?? ""))
            }
        }

        static let forms = [["-C"], ["-Fc"], ["-Ft"], ["-Fd"]]
        func dump(_ form: [String]) -> BytePath { place.path / (form.last ?? "") }
    }

    private static let foreign = Result { try Foreign(try Origin.get()) }

    private func collation(_ origin: Origin, _ name: String) throws -> String {
        try origin.cluster.sql(
            "SELECT datlocprovider, datcollate, datctype, coalesce(daticulocale, '') FROM pg_database WHERE datname = '\(name)'"
        )
    }

    @Test(
        "a dump that was sorted otherwise is warned about, in the plan as well; the old order stays",
        arguments: Foreign.forms
    )
    func different(form: [String]) throws {
        let origin = try Origin.get()
        let dump = try Self.foreign.get().dump(form)
        let live = try origin.makeLive("sorted_\(form.joined().dropFirst().lowercased())")
        let plan = try live.restore(["-n"], dump)
        #expect(plan.exitCode == 0 && plan.text.contains("collation  de-AT (icu)"), "\(plan.text) \(plan.errorText)")
        let warning = "the dumped database sorted text by de-AT (icu), the live one sorts by C (libc)"
        #expect(plan.errorText.contains(warning), "\(plan.errorText)")
        try live.expectUntouched()
        let result = try live.restore(["--json"], dump)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let notice = "{\"type\":\"notice\",\"level\":\"warning\",\"message\":\"\(warning)\""
        #expect(result.lines.contains { $0.hasPrefix(notice) }, "\(result.text)")
        #expect(try collation(origin, live.name) == "c|C|C|")
    }

    @Test("where there is no old database the new one sorts as the dumped one did", arguments: Foreign.forms)
    func new(form: [String]) throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("new_\(form.joined().dropFirst().lowercased())")
        try origin.cluster.sql("DROP DATABASE \(live.name)")
        let result = try live.restore(try Self.foreign.get().dump(form))
        #expect(result.exitCode == 0 && !result.errorText.contains("sorted"), "\(result.errorText)")
        #expect(try collation(origin, live.name) == "i|C|C|de-AT")
    }

    @Test("a collation that the server does not know is told, and its own is taken")
    func unknown() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("sorted_by_nobody")
        try origin.cluster.sql("DROP DATABASE \(live.name)")
        let place = try TemporaryDirectory()
        let text = try Disk.text(try Self.foreign.get().dump(["-C"]))
        let start = try #require(text.firstRange(of: " LOCALE_PROVIDER = "))
        let end = text[start.upperBound...].firstIndex(of: ";") ?? text.endIndex
        let other = " LOCALE_PROVIDER = libc LOCALE = 'xx_YY.UTF-8'"
        try Disk.write(place.path / "dump", text[..<start.lowerBound] + other + text[end...])
        let result = try live.restore(place.path / "dump")
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.errorText.contains("does not know the collation of the dumped database, xx_YY.UTF-8 (libc)"))
        #expect(try collation(origin, live.name) == "c|C|C|")
    }

    @Test("an old database that was sorted by another version of the library is told, with the remedy")
    func version() throws {
        let origin = try Origin.get()
        _ = try Self.foreign.get()
        let live = try LiveDatabase(origin.cluster, name: "sorted_long_ago", template: "sorted_by_icu")
        #expect(try !live.restore(["-n"], origin.plain).errorText.contains("REINDEX"))
        try origin.cluster.sql("UPDATE pg_database SET datcollversion = '1.2.3' WHERE datname = '\(live.name)'")
        for options in [["-n"], []] {
            let result = try live.restore(options, origin.plain)
            #expect(result.exitCode == 0, "\(result.errorText)")
            #expect(result.errorText.contains("was sorted by version 1.2.3 of its collation"), "\(result.errorText)")
            #expect(result.errorText.contains("REINDEX DATABASE \"sorted_long_ago\""))
        }
        let versions =
            "SELECT datcollversion = pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = "
        #expect(try origin.cluster.sql(versions + "'\(live.name)'") == "t")
        let back = try live.act(["--undo"])
        #expect(
            back.exitCode == 0 && back.errorText.contains("REINDEX DATABASE \"sorted_long_ago\""),
            "\(back.errorText)"
        )
    }

    @Test(
        "a dump in another encoding than UTF8 is refused with the remedy, whatever its form",
        arguments: [[], ["-Fc"], ["-Fd"]]
    )
    func encoding(form: [String]) throws {
        let origin = try Origin.get()
        let name = "latin\(form.joined().dropFirst().lowercased())"
        let place = try TemporaryDirectory()
        try origin.cluster.sql("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' OWNER mastodon")
        for table in ["schema_migrations", "accounts", "statuses", "media_attachments"] {
            try origin.cluster.sql("CREATE TABLE \(table) (version text)", database: name)
        }
        try MastodonDatabase(existing: origin.cluster, name: name).writeDump(form, to: place.path / "dump")
        let live = try origin.makeLive("over_\(name)")
        for options in [["-n"], []] {
            let result = try live.restore(options, place.path / "dump")
            #expect(result.exitCode == 20, "\(result.errorText)")
            #expect(result.errorText.contains("text that is not in UTF8"), "\(result.errorText)")
            #expect(result.errorText.contains("pg_dump --encoding=UTF8"))
        }
        try live.expectUntouched()
    }
}
