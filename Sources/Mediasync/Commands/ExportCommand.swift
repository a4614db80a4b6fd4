import ArgumentParser
import Backups
import Caches
import Foundation
import MediaModel
import Postgres
import Settings
import Storage

/// `mediasync export DIR`.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Make an export of the server: database, settings, certificates, Redis' data, media.",
        discussion: """
            Makes DIR/NAME with the layout of the snap's export, which the snap and mediasync restore: database.sql, \
            mastodon.conf, redis.rdb, certs/, and media.tar.gz or media.tar.zst with a manifest of digests. It is built \
            under another name, put on the disk, read back and compared, and only then gets its own. What other servers \
            have (cache/) is left out.
            """
    )

    @Argument(help: ArgumentHelp("The directory that exports are kept in.", valueName: "dir")) var directory: String

    @Option(help: ArgumentHelp("Of this export. Default: the time in UTC, 20261124-134500.", valueName: "name"))
    var name: String?

    @Flag(name: .customLong("no-media"), help: "Leave the media out.") var leavesMediaOut = false

    @Flag(name: .customLong("no-database"), help: "Leave the database out.") var leavesDatabaseOut = false

    @Flag(help: "Take what other servers have as well (cache/).") var includeCache = false

    @Flag(help: "Compress the media by zstd (media.tar.zst), several times faster; the snap takes gzip only.")
    var zstd =
        false

    @Flag(help: "Dump the whole server by pg_dumpall, as the snap does; needs PostgreSQL's superuser ($PGUSER).")
    var cluster = false

    @Option(help: ArgumentHelp("Digests in the manifests: xxh3, sha256, blake2b.", valueName: "name"))
    var digest = DigestArgument(algorithm: .xxh3)

    @Option(
        help: ArgumentHelp(
            "The file that Redis saves its data to; /dev/null leaves them out. Default: the one that Redis tells, else "
                + "/var/lib/redis/dump.rdb. Redis is asked to save before.",
            valueName: "file"
        )
    )
    var redis: String?

    @Option(
        help: ArgumentHelp(
            "Afterwards remove exports older than this many days, but not the newest of them, and nothing that "
                + "mediasync did not make.",
            valueName: "n"
        )
    )
    var keepDays: Double?

    @Option(name: .shortAndLong, help: ArgumentHelp("Workers. Default: twice the processors.", valueName: "n"))
    var jobs: Int?

    @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if let jobs, !(1...64).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 64") }
        if let keepDays, !(0...36_500).contains(keepDays) { throw ValidationError("--keep-days is a number of days") }
        if digest.algorithm == nil { throw ValidationError("an export needs a digest") }
        if leavesMediaOut, zstd || includeCache || mastodon.mediaRoot != nil {
            throw ValidationError("--no-media leaves nothing for --zstd, --include-cache and --media-root to do")
        }
        if leavesDatabaseOut, cluster { throw ValidationError("--no-database and --cluster contradict each other") }
    }

    func run() async throws {
        let directory = RawArguments.path(directory)
        let madeAt = Storage.Host.wallClock().seconds
        let name = name.map(RawArguments.path) ?? ExportOptions.name(at: madeAt)
        try await RunSession.perform(
            command: "export",
            output: output,
            source: directory.appending(name),
            target: nil
        ) { session in
            ExportEngine(
                options: try options(directory, name),
                run: session.run,
                host: session.host,
                madeAt: madeAt,
                control: session.control,
                sink: session.sink
            )
        }
    }

    private func options(_ directory: BytePath, _ name: BytePath) throws(SyncError) -> ExportOptions {
        let server = try MastodonServer(mastodon)
        var options = ExportOptions(directory: directory, name: name)
        if !leavesMediaOut { options.media = try server.mediaRoot().path }
        options.includesCache = includeCache
        options.compression = zstd ? .zstd : .gzip
        options.digest = digest.algorithm ?? .xxh3
        if !leavesDatabaseOut {
            options.database = ExportOptions.DatabaseDump(
                isCluster: cluster,
                environment: Self.programEnvironment(try server.database(), isCluster: cluster)
            )
        }
        options.configuration = server.settings.envFile?.path
        options.redis.file = redis.map(RawArguments.path)
        options.redis.server = try? CacheSettings(mastodon: { name in
            // Sidekiq's jobs and the feeds are not in the cache, which may have a server of its own.
            name.hasPrefix("CACHE_") ? nil : server.settings[name]?.text
        })
        // The snap keeps them beside its settings.
        if let file = options.configuration, file.lastComponent == BytePath("mastodon.conf") {
            options.extra.version = file.parent.appending(BytePath("version"))
            options.extra.settings = file.parent.appending(BytePath("settings"))
            options.extra.certificates = file.parent.appending(BytePath("certs"))
        }
        options.jobs = jobs
        options.keepDays = keepDays
        options.reportsEveryItem = output.verbose
        return options
    }

    /// What pg_dump needs: where the database is, and libpq's own variables and files of whoever runs this.
    private static func programEnvironment(_ database: ConnectionSettings, isCluster: Bool) -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var all = own.filter { $0.key.hasPrefix("PG") || ["PATH", "HOME", "USER", "LOGNAME"].contains($0.key) }
        all["LC_ALL"] = "C"
        all.merge(database.programEnvironment) { $1 }
        if isCluster, let superuser = own["PGUSER"], !superuser.isEmpty { all["PGUSER"] = superuser }
        return all
    }
}
