package import Dumps
package import MediaModel

/// Everything that is judged, as it was found: values only, so that each judgement can be tried without a server.
package struct ServerFacts: Sendable {
    package var settings = SettingsFacts()
    package var database = DatabaseFacts()
    package var media = MediaFacts()
    package var host = HostFacts()
    package var tools: [ToolFacts] = []

    package init() {}
}

/// A value and who says so.
package struct Sourced: Sendable, Equatable {
    package var value: String
    package var origin: String

    package init(_ value: String, _ origin: String) {
        self.value = value
        self.origin = origin
    }
}

/// Mastodon's own settings.
package struct SettingsFacts: Sendable {
    /// Nil where none was found.
    package var envFile: Sourced?
    /// Why it could not be read.
    package var error: SyncError?
    /// Its permissions.
    package var mode: UInt32?
    package var strangeLines: [Int] = []
    /// Something else says where the database is.
    package var namesDatabase = false
    /// `PREPARED_STATEMENTS` is `false`.
    package var hasPreparedStatementsOff = false
    /// Without its password; nil where nothing says.
    package var redis: Sourced?

    package init() {}
}

/// The database that the settings name.
package struct DatabaseFacts: Sendable {
    package var address: Sourced?
    /// Why there is no address or no connection.
    package var error: SyncError?
    /// Nil where there is no connection.
    package var session: Session?

    package init() {}

    /// What a connection told.
    package struct Session: Sendable {
        /// As PostgreSQL counts: 150018 is 15.18.
        package var version: Int
        package var user: String
        package var isPooled: Bool
        /// Why the tables are not Mastodon's.
        package var schemaError: SyncError?
        package var release: ReleaseMatch?
        /// Tables that `cleanup` changes and this role may not.
        package var readOnlyTables: [String] = []
        /// May make databases, as `restore` does.
        package var createsDatabases = true
        /// The server's clock minus ours.
        package var clockAheadSeconds: Double = 0

        package init(version: Int, user: String, isPooled: Bool) {
            self.version = version
            self.user = user
            self.isPooled = isPooled
        }
    }
}

/// The directory of the media.
package struct MediaFacts: Sendable {
    package var root: Sourced?
    /// Why there is none, or why it cannot be opened.
    package var error: SyncError?
    package var names: Set<BytePath> = []
    /// Of Mastodon's folders, those that are links.
    package var links: [BytePath] = []
    /// Those that lie on other file systems.
    package var mounts: [BytePath] = []
    /// `mastodon:mastodon 0755`.
    package var owner = ""
    package var isWritable = true
    package var isReadOnlyMount = false
    package var space = Space()
    /// Whom the web server runs as; nil where no such user is known here.
    package var webUser: String?
    /// The first thing on the way to a file that this user may not pass.
    package var blocked: Blocked?
    /// Files that were tried.
    package var sampledFiles = 0

    package init() {}

    package struct Space: Sendable, Equatable {
        package var bytes: UInt64 = 0
        package var freeBytes: UInt64 = 0
        /// 0 where the file system has no fixed number.
        package var inodes: UInt64 = 0
        package var freeInodes: UInt64 = 0

        package init() {}
    }

    package struct Blocked: Sendable, Equatable {
        package var path: BytePath
        /// An access list may allow what the mode does not.
        package var hasAccessList: Bool

        package init(path: BytePath, hasAccessList: Bool) {
            self.path = path
            self.hasAccessList = hasAccessList
        }
    }
}

/// This process and this machine.
package struct HostFacts: Sendable {
    /// How many files may be open.
    package var descriptors = 0
    /// Where runs are recorded; nil where there is no place.
    package var state: Sourced?
    package var isStateWritable = true

    package init() {}
}

/// A program or library.
package struct ToolFacts: Sendable, Equatable {
    package enum Tool: String, Sendable, CaseIterable {
        case ffmpeg
        case ffprobe
        case libvips
    }

    package var tool: Tool
    package var place: Sourced?
    /// As it names its version itself; nil where it does not start.
    package var version: String?

    package init(_ tool: Tool, place: Sourced?, version: String?) {
        self.tool = tool
        self.place = place
        self.version = version
    }
}
