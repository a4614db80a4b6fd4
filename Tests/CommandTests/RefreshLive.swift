import MediaModel
import MediasyncTesting
import Synchronization

/// A live directory whose database names media that are not there, and a server that has them.
final class RefreshLive {
    let place: TemporaryDirectory
    let name: String
    let origin: OriginServer
    var root: BytePath { place.path / "media" }

    /// A small picture, made once.
    static let picture = Result { () throws -> [UInt8] in
        let place = try TemporaryDirectory()
        let options = ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=900x700:rate=1", "-frames:v", "1", "-y"]
        try Program("ffmpeg").check(options, place.path / "picture.jpg")
        return try Disk.read(place.path / "picture.jpg")
    }

    /// - Parameter content: what the server answers; by default the picture.
    init(_ name: String, attachments: Int, content: OriginServer.Content? = nil) throws {
        self.name = name
        place = try TemporaryDirectory()
        let picture = try Self.picture.get()
        origin = try OriginServer(content: content ?? { _ in .body(picture, type: "image/jpeg") })
        let cluster = try CleanupLive.cluster.get()
        _ = try MastodonDatabase(cluster, name: name, release: "4.6")
        let settings = """
            DB_HOST=\(cluster.socketDirectory)
            DB_PORT=\(cluster.port)
            DB_NAME=\(name)
            DB_USER=\(MastodonDatabase.role)
            LOCAL_DOMAIN=my.example
            PAPERCLIP_ROOT_PATH=\(place.path / "media")
            ALLOWED_PRIVATE_ADDRESSES=127.0.0.0/8

            """
        try Disk.write(place.path / ".env.production", settings)
        for folder in ["media", "media/cache"] { try Disk.makeDirectory(place.path / folder) }
        try sql(
            """
            INSERT INTO accounts (id, username, domain, created_at, updated_at)
                VALUES (1, 'far', 'far.example', now(), now());
            INSERT INTO media_attachments (id, account_id, remote_url, type, created_at, updated_at)
                SELECT n, 1, '\(origin.url("/m"))' || n, 0, now(), now() FROM generate_series(1, \(attachments)) n;
            """
        )
    }

    @discardableResult
    func sql(_ statements: String) throws -> String {
        try CleanupLive.cluster.get().sql(statements, database: name, user: MastodonDatabase.role)
    }

    func arguments(_ options: [String]) -> [BytePath] {
        [BytePath("refresh"), BytePath("--env-file"), place.path / ".env.production"]
            + options.map { BytePath($0) }
    }

    /// Nothing is waited for: the server is this test's own.
    static let options = ["--all", "--rate", "5000", "--per-host", "32"]

    func run(_ options: [String] = RefreshLive.options) throws -> Program.Result {
        try BinaryRunner.program().run(arguments(options))
    }

    /// Rows that name a file, with it.
    private func named() throws -> [Int: String] {
        let text = try sql("SELECT id, file_file_name FROM media_attachments WHERE file_file_name IS NOT NULL")
        return text.split(separator: "\n").reduce(into: [:]) { named, line in
            let parts = line.split(separator: "|")
            named[Int(parts[0]) ?? 0] = String(parts[1])
        }
    }

    static func paths(_ id: Int, _ file: String) -> [String] {
        let digits = String(repeating: "0", count: 9 - String(id).count) + String(id)
        let groups = stride(from: 0, to: 9, by: 3).map { start in String(digits.dropFirst(start).prefix(3)) }
        let folder = "cache/media_attachments/files/\(groups.joined(separator: "/"))"
        return ["\(folder)/original/\(file)", "\(folder)/small/\(file)"]
    }

    struct Audit {
        /// Rows that name a file.
        var named = 0
        /// Files that a row names and that are not there, or are no whole picture.
        var broken: Set<String> = []
        /// Files that no row names.
        var orphans: Set<String> = []
    }

    func audit() throws -> Audit {
        let rows = try named()
        let expected = Set(rows.flatMap { Self.paths($0.key, $0.value) })
        var present: Set<String> = []
        for (path, entry) in try TreeSnapshot(of: root).entries where entry.kind == .file { present.insert("\(path)") }
        var audit = Audit(named: rows.count)
        audit.orphans = present.subtracting(expected)
        audit.broken = expected.filter { path in
            guard present.contains(path), let bytes = try? Disk.read(root / path) else { return true }
            return bytes.prefix(2) != [0xFF, 0xD8] || bytes.suffix(2) != [0xFF, 0xD9]
        }
        return audit
    }
}
