import MediaModel
import Testing

@testable import Diagnosing
@testable import Dumps

/// Each check, by facts that make it fail.
@Suite struct CheckTests {
    /// A server where nothing is wrong.
    private static var good: ServerFacts {
        var facts = ServerFacts()
        facts.settings.envFile = Sourced("/live/.env.production", "--env-file")
        facts.settings.mode = 0o640
        facts.settings.namesDatabase = true
        facts.settings.redis = Sourced("localhost:6379", "default")
        facts.database.address = Sourced("database m on localhost as mastodon", "$DB_HOST")
        facts.database.session = session
        facts.media.root = Sourced("/live/public/system", "--media-root")
        facts.media.names = [BytePath("accounts"), BytePath("cache")]
        facts.media.owner = "mastodon:mastodon 0755"
        facts.media.webUser = "www-data"
        facts.media.sampledFiles = 3
        facts.media.space.bytes = 1000
        facts.media.space.freeBytes = 500
        facts.media.space.inodes = 1000
        facts.media.space.freeInodes = 500
        facts.host.descriptors = 4096
        facts.host.state = Sourced("/var/lib/mediasync", "default")
        facts.tools = ToolFacts.Tool.allCases.map {
            ToolFacts($0, place: Sourced("/usr/bin/\($0)", "PATH"), version: "8.1")
        }
        return facts
    }

    private static var session: DatabaseFacts.Session {
        var session = DatabaseFacts.Session(version: 150_018, user: "mastodon", isPooled: false)
        session.release = match(.exact)
        return session
    }

    private static func match(_ relation: ReleaseMatch.Relation) -> ReleaseMatch {
        ReleaseMatch(relation: relation, release: "4.5", next: "4.6", newestVersion: nil, unknownVersions: ["1"])
    }

    private static func error(_ code: SyncError.Code) -> SyncError {
        SyncError(code, "what", why: "why", hint: "hint")
    }

    @Test("where nothing is wrong every check says so, once, and nothing has a remedy")
    func allGood() {
        let findings = Check.findings(Self.good)
        #expect(findings.map(\.name) == Check.all.map(\.name))
        #expect(findings.allSatisfy { $0.verdict == .good && $0.remedy == nil })
        #expect(Set(findings.map(\.name)).count == findings.count)
    }

    /// What is wrong, which check must tell it, and how bad it is.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let check: String
        let verdict: Finding.Verdict
        let spoil: @Sendable (inout ServerFacts) -> Void

