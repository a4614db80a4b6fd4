package import MediaModel

/// A database as Mastodon has it, in a cluster of a test's own.
package struct MastodonDatabase: Sendable {
    package let cluster: PostgresCluster
    package let name: String
    /// The plain role that owns it.
    package static let role = "mastodon"

    /// Makes an empty database, and the role where it is missing.
    package init(_ cluster: PostgresCluster, name: String = "mastodon_production", release: String? = "4.5") throws {
        self.cluster = cluster
        self.name = name
        try Self.makeRole(cluster)
        try cluster.sql("CREATE DATABASE \"\(name)\" TEMPLATE template0 OWNER \(Self.role)")
        guard let release else { return }
        let place = try TemporaryDirectory()
        let schema = place.path / "schema.sql"
        let file = Self.derived[release] == nil ? release : "4.2"
        let text = try Program("gzip").check(["-dc"], Self.fixtures / "mastodon-\(file).sql.gz")
        try Disk.write(schema, text.output)
        try cluster.load(schema, database: name, user: Self.role)
        if let newest = Self.derived[release] {
            try cluster.sql(
                """
                ALTER TABLE preview_cards DROP COLUMN image_description;
                DELETE FROM schema_migrations WHERE version > '\(newest)'
                """,
                database: name,
                user: Self.role
            )
        }
    }

    /// Releases of which no whole schema is at hand, and their newest migration. They lie between 3.4 and 4.2, which are
    /// whole; of what media is about, the description of a card's picture is all that 4.2 added.
    private static let derived = ["3.5": "20220429101850", "4.0": "20221104133904", "4.1": "20221206114142"]

    /// Every release that there is a schema of, and the glitch-soc fork of the newest one.
    package static let releases = ["3.4", "3.5", "4.0", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.6-glitch"]

    /// One that is there already.
    package init(existing cluster: PostgresCluster, name: String) {
        self.cluster = cluster
        self.name = name
    }

    /// A role that may create databases and nothing else, as Mastodon's guide makes it.
    package static func makeRole(_ cluster: PostgresCluster) throws {
        let body = "CREATE ROLE \(role) LOGIN CREATEDB; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;"
        try cluster.sql("DO $$ BEGIN \(body) END $$")
    }

    private static let fixtures: BytePath = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return BytePath("/" + parts.joined(separator: "/")) / "Tests" / "Fixtures"
    }()

    /// Fills it with rows that are the same on every machine.
    package func fill(accounts: Int = 50, statuses: Int = 600) throws {
        let psql = cluster.program("psql", user: Self.role, database: name)
        try psql.check(
            ["-X", "-q", "-o", "/dev/null", "-v", "accounts=\(accounts)", "-v", "statuses=\(statuses)", "-f"],
            Self.fixtures / "mastodon-rows.sql"
        )
    }

    /// Runs pg_dump with options into a file or directory.
    package func writeDump(_ options: [String] = [], to path: BytePath) throws {
        let program = cluster.program("pg_dump", user: cluster.superuser, database: name)
        try program.check(options + ["-f"], path)
    }

    /// What pg_dump says of it, with the rows of each table sorted and what differs between two dumps of the same left
    /// out: equal texts mean equal databases.
    package func canonicalDump() throws -> String {
        let program = cluster.program("pg_dump", user: cluster.superuser, database: name)
        return Self.canonical(try program.check(["--no-owner", "--no-privileges"]).text)
    }

    private static func canonical(_ text: String) -> String {
        var result: [Substring] = []
        var rows: [Substring]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let open = rows {
                if line == "\\." {
                    result += open.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                    rows = nil
                } else {
                    rows = open + [line]
                }
            } else if line.hasPrefix("COPY "), line.hasSuffix(" FROM stdin;") {
                rows = []
            }
            if rows == nil, !line.hasPrefix("\\restrict "), !line.hasPrefix("\\unrestrict ") { result.append(line) }
        }
        return result.joined(separator: "\n")
    }

    /// Its number in the catalogue: another one is another database.
    package func oid() throws -> String {
        try cluster.sql("SELECT oid FROM pg_database WHERE datname = '\(name)'")
    }
}
