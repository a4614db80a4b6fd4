package import MediaModel

extension MastodonSettings {
    /// The directory of its media: a flag, `MEDIASYNC_MEDIA_ROOT`, Mastodon's own `PAPERCLIP_ROOT_PATH`, or where it lies
    /// beside the settings.
    /// - Parameter flag: what `--media-root` names.
    /// - Throws: an error with the code `configuration` where the media are elsewhere or nobody says where.
    package func mediaRoot(flag: BytePath?) throws(SyncError) -> Place {
        if let flag { return Place(path: flag, origin: .flag("--media-root")) }
        if let named = filled("MEDIASYNC_MEDIA_ROOT") { return Place(path: BytePath(named.text), origin: named.origin) }
        let elsewhere = ["S3_ENABLED", "SWIFT_ENABLED", "AZURE_ENABLED"].first { self[$0]?.text == "true" }
        if let elsewhere {
            throw SyncError(
                .configuration,
                "the media are not in a directory",
                why: "\(elsewhere) is true: they are in object storage, which this command does not know yet",
                hint: "name a directory with --media-root if there is one all the same"
            )
        }
        let live = envFile.map { $0.path.directory }
        if let set = filled("PAPERCLIP_ROOT_PATH") {
            guard set.text.contains(":rails_root") else { return Place(path: BytePath(set.text), origin: set.origin) }
            if let live {
                let whole = set.text.replacing(":rails_root", with: String(decoding: live.bytes, as: UTF8.self))
                return Place(path: BytePath(whole), origin: set.origin)
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
        let isSnap = envFile.path.lastComponent == BytePath("mastodon.conf")
        let folder = isSnap ? "media" : "public/system"
        return Place(
            path: BytePath(bytes: live.bytes + Array("/\(folder)".utf8)),
            origin: .derived("\(folder) beside \(envFile.path)")
        )
    }
}

extension BytePath {
    /// The directory of a file that a user named: `.` for a name alone.
    fileprivate var directory: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return BytePath(".") }
        return BytePath(bytes: Array(bytes[..<max(1, slash)]))
    }
}
