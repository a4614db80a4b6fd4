import MediaModel
import MediasyncTesting
import Testing

/// A server with a filled Mastodon database, made once for all tests, and dumps of it.
struct Origin: Sendable {
    let cluster: PostgresCluster
    let database: MastodonDatabase
    /// What pg_dump says of it: every restored copy must say the same.
    let canonical: String
    private let place: TemporaryDirectory

    private static let shared = Result { try Origin() }
    static func get() throws -> Origin { try shared.get() }

    private init() throws {
        cluster = try PostgresCluster(settings: ["max_connections": "100"])
        database = try MastodonDatabase(cluster, name: "origin")
        try database.fill()
        // Every role is made here: tests that compare the roles before and after run beside others.
        try cluster.sql("CREATE ROLE weak LOGIN")
        canonical = try database.canonicalDump()
        place = try TemporaryDirectory()
        try database.writeDump(to: plainPath)
        // Nobody is connected any more: it is a template for the databases of the tests.
    }

    private var plainPath: BytePath { place.path / "plain.sql" }

    /// The plain dump, as it was written.
    var plain: BytePath { plainPath }
    func plainText() throws -> String { try Disk.text(plainPath) }

    /// A live database of a test's own: what Mastodon serves before the restore, with one account fewer.
    func makeLive(_ name: String) throws -> LiveDatabase {
        try LiveDatabase(cluster, name: name, template: database.name)
    }
}

/// What is replaced.
struct LiveDatabase {
    let cluster: PostgresCluster
    let name: String
    let oid: String
    /// What tells it from the dump.
    static let mark = "the old database"

    init(_ cluster: PostgresCluster, name: String, template: String) throws {
        self.cluster = cluster
        self.name = name
        // Two tests may copy the template at the same moment: the server refuses while somebody is connected to it.
        let made = RunningProgram.eventually {
            (try? cluster.sql("CREATE DATABASE \"\(name)\" TEMPLATE \"\(template)\" OWNER mastodon")) != nil
        }
        guard made else { throw TestFault("cannot make \(name)") }
        try cluster.sql(
            "INSERT INTO rules (text, created_at, updated_at) VALUES ('\(Self.mark)', now(), now())",
            database: name,
            user: "mastodon"
        )
        oid = try cluster.sql("SELECT oid FROM pg_database WHERE datname = '\(name)'")
    }

    /// Databases that belong to this name, itself among them.
    func relatives() throws -> [String] {
        try cluster.databases().filter { $0 == name || $0.hasPrefix(name + "_") }
    }

    /// Whether the old one is live and usable, and nothing else is left of a run.
    func expectUntouched(
        _ comment: @autoclosure () -> Comment = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try relatives() == [name], comment(), sourceLocation: sourceLocation)
        #expect(try isOld(), comment(), sourceLocation: sourceLocation)
    }

    func isOld() throws -> Bool {
        let number = try cluster.sql("SELECT oid, datallowconn FROM pg_database WHERE datname = '\(name)'")
        let rows = try cluster.sql("SELECT count(*) FROM rules WHERE text = '\(Self.mark)'", database: name)
        return number == "\(oid)|t" && rows == "1"
    }

    func canonicalDump() throws -> String {
        try MastodonDatabase(existing: cluster, name: name).canonicalDump()
    }

    // MARK: Running mediasync

    func program(user: String = "mastodon", wrapper: [String] = []) -> Program {
        var program = BinaryRunner.program(wrapper: wrapper)
        program.environment.merge(cluster.environment(user: user, database: name)) { $1 }
        program.environment["PGPASSWORD"] = nil
        program.environment["PGOPTIONS"] = nil
        program.environment["PGDATABASE"] = nil
        return program
    }

    func start(_ options: [String], _ dump: BytePath, user: String = "mastodon") throws -> RunningProgram {
        let all = ["restore", "--yes", "--into", name, "--jobs", "3", "--env-file", "/dev/null"] + options
        return try program(user: user).start(all.map { BytePath($0) } + [dump])
    }

    func restore(_ options: [String], _ dump: BytePath, user: String = "mastodon") throws -> Program.Result {
        try start(options, dump, user: user).wait(timeout: 120)
    }

    func restore(_ dump: BytePath) throws -> Program.Result { try restore([], dump) }

    /// `--undo`, `--drop-previous`.
    func act(_ options: [String]) throws -> Program.Result {
        let all = ["restore", "--yes", "--into", name, "--env-file", "/dev/null"] + options
        return try program().run(all.map { BytePath($0) }, timeout: 60)
    }
}
