package import Archives
package import MediaModel

/// What one pass over a dump finds out, before anything is touched. Values only: it can be printed and saved.
package struct DumpInspection: Sendable {
    package var kind: DumpKind
    package var compression: Compression
    /// Bytes of the file, and of the text in it.
    package var fileBytes: Int64
    package var textBytes: Int64 = 0
    /// Lines of the text.
    package var lines = 0
    /// `15.18 (Debian 15.18-0+deb12u1)`, from the header; escaped.
    package var serverVersion: String?
    /// Of the program that made the dump.
    package var programVersion: String?
    /// Of a cluster each, in its order; else one.
    package var databases: [DatabaseInspection] = []
    /// What stands outside of all databases: the roles of a cluster.
    package var outside = VettingSummary()
    /// When the dump was begun, as its header says (`--verbose` only); escaped.
    package var startedOn: String?
    /// When the dump was made, in seconds since 1970: the header's time, else the newest post, else the file's.
    package var madeAt: Int64?
    /// What `madeAt` was taken from.
    package var madeAtSource: TimeSource?

    package typealias TimeSource = RestoredDump.Source

    package init(kind: DumpKind, compression: Compression, fileBytes: Int64) {
        self.kind = kind
        self.compression = compression
        self.fileBytes = fileBytes
    }

    /// The server's major version, 15 for `15.18`; nil where the header does not tell.
    package var serverMajor: Int? { serverVersion.flatMap { Int($0.prefix { $0.isNumber }) } }

    /// The database that is Mastodon's: the only one with its tables. Nil where there is none or more than one.
    package var mastodonDatabase: DatabaseInspection? {
        let candidates = databases.filter(\.isMastodon)
        return candidates.count == 1 ? candidates[0] : nil
    }
}

/// One database of a dump.
package struct DatabaseInspection: Sendable {
    /// As the dump names it; nil where a plain dump does not.
    package var name: String?
    /// Line of its first element.
    package var line: Int
    /// Rows and bytes of every table that has a definition or data.
    package var tables: [TableName: TableContent] = [:]
    /// The versions in `schema_migrations`.
    package var migrations: Set<String> = []
    /// `client_encoding` of the dump: `UTF8`.
    package var encoding: String?
    /// How it was made, where the dump tells.
    package var definition: DatabaseDefinition?
    /// The tables of the indexes, by the indexes' names.
    package var indexTables: [TableName: TableName] = [:]
    /// Statements by what they are for.
    package var indexes = 0
    package var foreignKeys = 0
    package var vetting = VettingSummary()
    /// The moment of the newest post that has a snowflake as its id, in seconds since 1970.
    package var newestStatusAt: Int64?

    package init(name: String?, line: Int) {
        self.name = name
        self.line = line
    }

    package var rows: Int { tables.values.reduce(0) { $0 + $1.rows } }
    package var bytes: Int64 { tables.values.reduce(0) { $0 + $1.bytes } }

    /// Whether the tables are Mastodon's.
    package var isMastodon: Bool {
        ["schema_migrations", "accounts", "statuses", "media_attachments"].allSatisfy { tables[TableName($0)] != nil }
    }

    /// The release whose schema this is.
    package var release: ReleaseMatch { MastodonReleases.match(migrations) }
}

/// Rows of one table, and the bytes they take in the dump.
package struct TableContent: Sendable, Equatable {
    package var rows = 0
    package var bytes: Int64 = 0

    package init(rows: Int = 0, bytes: Int64 = 0) {
        self.rows = rows
        self.bytes = bytes
    }
}

/// What would not be run of a dump, and what must not.
package struct VettingSummary: Sendable {
    /// The most refusals and left-out statements that are kept in full.
    package static let examplesMax = 20

    /// Counts of what is left out.
    package var leftOut: [LeftOutReason: Int] = [:]
    /// The first of them.
    package var leftOutExamples: [LeftOutExample] = []
    package var refused: [Refusal.Reason: Int] = [:]
    package var refusals: [Refusal] = []

    package init() {}

    /// The first refusal in the order of the dump.
    package var firstRefusal: Refusal? { refusals.first }

    package struct LeftOutExample: Sendable, Hashable {
        package var line: Int
        package var reason: LeftOutReason
        /// Escaped, cut short.
        package var text: String
    }

    mutating func add(_ refusal: Refusal) {
        refused[refusal.reason, default: 0] += 1
        if refusals.count < Self.examplesMax { refusals.append(refusal) }
    }

    mutating func add(_ reason: LeftOutReason, line: Int, text: @autoclosure () -> String) {
        leftOut[reason, default: 0] += 1
        if leftOutExamples.count < Self.examplesMax {
            leftOutExamples.append(LeftOutExample(line: line, reason: reason, text: text()))
        }
    }
}
