import MediaModel
import MediasyncTesting
import Testing

/// Dumps as the other releases of PostgreSQL write them, restored whole into the one that is here. What this server's own
/// pg_dump wrote is put into the words of the others.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct ReleaseTests {
    struct Release: Sendable, CustomTestStringConvertible {
        var major: Int
        /// Whether it is a minor release since August 2025.
        var isRestricted: Bool
        /// What CREATE DATABASE says behind the encoding.
        var locale: String
        var edits: @Sendable (String) -> String = { $0 }
        var testDescription: String { "PostgreSQL \(major)\(isRestricted ? "" : ", before \\restrict")" }
    }

    private static let libc = "LOCALE_PROVIDER = libc LOCALE = 'C'"

    static let releases = [
        Release(major: 12, isRestricted: false, locale: "LC_COLLATE = 'C' LC_CTYPE = 'C'", edits: older),
        Release(major: 13, isRestricted: false, locale: "LOCALE = 'C'", edits: older),
        Release(major: 13, isRestricted: true, locale: "LOCALE = 'C'", edits: older),
        Release(major: 14, isRestricted: false, locale: "LOCALE = 'C'", edits: older),
        Release(major: 14, isRestricted: true, locale: "LOCALE = 'C'", edits: older),
        Release(major: 15, isRestricted: false, locale: libc),
        Release(major: 15, isRestricted: true, locale: libc),
        Release(major: 16, isRestricted: false, locale: libc, edits: grants),
        Release(major: 16, isRestricted: true, locale: libc, edits: grants),
        Release(major: 17, isRestricted: false, locale: libc, edits: transactionTimeout),
        Release(
            major: 17,
            isRestricted: true,
            locale: "LOCALE_PROVIDER = builtin LOCALE = 'C' BUILTIN_LOCALE = 'C'",
            edits: transactionTimeout
        ),
        Release(
            major: 18,
            isRestricted: true,
            locale: "LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'und'",
            edits: newest
        ),
    ]

    /// Servers before 15 said something of the schema public, and `--clean` dropped what is always there.
    @Sendable private static func older(_ text: String) -> String {
        text.replacing(
            "SET default_tablespace = '';",
            with: """
                COMMENT ON SCHEMA public IS 'standard public schema';
                REVOKE USAGE ON SCHEMA public FROM PUBLIC;
                GRANT ALL ON SCHEMA public TO PUBLIC;
                SET default_tablespace = '';
                """,
            maxReplacements: 1
        )
    }

    @Sendable private static func grants(_ text: String) -> String {
        text.replacing(
            "SET default_tablespace = '';",
            with: """
                GRANT SELECT ON TABLE public.accounts TO reader WITH GRANT OPTION;
                ALTER DEFAULT PRIVILEGES FOR ROLE mastodon IN SCHEMA public GRANT MAINTAIN ON TABLES TO reader;
                SET default_tablespace = '';
                """,
            maxReplacements: 1
        )
    }

    @Sendable private static func transactionTimeout(_ text: String) -> String {
        grants(text).replacing("SET client_encoding", with: "SET transaction_timeout = 0;\nSET client_encoding")
    }

    /// Names of NOT NULL constraints, and the planner's statistics.
    @Sendable private static func newest(_ text: String) -> String {
        let named = transactionTimeout(text)
            .replacing(
                "    username character varying DEFAULT ''::character varying NOT NULL",
                with:
                    "    username character varying DEFAULT ''::character varying CONSTRAINT must_have_a_name NOT NULL"
            )
        let statistics = """
            --
            -- Statistics for Name: accounts; Type: STATISTICS DATA; Schema: public; Owner: -
            --

            SELECT * FROM pg_catalog.pg_restore_relation_stats(
            \t'version', '180001'::integer,
            \t'schemaname', 'public',
            \t'relname', 'accounts',
            \t'relpages', '2'::integer,
            \t'reltuples', '50'::real,
            \t'relallvisible', '0'::integer,
            \t'relallfrozen', '0'::integer
            );
            SELECT * FROM pg_catalog.pg_restore_attribute_stats(
            \t'version', '180001'::integer,
            \t'schemaname', 'public',
            \t'relname', 'accounts',
            \t'attname', 'id',
            \t'inherited', 'f'::boolean,
            \t'null_frac', '0'::real,
            \t'histogram_bounds', '{1,";x'';",3}'::text
            );


            """
        let mark = "--\n-- PostgreSQL database dump complete"
        return named.replacing(mark, with: statistics + mark)
    }

    /// A database with what Mastodon's schema has not: generated and identity columns, in the dumped database's own dump.
    private struct Source {
        let text: String
        let canonical: String

        init() throws {
            let origin = try Origin.get()
            let live = try LiveDatabase(origin.cluster, name: "of_all_releases", template: origin.database.name)
            try origin.cluster.sql(
                """
                CREATE TABLE generated (a int NOT NULL, b int GENERATED ALWAYS AS (a * 2) STORED, "c d" text);
                INSERT INTO generated (a, "c d") VALUES (1, 'x'), (2, NULL);
                CREATE TABLE numbered (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                    other int GENERATED ALWAYS AS IDENTITY (START WITH 7 INCREMENT BY 3));
                INSERT INTO numbered (id) VALUES (DEFAULT), (DEFAULT);
                """,
                database: live.name,
                user: "mastodon"
            )
            let place = try TemporaryDirectory()
            let database = MastodonDatabase(existing: origin.cluster, name: live.name)
            try database.writeDump(["-C", "--clean", "--if-exists"], to: place.path / "dump")
            text = try Disk.text(place.path / "dump")
            canonical = try database.canonicalDump()
        }
    }

    private static let source = Result { try Source() }

    /// The dump in the words of a release.
    private static func text(_ release: Release) throws -> String {
        var text = release.edits(try source.get().text)
        for name in ["database", "by pg_dump"] {
            let start = "-- Dumped \(name == "database" ? "from database" : name) version "
            let mark = try #require(text.firstRange(of: start))
            let end = text[mark.upperBound...].firstIndex(of: "\n") ?? text.endIndex
            text.replaceSubrange(mark.upperBound..<end, with: "\(release.major).4 (Debian \(release.major).4-1)")
        }
        let locale = try #require(text.firstRange(of: libc))
        text.replaceSubrange(locale, with: release.locale)
        if !release.isRestricted {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            text = lines.filter { !$0.hasPrefix("\\restrict ") && !$0.hasPrefix("\\unrestrict ") }.joined(
                separator: "\n"
            )
        }
        return text
    }

    @Test("a dump of every release restores whole", arguments: releases)
    func release(release: Release) throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("release_\(release.major)_\(release.isRestricted)")
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "dump", try Self.text(release))
        let plan = try live.restore(["-n"], place.path / "dump")
        #expect(
            plan.exitCode == 0 && plan.text.contains("server     PostgreSQL \(release.major).4"),
            "\(plan.errorText)"
        )
        let result = try live.restore(place.path / "dump")
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.canonicalDump() == Self.source.get().canonical)
        #expect(result.errorText.contains("left out of the dump: "))
        if release.major == 18 {
            #expect(plan.text.contains("2 statistics: ANALYZE makes new ones"), "\(plan.text)")
            #expect(result.errorText.contains("2 statistics: ANALYZE makes new ones"), "\(result.errorText)")
        }
    }
}
