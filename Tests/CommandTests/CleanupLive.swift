import MediaModel
import MediasyncTesting

/// A live directory: settings, a database with old preview cards and one of today, and their files.
final class CleanupLive {
    static let cluster = Result {
        let cluster = try PostgresCluster()
        // Once, before several tests need it at the same time.
        try MastodonDatabase.makeRole(cluster)
        return cluster
    }

    let place: TemporaryDirectory
    let name: String
    var root: BytePath { place.path / "media" }

    init(_ name: String, cards: Int) throws {
        self.name = name
        place = try TemporaryDirectory()
        let cluster = try Self.cluster.get()
        _ = try MastodonDatabase(cluster, name: name, release: "4.6")
        let settings = """
            DB_HOST=\(cluster.socketDirectory)
            DB_PORT=\(cluster.port)
            DB_NAME=\(name)
            DB_USER=\(MastodonDatabase.role)
            PAPERCLIP_ROOT_PATH=\(place.path / "media")

            """
        try Disk.write(place.path / ".env.production", settings)
        try Disk.makeDirectory(place.path / "media")
        try fill(cards: cards)
    }

    /// Rows `1...cards`, the last one of today, and a file for each.
    func fill(cards: Int) throws {
        try sql(
            """
            INSERT INTO preview_cards (id, url, image_file_name, image_content_type, image_file_size,
                image_storage_schema_version, created_at, updated_at)
            SELECT n, 'https://p.example/' || n, 'c' || n || '.png', 'image/png', 7, 1, '2020-01-01',
                CASE WHEN n = \(cards) THEN now() AT TIME ZONE 'utc' ELSE '2020-01-01' END
            FROM generate_series(1, \(cards)) n
            """
        )
        for id in 1...cards {
            var folder = root
            for part in Self.folders(id) {
                folder = folder / part
                if !Disk.exists(folder) { try Disk.makeDirectory(folder) }
            }
            try Disk.write(folder / "c\(id).png", "content")
        }
    }

    static func folders(_ id: Int) -> [String] {
        let digits = String(repeating: "0", count: 9 - String(id).count) + String(id)
        let groups = stride(from: 0, to: 9, by: 3).map { start in
            String(digits.dropFirst(start).prefix(3))
        }
        return ["cache", "preview_cards", "images"] + groups + ["original"]
    }

    func hasFile(_ id: Int, in root: BytePath? = nil) -> Bool {
        Disk.exists(Self.folders(id).reduce(root ?? self.root) { $0 / $1 } / "c\(id).png")
    }

    @discardableResult
    func sql(_ statements: String) throws -> String {
        try Self.cluster.get().sql(statements, database: name, user: MastodonDatabase.role)
    }

    /// Sessions of mediasync that the server still has.
    func sessions() throws -> Int {
        try Int(
            sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(name)' AND application_name LIKE 'mediasync%'"
            )
        )
            ?? -1
    }

    /// Ends them all, as an administrator does; how many there were.
    func endSessions() throws -> Int {
        let statement = """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = '\(name)' AND application_name LIKE 'mediasync%'
            """
        return try Int(Self.cluster.get().sql(statement)) ?? -1
    }

    /// Rows that name a file.
    func named() throws -> Set<Int> {
        let text = try sql("SELECT id FROM preview_cards WHERE image_file_name IS NOT NULL")
        return Set(text.split(separator: "\n").compactMap { Int($0) })
    }

    func arguments(_ options: [String]) -> [BytePath] {
        [BytePath("cleanup"), BytePath("--env-file"), place.path / ".env.production"] + options.map { BytePath($0) }
    }

    func run(_ options: [String]) throws -> Program.Result {
        try BinaryRunner.program().run(arguments(options))
    }
}
