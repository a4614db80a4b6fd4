import Foundation
import MediaModel
import Postgres
import Settings
import Storage

/// A Mastodon server as its settings describe it: the one way in which commands find its database and its media.
struct MastodonServer {
    let settings: MastodonSettings
    private let mediaRootFlag: BytePath?

    init(_ options: MastodonOptions) throws(SyncError) {
        try self.init(envFile: options.envFile, mediaRoot: options.mediaRoot)
    }

    init(_ options: DatabaseOptions) throws(SyncError) {
        try self.init(envFile: options.envFile, mediaRoot: nil)
    }

    private init(envFile: String?, mediaRoot: String?) throws(SyncError) {
        settings = try MastodonSettings(
            envFile: envFile.map(RawArguments.path),
            environment: ProcessInfo.processInfo.environment,
            origins: CommandLineStart.origins,
            isReadable: { FileManager.default.isReadableFile(atPath: $0) },
            read: { (path) throws(SyncError) in
                try UserFile.read(path, limit: MastodonSettings.envFileBytesMax)
            }
        )
        mediaRootFlag = mediaRoot.map(RawArguments.path)
    }

    /// Where its database is.
    /// - Parameter isRequired: something must name it; else libpq's defaults are taken where nothing does.
    func database(isRequired: Bool = true) throws(SyncError) -> ConnectionSettings {
        guard !isRequired || settings.namesDatabase else {
            throw SyncError(
                .configuration,
                "Mastodon's settings were not found",
                why:
                    "none of \(MastodonSettings.usualPlaces.joined(separator: ", ")) can be read, and DB_HOST is not set",
                hint: "name its .env.production with --env-file"
            )
        }
        var address = try ConnectionSettings(mastodon: { settings[$0]?.text })
        address.host = address.host ?? settings.fallback(for: .host)
        address.user = address.user ?? settings.fallback(for: .user)
        address.database = address.database ?? settings.fallback(for: .database)
        return address
    }

    /// The directory of its media.
    func mediaRoot() throws(SyncError) -> MastodonSettings.Place { try settings.mediaRoot(flag: mediaRootFlag) }

    /// The store in that directory.
    /// - Parameter trash: where removed files go; on the same file system.
    func store(trash: BytePath? = nil) throws(SyncError) -> LocalMediaStore {
        let root = try mediaRoot().path
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
