import ArgumentParser
import Foundation
import MediaModel
import Postgres
import Settings
import Storage

/// Where Mastodon is: its settings, and with them its database and its media.
struct MastodonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Mastodon's settings. Default: $MEDIASYNC_ENV_FILE, then the usual places.",
            valueName: "path"
        )
    )
    var envFile: String?

    @Option(
        help: ArgumentHelp(
            "Where its media are. Default: $MEDIASYNC_MEDIA_ROOT, PAPERCLIP_ROOT_PATH, then public/system beside the settings.",
            valueName: "dir"
        )
    )
    var mediaRoot: String?
}

/// A Mastodon server's settings, from its env file and the environment (which wins, as it does for Mastodon itself).
struct MastodonServer {
    /// Nil where none was found: the environment must say everything then.
    let envFile: BytePath?
    private let file: EnvironmentFile
    private let environment: [String: String]
    private let mediaRootFlag: String?

    /// Where installations by the official guide and the snap keep them.
    private static let usualPlaces = [
        "/home/mastodon/live/.env.production", "/opt/mastodon/.env.production", "/var/www/mastodon/.env.production",
        "/var/snap/mastodon-server/common/mastodon.conf",
    ]
    /// Settings files are some kilobytes.
    private static let envFileLimit = 1 << 20

    init(_ options: MastodonOptions, environment: [String: String]) throws(SyncError) {
        self.environment = environment
        mediaRootFlag = options.mediaRoot ?? environment["MEDIASYNC_MEDIA_ROOT"]
        let place: BytePath?
        if let named = options.envFile ?? environment["MEDIASYNC_ENV_FILE"] {
            place = RawArguments.path(named)
        } else {
            place = Self.usualPlaces.first { FileManager.default.isReadableFile(atPath: $0) }.map { BytePath($0) }
        }
        envFile = place
        guard let place else {
            file = EnvironmentFile([])
            return
        }
        do throws(SyncError) {
            file = EnvironmentFile(try UserFile.read(place, limit: Self.envFileLimit))
        } catch {
            throw SyncError(.configuration, error.what, why: error.why, hint: "check --env-file")
        }
    }

    func value(_ name: String) -> String? { environment[name] ?? file[name] }

    /// Where its database is.
    func database() throws(SyncError) -> ConnectionSettings {
        let names = ["DATABASE_URL", "DB_HOST", "DB_NAME", "DB_USER", "PGHOST", "PGDATABASE", "PGSERVICE"]
        guard envFile != nil || names.contains(where: { value($0) != nil }) else {
            throw SyncError(
                .configuration,
                "Mastodon's settings were not found",
                why: "none of \(Self.usualPlaces.joined(separator: ", ")) can be read, and DB_HOST is not set",
                hint: "name its .env.production with --env-file"
            )
        }
        var settings = try ConnectionSettings(mastodon: value)
        // What Mastodon itself takes where its settings are silent; libpq's own variables come first.
        if envFile != nil {
            if settings.host == nil, environment["PGHOST"] == nil { settings.host = "localhost" }
            if settings.user == nil, environment["PGUSER"] == nil { settings.user = "mastodon" }
        }
        if settings.database == nil { settings.database = environment["PGDATABASE"] ?? "mastodon_production" }
        return settings
    }

    /// The directory of its media.
    func mediaRoot() throws(SyncError) -> BytePath {
        if let flag = mediaRootFlag { return RawArguments.path(flag) }
        let elsewhere = ["S3_ENABLED", "SWIFT_ENABLED", "AZURE_ENABLED"].first { value($0) == "true" }
        if let elsewhere {
            throw SyncError(
                .configuration,
                "the media are not in a directory",
                why: "\(elsewhere) is true: they are in object storage, which this command does not know yet",
                hint: "name a directory with --media-root if there is one all the same"
            )
        }
        let live = envFile.map { $0.directory }
        if let set = value("PAPERCLIP_ROOT_PATH"), !set.isEmpty {
            guard set.contains(":rails_root") else { return BytePath(set) }
            if let live {
                return BytePath(set.replacing(":rails_root", with: String(decoding: live.bytes, as: UTF8.self)))
            }
        }
        guard let envFile, let live else {
            throw SyncError(
                .configuration,
                "the directory of the media is not known",
                hint: "name it with --media-root, or Mastodon's settings with --env-file"
            )
        }
        // The snap's settings lie beside its media.
        let isSnap = envFile.lastComponent == BytePath("mastodon.conf")
        return BytePath(bytes: live.bytes + Array((isSnap ? "/media" : "/public/system").utf8))
    }

    /// The store in that directory.
    /// - Parameter trash: where removed files go; on the same file system.
    func store(trash: BytePath? = nil) throws(SyncError) -> LocalMediaStore {
        let root = try mediaRoot()
        let bin = try trash.map { (path) throws(SyncError) in
            try Self.open(path, "the trash", hint: "make the directory, or name another one")
        }
        let hint = "name it with --media-root; if it is a mount, mount it first"
        let store = try Self.open(root, "the media root", hint: hint, trash: bin)
        if let bin, try Self.device(of: bin) != Self.device(of: store) {
            throw SyncError(
                .usage,
                "the trash is on another file system than the media",
                hint: "name a directory on the file system of \(root)"
            )
        }
        return store
    }

    private static func open(
        _ path: BytePath,
        _ what: String,
        hint: String,
        trash: LocalMediaStore? = nil
    ) throws(SyncError) -> LocalMediaStore {
        do throws(FileFault) {
            return try LocalMediaStore(path, trash: trash)
        } catch {
            throw SyncError(.unusable, "cannot open \(what) \(path)", why: error.reason, hint: hint)
        }
    }

    private static func device(of store: LocalMediaStore) throws(SyncError) -> UInt64 {
        do throws(FileFault) {
            return try store.directory.metadata().device
        } catch {
            throw error.syncError("cannot look at the media root")
        }
    }
}

extension BytePath {
    /// The directory of a file that a user named: `.` for a name alone.
    fileprivate var directory: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return BytePath(".") }
        return BytePath(bytes: Array(bytes[..<max(1, slash)]))
    }
}
