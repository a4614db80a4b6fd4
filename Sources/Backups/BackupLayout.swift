package import MediaModel

/// The names in an export: those of the snap, which restores it as well, and two manifests of our own.
package enum BackupLayout {
    package static let version = BytePath("version")
    package static let settings = BytePath("settings")
    package static let configuration = BytePath("mastodon.conf")
    package static let dump = BytePath("database.sql")
    package static let redis = BytePath("redis.rdb")
    package static let certificates = BytePath("certs")
    /// The media archives that are known, the snap's first.
    package static let mediaArchives = [
        "media.tar.gz", "media.tar.zst", "media.tar", "media.tgz", "media.tar.xz", "media.tar.lz4", "media.tar.bz2",
    ].map { BytePath($0) }
    /// What the paths in a media archive begin with.
    static let mediaPrefix = BytePath("media")
    /// A digest of every file in the media archive, by its path below `media/`, in the archive's order.
    package static let mediaManifest = BytePath("media.manifest")
    /// A digest of every other file.
    package static let fileManifest = BytePath("files.manifest")
    /// Says that mediasync made the export, and when: only such are ever removed.
    static let marker = BytePath(".mediasync-export")
    /// An export that is not finished, or is being removed, until it has its name or is gone: with the run behind it.
    static let unfinishedPrefix = ".mediasync-export-"

    /// What the snap gives files and directories of an export.
    static let fileMode: UInt32 = 0o640
    static let directoryMode: UInt32 = 0o750

    /// Files of some lines, the settings of a server, certificates; a dump of Redis; more is not believed.
    static let smallBytesMax = 1 << 20
    static let certificateBytesMax: Int64 = 16 << 20
    static let certificatesMax = 1000
    static let redisBytesMax: Int64 = 1 << 40
    /// A manifest's line holds a path and a digest.
    static let lineBytesMax = 16 << 10

    /// Whether a name is that of an export that a run did not finish.
    static func isUnfinished(_ name: BytePath) -> Bool {
        guard name.bytes.starts(with: unfinishedPrefix.utf8) else { return false }
        let run = String(decoding: name.bytes.dropFirst(unfinishedPrefix.utf8.count), as: UTF8.self)
        return RunID(run) != nil
    }

    static func unfinished(_ run: RunID) -> BytePath { BytePath(unfinishedPrefix + run.text) }
}

/// The marker's text.
struct BackupMarker: Equatable {
    private static let firstLine = "mediasync export 1"

    /// When the export was made, in seconds since 1970.
    let madeAt: Int64

    init(madeAt: Int64) {
        self.madeAt = madeAt
    }

    /// Nil where the text is no marker's.
    init?(_ text: [UInt8]) {
        let lines = text.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        guard lines.count >= 2, lines[0] == Self.firstLine, lines[1].hasPrefix("made "),
            let time = Int64(lines[1].dropFirst(5))
        else { return nil }
        madeAt = time
    }

    var text: [UInt8] { Array("\(Self.firstLine)\nmade \(madeAt)\n".utf8) }
}
