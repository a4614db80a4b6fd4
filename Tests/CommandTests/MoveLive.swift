import MediaModel
import MediasyncTesting

/// An old server, as it was when it was dumped: a dump of its database, its media without what it had cached of others; and a new one
/// that is empty. Other servers still have what was cached.
final class MoveLive {
    let place: TemporaryDirectory
    /// The database of the new server.
    let name: String
    let origin: OriginServer
    let root: BytePath
    var dump: BytePath { place.path / "old.dump" }
    var oldMedia: BytePath { place.path / "old" }
    let state: BytePath

    /// Attachments of others that came within a day before the dump, and long before it.
    static let recent = 6
    static let old = 3

    /// - Parameters:
    ///   - root: where the media go; by default beside the rest.
    ///   - state: where run state goes.
    init(
        _ name: String,
        dumpOptions: [String] = ["-Fc"],
        root: BytePath? = nil,
        state: BytePath? = nil,
        content: OriginServer.Content? = nil
    ) throws {
        self.name = name
        place = try TemporaryDirectory()
        self.root = root ?? place.path / "media"
        self.state = state ?? place.path / "state"
        let picture = try RefreshLive.picture.get()
        origin = try OriginServer(content: content ?? { _ in .body(picture, type: "image/jpeg") })
        let cluster = try CleanupLive.cluster.get()
        let before = try MastodonDatabase(cluster, name: "\(name)_old", release: "4.6")
        let settings = """
            DB_HOST=\(cluster.socketDirectory)
            DB_PORT=\(cluster.port)
            DB_NAME=\(name)
            DB_USER=\(MastodonDatabase.role)
            LOCAL_DOMAIN=my.example
            PAPERCLIP_ROOT_PATH=\(self.root)
            ALLOWED_PRIVATE_ADDRESSES=127.0.0.0/8

            """
        try Disk.write(place.path / ".env.production", settings)
        // A plain dump does not say when it was made: it is as old as its newest post. An archive does, and is of now.
        let age = dumpOptions.contains("-Fp") ? "8 days" : "10 minutes"
        try cluster.sql(Self.rows(origin.url("/m"), age: age), database: before.name, user: MastodonDatabase.role)
        try before.writeDump(dumpOptions, to: dump)
        try cluster.sql("DROP DATABASE \"\(before.name)\"")
        try write("media_attachments/files/000/000/007/original/mine.jpg", picture)
        try write("media_attachments/files/000/000/007/small/mine.jpg", picture)
        try write("cache/preview_cards/images/000/000/002/original/kept.jpg", picture)
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws {
        var folder = oldMedia
        if !Disk.exists(folder) { try Disk.makeDirectory(folder) }
        let parts = path.split(separator: "/").map(String.init)
        for part in parts.dropLast() {
            folder = folder / part
            if !Disk.exists(folder) { try Disk.makeDirectory(folder) }
        }
        try Disk.write(folder / parts[parts.count - 1], bytes)
    }

    static func rows(_ address: String, age interval: String) -> String {
        let size = (try? RefreshLive.picture.get().count) ?? 0
        let age = "(extract(epoch FROM now() - interval '\(interval)') * 1000)::bigint"
        return """
            INSERT INTO accounts (id, username, domain, uri, avatar_remote_url, avatar_file_name, avatar_content_type,
                avatar_file_size, avatar_storage_schema_version, created_at, updated_at)
            VALUES (1, 'far', 'far.example', 'x', '\(address)a', 'gone.jpg', 'image/jpeg', 5, 1, now(), now());
            INSERT INTO accounts (id, username, created_at, updated_at) VALUES (2, 'near', now(), now());
            INSERT INTO statuses (id, account_id, uri, local, text, created_at, updated_at)
            VALUES ((\(age)) << 16, 1, 'x:1', false, '', now() - interval '\(interval)', now());
            INSERT INTO media_attachments (id, account_id, remote_url, type, file_file_name, file_content_type,
                file_file_size, file_storage_schema_version, created_at, updated_at)
            SELECT ((\(age)) - n * 1000) << 16, 1, '\(address)' || n, 0, 'cached.jpg', 'image/jpeg', 5, 1,
                now() - interval '\(interval)', now() FROM generate_series(1, \(recent)) n;
            INSERT INTO media_attachments (id, account_id, remote_url, type, file_file_name, file_content_type,
                file_file_size, file_storage_schema_version, created_at, updated_at)
            SELECT 100 + n, 1, '\(address)' || n, 0, 'cached.jpg', 'image/jpeg', 5, 1, '2020-01-01', '2020-01-01'
                FROM generate_series(1, \(old)) n;
            INSERT INTO media_attachments (id, account_id, remote_url, type, file_file_name, file_content_type,
                file_file_size, created_at, updated_at)
            VALUES (7, 2, '', 0, 'mine.jpg', 'image/jpeg', \(size), '2020-01-01', '2020-01-01');
            INSERT INTO preview_cards (id, url, image_file_name, image_content_type, image_file_size,
                image_storage_schema_version, created_at, updated_at)
            VALUES (1, 'https://p.example/1', 'lost.jpg', 'image/jpeg', 7, 1, now(), now()),
                (2, 'https://p.example/2', 'kept.jpg', 'image/jpeg', \(size), 1, '2020-01-01', '2020-01-01');
            """
    }

    /// Nothing is waited for: the server is this test's own.
    static let pace = ["--rate", "5000", "--per-host", "32", "--yes"]

    func arguments(_ options: [String] = []) -> [BytePath] {
        [BytePath("migrate"), BytePath("--env-file"), place.path / ".env.production", BytePath("--dump"), dump]
            + [BytePath("--media"), oldMedia] + (Self.pace + options).map { BytePath($0) }
    }

    var program: Program {
        var program = BinaryRunner.program()
        program.environment["MEDIASYNC_STATE"] = "\(state)"
        return program
    }

    func run(_ options: [String] = []) throws -> Program.Result { try program.run(arguments(options)) }

    func repair(_ options: [String] = []) throws -> Program.Result {
        let first = [BytePath("repair"), BytePath("--env-file"), place.path / ".env.production"]
        return try program.run(first + (["--rate", "5000"] + options).map { BytePath($0) })
    }

    @discardableResult
    func sql(_ statements: String) throws -> String {
        try CleanupLive.cluster.get().sql(statements, database: name, user: MastodonDatabase.role)
    }

    var exists: Bool { get throws { try CleanupLive.cluster.get().databases().contains(name) } }

    /// The database's number: another one is another restore.
    func oid() throws -> String {
        try CleanupLive.cluster.get().sql("SELECT oid FROM pg_database WHERE datname = '\(name)'")
    }

    /// What the rows name, without the random parts of names, and the files that are there, by folder.
    func endState() throws -> [String] {
        let rows = try sql(
            """
            SELECT 'attachment', id >> 16 > 0 AND id > 1000, id % 1000, file_file_name IS NOT NULL FROM media_attachments
            UNION ALL SELECT 'avatar', true, id, avatar_file_name IS NOT NULL FROM accounts
            UNION ALL SELECT 'card', true, id, image_file_name IS NOT NULL FROM preview_cards
            """
        )
        var files: [String] = []
        for (path, entry) in try TreeSnapshot(of: root).entries where entry.kind == .file {
            // Numbers by time differ between two servers of this test.
            let parts = "\(path)".split(separator: "/")
            files.append(parts.prefix(3).joined(separator: "/") + " " + parts.suffix(2).prefix(1).joined())
        }
        let named = rows.split(separator: "\n").map { line in
            let fields = line.split(separator: "|")
            return fields[1] == "t" && fields[0] == "attachment" ? "attachment recent \(fields[3])" : "\(line)"
        }
        return named.sorted() + files.sorted()
    }

    /// Files that rows name and that are no whole picture, by the program's own word: nothing where all is well.
    func differences() throws -> String {
        let arguments = [BytePath("verify"), BytePath("--store"), BytePath("--files"), BytePath("--env-file")]
        return try program.run(arguments + [place.path / ".env.production"]).text
    }
}
