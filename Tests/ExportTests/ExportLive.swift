import MediaModel
import MediasyncTesting

/// A server to be exported: settings, a filled database, media of every kind and size, and what the snap has beside them.
final class ExportLive {
    private static let shared = Result { try makeCluster() }
    /// For tests that make databases: a dump of a whole server sees them come and go.
    static let changing = Result { try makeCluster() }

    private static func makeCluster() throws -> PostgresCluster {
        let cluster = try PostgresCluster()
        try MastodonDatabase(cluster, name: "mastodon").fill(accounts: 20, statuses: 100)
        return cluster
    }

    let cluster: PostgresCluster
    let place: TemporaryDirectory
    var media: BytePath { place.path / "media" }
    var exports: BytePath { place.path / "backups" }
    var settings: BytePath { place.path / "mastodon.conf" }
    static let secret = "s3cret of the database"

    init(files: Int = 60, cluster own: Result<PostgresCluster, any Error>? = nil) throws {
        cluster = try (own ?? Self.shared).get()
        place = try TemporaryDirectory()
        try Disk.makeDirectory(exports)
        try Disk.makeDirectory(media)
        try Disk.write(
            settings,
            """
            # exported
            LOCAL_DOMAIN=example.social
            DB_HOST=\(cluster.socketDirectory)
            DB_PORT=\(cluster.port)
            DB_NAME=mastodon
            DB_USER=mastodon
            DB_PASS='\(Self.secret)'

            """
        )
        try Disk.write(place.path / "version", "4.5.0snap1\n")
        try Disk.makeDirectory(place.path / "certs")
        try Disk.write(place.path / "certs" / "key.pem", "a key", mode: 0o600)
        try Disk.write(place.path / "dump.rdb", "REDIS0011 data")
        var random = SeededGenerator(seed: 77)
        for index in 0..<files {
            let kind = ["accounts/avatars", "media_attachments/files", "cache/preview_cards/images"][index % 3]
            let folder = media / kind / "000" / "00\(index % 4)" / "\(100 + index)" / "original"
            // Whoever looked at the host in this process has cleared its umask.
            try Program("sh").check(["-c", "umask 022; exec mkdir -p \"$0\""], folder)
            let size = index % 20 == 0 ? 2_300_000 : Int.random(in: 0...30_000, using: &random)
            try Disk.write(folder / "f\(index).png", random.bytes(size), mode: index % 7 == 0 ? 0o600 : 0o644)
            try Disk.setTime(folder / "f\(index).png", 1_600_000_000 + index)
        }
        let long = String(repeating: "n", count: 200)
        try Disk.write(media / "accounts" / "avatars" / long, "a long name")
        try Disk.write(media / "accounts" / "avatars" / BytePath(bytes: [0xFF, 0x0A, 0x5C]), "strange bytes")
        try Disk.setTime(media / "accounts" / "avatars" / long, 1_600_000_000)
        try Disk.setTime(media / "accounts" / "avatars" / BytePath(bytes: [0xFF, 0x0A, 0x5C]), 1_600_000_000)
    }

    func start(
        _ options: [String],
        in directory: BytePath? = nil,
        wrapper: [String] = [],
        namesRedis: Bool = true
    ) throws
        -> RunningProgram
    {
        let program = BinaryRunner.program(wrapper: wrapper)
        var fixed = [BytePath("export"), BytePath("--env-file"), settings, BytePath("--media-root"), media]
        if namesRedis { fixed += [BytePath("--redis"), place.path / "dump.rdb"] }
        return try program.start(fixed + options.map { BytePath($0) } + [directory ?? exports])
    }

    func export(_ options: String...) throws -> Program.Result {
        try start(options).wait(timeout: 120)
    }

    func verify(_ name: String) throws -> Program.Result {
        try BinaryRunner.program().run([BytePath("verify"), BytePath("--backup"), exports / name], timeout: 120)
    }

    /// Names in the directory of exports.
    func names() throws -> [String] { try Disk.names(in: exports).map(\.description) }

    /// The media without what other servers have.
    func ownMedia() throws -> TreeSnapshot {
        try TreeSnapshot(of: media).without { $0.bytes.starts(with: Array("cache".utf8)) }
    }
}
