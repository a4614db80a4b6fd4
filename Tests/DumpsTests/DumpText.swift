import MediaModel

@testable import Dumps

/// Dumps as text, put together from parts in the manner of the releases of pg_dump.
struct DumpText {
    /// Major version of the pg_dump that is imitated.
    var version = 15
    /// Whether it is a minor release since August 2025.
    var isRestricted = true
    var createsDatabase: String?
    var hasOwners = true
    var isClean = false
    var usesInserts = false
    var isVerbose = false
    /// Put between the header and the first table.
    var extra = ""
    /// Put in place of the rows of `accounts`.
    var accountRows = "1\talice\t\\N\n2\tbob\texample.org\n"
    /// Left out for a dump that is cut.
    var hasTrailer = true

    static let restrictKey = "Kq3vY0hEGbWdmZ6pSl5oUu9rTnXcJ2fA7iDyQ8xMwB1gLeRtHsNaVkOzPjFC4"

    private func settings() -> String {
        var lines = ["statement_timeout = 0", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0"]
        if version >= 17 { lines.append("transaction_timeout = 0") }
        lines += ["client_encoding = 'UTF8'", "standard_conforming_strings = on"]
        var text = lines.map { "SET \($0);\n" }.joined()
        text += "SELECT pg_catalog.set_config('search_path', '', false);\n"
        text += "SET check_function_bodies = false;\nSET xmloption = content;\nSET client_min_messages = warning;\n"
        return text + "SET row_security = off;\n\n"
    }

    private func header() -> String {
        var text = "--\n-- PostgreSQL database dump\n--\n\n"
        if isRestricted { text += "\\restrict \(Self.restrictKey)\n\n" }
        text += "-- Dumped from database version \(version).8 (Debian \(version).8-1)\n"
        text += "-- Dumped by pg_dump version \(version).8 (Debian \(version).8-1)\n\n"
        if isVerbose { text += "-- Started on 2026-11-20 10:00:00 UTC\n\n" }
        return text + settings()
    }

    private func create() -> String {
        guard let name = createsDatabase else { return "" }
        let provider = version >= 15 ? "LOCALE_PROVIDER = libc LOCALE = 'C.UTF-8'" : "LOCALE = 'C.UTF-8'"
        var text = isClean ? "DROP DATABASE IF EXISTS \(name);\n" : ""
        text += "CREATE DATABASE \(name) WITH TEMPLATE = template0 ENCODING = 'UTF8' \(provider);\n\n\n"
        if hasOwners { text += "ALTER DATABASE \(name) OWNER TO mastodon;\n\n" }
        if isRestricted { text += "\\unrestrict \(Self.restrictKey)\n" }
        text += "\\connect \(name)\n"
        if isRestricted { text += "\\restrict \(Self.restrictKey)\n" }
        return text + "\n" + settings()
    }

    private func owner(_ kind: String, _ name: String) -> String {
        hasOwners ? "ALTER \(kind) public.\(name) OWNER TO mastodon;\n\n" : ""
    }

    private func data(_ table: String, _ columns: String, _ rows: String) -> String {
        let title = "--\n-- Data for Name: \(table); Type: TABLE DATA; Schema: public; Owner: mastodon\n--\n\n"
        if !usesInserts { return title + "COPY public.\(table) (\(columns)) FROM stdin;\n\(rows)\\.\n\n\n" }
        let inserts = rows.split(separator: "\n").map { row in
            let values = row.split(separator: "\t", omittingEmptySubsequences: false)
            let list = values.map {
                $0 == "\\N" ? "NULL" : Int64($0) == nil ? "'\($0.replacing("'", with: "''"))'" : String($0)
            }
            let quoted = table == "schema_migrations" ? "'\(values[0])'" : list.joined(separator: ", ")
            return "INSERT INTO public.\(table) VALUES (\(quoted));\n"
        }
        return title + inserts.joined() + "\n\n"
    }

    private func clean() -> String {
        guard isClean else { return "" }
        return """
            ALTER TABLE IF EXISTS ONLY public.statuses DROP CONSTRAINT IF EXISTS fk_9bda1543f7;
            ALTER TABLE IF EXISTS public.statuses ALTER COLUMN id DROP DEFAULT;
            DROP INDEX IF EXISTS public.index_statuses_on_account;
            DROP TABLE IF EXISTS public.statuses;
            DROP FUNCTION IF EXISTS public.timestamp_id(table_name text);
            DROP EXTENSION IF EXISTS plpgsql;

            """
    }

    /// The newest migrations of release 4.5, enough for tests of the rest.
    static let migrations = ["20160220174730", "20250627132728", "20251023210145"]

    /// The dump.
    func text() -> String {
        var text = header() + create() + clean() + extra
        text += "CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;\n\n"
        text += "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';\n\n"
        text += """
            CREATE FUNCTION public.timestamp_id(table_name text) RETURNS bigint
                LANGUAGE plpgsql
                AS $$
              DECLARE
                time_part bigint; -- it's; here
              BEGIN
                time_part := (date_part('epoch', now()) * 1000)::bigint << 16;
                RETURN time_part | ('x' || substr(md5(table_name || '$notag'), 1, 4))::bit(16)::bigint;
              END
            $$;


            """
        text += owner("FUNCTION", "timestamp_id(table_name text)")
        if version >= 12 { text += "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n" }
        for (table, columns) in Self.tables {
            text += "--\n-- Name: \(table); Type: TABLE; Schema: public; Owner: mastodon\n--\n\n"
            text += "CREATE TABLE public.\(table) (\n    \(columns)\n);\n\n\n" + owner("TABLE", table)
        }
        text += """
            CREATE SEQUENCE public.statuses_id_seq
                START WITH 1
                INCREMENT BY 1
                NO MINVALUE
                NO MAXVALUE
                CACHE 1;

            ALTER SEQUENCE public.statuses_id_seq OWNED BY public.statuses.id;

            CREATE MATERIALIZED VIEW public.instances AS
             SELECT accounts.domain, count(*) AS accounts_count FROM public.accounts GROUP BY accounts.domain
              WITH NO DATA;

            ALTER TABLE ONLY public.statuses ALTER COLUMN id SET DEFAULT public.timestamp_id('statuses'::text);


            """
        text += data("accounts", "id, username, domain", accountRows)
        text += data("media_attachments", "id, status_id", "")
        text += data("schema_migrations", "version", Self.migrations.map { $0 + "\n" }.joined())
        text += data(
            "statuses",
            "id, account_id, text",
            "42\t1\told; text\n115516800000000000\t1\t\\\\! echo 'no command'\n115516700000000000\t2\t-- no comment\n"
        )
        text += "SELECT pg_catalog.setval('public.statuses_id_seq', 3, true);\n\n\n"
        text += """
            ALTER TABLE ONLY public.accounts
                ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

            CREATE UNIQUE INDEX index_accounts_on_username ON public.accounts USING btree (lower((username)::text), COALESCE(lower((domain)::text), ''::text));

            CREATE INDEX index_statuses_on_account ON public.statuses USING btree (account_id, id DESC) WHERE (account_id <> 0);

            ALTER TABLE ONLY public.statuses
                ADD CONSTRAINT fk_9bda1543f7 FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

            REFRESH MATERIALIZED VIEW public.instances;


            """
        if hasOwners { text += "GRANT SELECT ON TABLE public.accounts TO reader;\n\n\n" }
        if !hasTrailer { return text }
        if isVerbose { text += "-- Completed on 2026-11-20 10:00:09 UTC\n\n" }
        text += "--\n-- PostgreSQL database dump complete\n--\n\n"
        return isRestricted ? text + "\\unrestrict \(Self.restrictKey)\n\n" : text
    }

    private static let tables = [
        (
            "accounts",
            "id bigint NOT NULL,\n    username character varying DEFAULT ''::character varying NOT NULL,\n    domain text"
        ),
        ("media_attachments", "id bigint NOT NULL,\n    status_id bigint"),
        ("schema_migrations", "version character varying NOT NULL"),
        ("statuses", "id bigint NOT NULL,\n    account_id bigint NOT NULL,\n    text text"),
    ]

    /// A dump of a server: roles, then databases, the templates among them.
    static func cluster(
        _ databases: [(String, DumpText)],
        outside: String = "",
        hasTrailer: Bool = true
    ) -> String {
        var text = "--\n-- PostgreSQL database cluster dump\n--\n\n\\restrict \(restrictKey)\n\n"
        text += "SET default_transaction_read_only = off;\n\nSET client_encoding = 'UTF8';\n"
        text += "SET standard_conforming_strings = on;\n\n--\n-- Roles\n--\n\n"
        text +=
            "CREATE ROLE mastodon;\nALTER ROLE mastodon WITH NOSUPERUSER INHERIT LOGIN PASSWORD 'SCRAM-SHA-256$4096:x';\n"
        text += "-- CREATE ROLE postgres;\nGRANT pg_monitor TO mastodon WITH INHERIT TRUE GRANTED BY postgres;\n\n"
        text += outside + "\\unrestrict \(restrictKey)\n\n--\n-- Databases\n--\n\n"
        text += "--\n-- Database \"template1\" dump\n--\n\n\\connect template1\n\n"
        text += "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n"
        text += "--\n-- PostgreSQL database dump complete\n--\n\n"
        for (name, dump) in databases {
            var dump = dump
            dump.createsDatabase = name
            text += "--\n-- Database \"\(name)\" dump\n--\n\n" + dump.text()
        }
        return hasTrailer ? text + "--\n-- PostgreSQL database cluster dump complete\n--\n\n" : text
    }
}
