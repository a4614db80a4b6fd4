package import Caches
package import MediaModel

/// What an export holds, and where it goes.
package struct ExportOptions: Sendable {
    /// How the media are compressed.
    package enum MediaCompression: String, Sendable, CaseIterable {
        /// `media.tar.gz`, which the snap restores.
        case gzip
        /// `media.tar.zst`, several times faster.
        case zstd

        var archiveName: BytePath { BytePath(self == .gzip ? "media.tar.gz" : "media.tar.zst") }
    }

    /// A file or directory of the server that is copied where it is there.
    package struct Extra: Sendable {
        package var version: BytePath?
        package var settings: BytePath?
        package var certificates: BytePath?

        package init() {}
    }

    /// Where Redis' data come from.
    package struct Redis: Sendable {
        /// The file that it saves, named by the user; what is no file (`/dev/null`) leaves it out. Nil lets Redis tell.
        package var file: BytePath?
        /// Asked to save before; nil takes what it saved last.
        package var server: CacheSettings?

        package init() {}
    }

    /// Where exports are kept.
    package var directory: BytePath
    /// Of this one.
    package var name: BytePath
    /// Nil leaves the media out.
    package var media: BytePath?
    package var includesCache = false
    package var compression = MediaCompression.gzip
    package var digest = DigestAlgorithm.xxh3
    /// Nil leaves the database out.
    package var database: DatabaseDump?
    /// Mastodon's settings; nil where they were not found.
    package var configuration: BytePath?
    package var extra = Extra()
    package var redis = Redis()
    package var jobs: Int?
    /// Older exports go, but for the newest of them; nil keeps all.
    package var keepDays: Double?
    package var reportsEveryItem = false

    package init(directory: BytePath, name: BytePath) {
        self.directory = directory
        self.name = name
    }

    /// How the database is dumped.
    package struct DatabaseDump: Sendable {
        /// All databases and roles of the server, as the snap does it: needs its superuser.
        package var isCluster: Bool
        /// Of the program, `PGHOST` and `PGPASSWORD` among it.
        package var environment: [String: String]

        package init(isCluster: Bool, environment: [String: String]) {
            self.isCluster = isCluster
            self.environment = environment
        }
    }

    /// A name for exports that are made now: `20261124-134500`, in UTC.
    package static func name(at secondsSince1970: Int64) -> BytePath {
        BytePath(UTCTime(secondsSince1970: secondsSince1970).compact)
    }

    /// Throws where a name is none that a directory here may have.
    func checkName() throws(SyncError) {
        let bytes = name.bytes
        let isPlain =
            !bytes.isEmpty && bytes.count <= 200 && bytes[0] != UInt8(ascii: ".")
            && !bytes.contains(UInt8(ascii: "/")) && !bytes.contains(0)
        if isPlain { return }
        throw SyncError(
            .usage,
            "\(name) cannot be the name of an export",
            hint: "name one directory, without a dot in front"
        )
    }
}