        init(
            _ description: String,
            _ check: String,
            _ verdict: Finding.Verdict,
            _ body: @escaping @Sendable (inout ServerFacts) -> Void
        ) {
            testDescription = description
            self.check = check
            self.verdict = verdict
            spoil = body
        }
    }

    static let faults: [Fault] = [
        Fault("the env file cannot be read", "settings", .problem(.configuration)) {
            $0.settings.error = error(.configuration)
        },
        Fault("no env file, and nothing names a database", "settings", .problem(.configuration)) {
            $0.settings.envFile = nil
            $0.settings.namesDatabase = false
        },
        Fault("no env file, but variables", "settings", .warning) { $0.settings.envFile = nil },
        Fault("a line that is no setting", "settings", .warning) { $0.settings.strangeLines = [4, 7] },
        Fault("everybody may read the passwords", "secrets", .warning) { $0.settings.mode = 0o644 },
        Fault("no server answers", "database", .problem(.database)) {
            $0.database.error = error(.database)
            $0.database.session = nil
        },
        Fault("an old server", "server", .warning) { $0.database.session?.version = 130_014 },
        Fault("a pooler", "connection", .warning) {
            $0.database.session?.isPooled = true
            $0.settings.hasPreparedStatementsOff = true
        },
        Fault("a pooler, and Mastodon names its statements", "connection", .warning) {
            $0.database.session?.isPooled = true
        },
        Fault("tables that are not Mastodon's", "schema", .problem(.schema)) {
            $0.database.session?.schemaError = error(.schema)
        },
        Fault("an update that was not finished", "schema", .warning) {
            $0.database.session?.release = match(.between)
        },
        Fault("a newer Mastodon", "schema", .warning) { $0.database.session?.release = match(.newer) },
        Fault("migrations of nobody", "schema", .warning) { $0.database.session?.release = match(.unknown) },
        Fault("a role that may not change rows", "rights", .problem(.database)) {
            $0.database.session?.readOnlyTables = ["accounts"]
        },
        Fault("a role that makes no databases", "rights", .warning) {
            $0.database.session?.createsDatabases = false
        },
        Fault("a clock ahead", "clock", .warning) { $0.database.session?.clockAheadSeconds = 31 },
        Fault("a clock behind", "clock", .warning) { $0.database.session?.clockAheadSeconds = -3600 },
        Fault("no media root", "media root", .problem(.unusable)) { $0.media.error = error(.unusable) },
        Fault("media in object storage", "media root", .problem(.configuration)) {
            $0.media.error = error(.configuration)
            $0.media.root = nil
        },
        Fault("an empty root", "media root", .problem(.unusable)) { $0.media.names = [] },
        Fault("another directory", "media root", .problem(.unusable)) { $0.media.names = [BytePath("x")] },
        Fault("a folder that is a link", "folders", .warning) { $0.media.links = [BytePath("cache")] },
        Fault("a folder that is mounted", "folders", .warning) { $0.media.mounts = [BytePath("cache")] },
        Fault("a read-only mount", "writing", .problem(.unusable)) { $0.media.isReadOnlyMount = true },
        Fault("somebody else's directory", "writing", .problem(.unusable)) { $0.media.isWritable = false },
        Fault("no web server's user", "web server", .warning) { $0.media.webUser = nil },
        Fault("a directory that the web server may not pass", "web server", .problem(.unusable)) {
            $0.media.blocked = .init(path: BytePath("/live"), hasAccessList: false)
        },
        Fault("one whose access list may allow it", "web server", .warning) {
            $0.media.blocked = .init(path: BytePath("/live"), hasAccessList: true)
        },
        Fault("little room", "space", .warning) { $0.media.space.freeBytes = 49 },
        Fault("no room", "space", .problem(.exhausted)) { $0.media.space.freeBytes = 9 },
        Fault("few inodes", "inodes", .warning) { $0.media.space.freeInodes = 49 },
        Fault("no inodes", "inodes", .problem(.exhausted)) { $0.media.space.freeInodes = 0 },
        Fault("few descriptors", "descriptors", .warning) { $0.host.descriptors = 1023 },
        Fault("too few descriptors", "descriptors", .problem(.exhausted)) { $0.host.descriptors = 63 },
        Fault("no place for the run state", "run state", .problem(.configuration)) { $0.host.state = nil },
        Fault("a run state of somebody else", "run state", .warning) { $0.host.isStateWritable = false },
        Fault("no ffmpeg", "ffmpeg", .warning) { $0.tools[0].place = nil },
        Fault("an ffprobe that does not start", "ffprobe", .warning) { $0.tools[1].version = nil },
        Fault("no libvips", "libvips", .warning) { $0.tools[2].place = nil },
    ]

    @Test("what is wrong is told by its check, with a remedy, and by no other", arguments: faults)
    func fault(fault: Fault) throws {
        var facts = Self.good
        fault.spoil(&facts)
        let findings = Check.findings(facts)
        let bad = findings.filter { $0.verdict != .good }
        #expect(bad.map(\.name) == [fault.check])
        let finding = try #require(bad.first)
        #expect(finding.verdict == fault.verdict)
        #expect(finding.remedy?.isEmpty == false)
    }

    @Test("every check but that of an address has a fault that it tells")
    func complete() {
        let told = Set(Self.faults.map(\.check)).union(["redis"])
        #expect(Check.all.map(\.name).filter { !told.contains($0) } == [])
    }

    @Test("a file system without a fixed number of inodes has enough, a fork is no fault")
    func harmless() {
        var facts = Self.good
        facts.media.space.inodes = 0
        facts.media.space.freeInodes = 0
        facts.database.session?.release = Self.match(.fork)
        #expect(Check.findings(facts).allSatisfy { $0.verdict == .good })
    }
}
