import Dumps
import MediaModel
import MediasyncTesting
import Postgres
import Testing

@testable import Restoring

/// R12: what must be true of a stage before it goes live, and that each of it is looked at.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct StageVerificationTests {
    static let faults: [(sql: String, word: String)] = [
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'things_key'::regclass",
            "indexes that are not valid"
        ),
        (
            "UPDATE pg_index SET indisready = false WHERE indexrelid = 'things_key'::regclass",
            "indexes that are not valid"
        ),
        ("ALTER TABLE things ADD CHECK (id > 0) NOT VALID", "constraints that are not checked"),
        ("ALTER TABLE things ADD FOREIGN KEY (id) REFERENCES things NOT VALID", "constraints that are not checked"),
        ("REFRESH MATERIALIZED VIEW few WITH NO DATA", "materialized views without rows"),
        ("INSERT INTO schema_migrations VALUES ('3')", "migrations of the dump"),
        ("DELETE FROM schema_migrations WHERE version = '2'", "migrations of the dump"),
        ("DROP TABLE schema_migrations", "schema_migrations"),
    ]

    private func database(_ sql: String = "") throws -> (StageVerification, Connection) {
        let cluster = try Fixture.cluster()
        let name = "verified_\(UInt32.random(in: 0...UInt32.max))"
        try cluster.sql("CREATE DATABASE \(name)")
        try cluster.sql(
            """
            CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('1'), ('2');
            CREATE TABLE things (id bigint CONSTRAINT things_key PRIMARY KEY); INSERT INTO things VALUES (1), (2);
            CREATE MATERIALIZED VIEW few AS SELECT * FROM things;
            \(sql)
            """,
            database: name
        )
        var inspection = DatabaseInspection(name: name, line: 1)
        inspection.migrations = ["1", "2"]
        let settings = Fixture.settings(cluster, user: cluster.superuser).with(database: name)
        let connection = try Connection(settings, application: "test")
        return (StageVerification(inspection: inspection, mayBeUnchecked: false), connection)
    }

    @Test("a stage that is as it should be passes")
    func good() throws {
        let (verification, connection) = try database()
        try verification.check(connection)
    }

    @Test("each thing that is not as it should be is found", arguments: faults)
    func bad(sql: String, word: String) throws {
        let (verification, connection) = try database(sql)
        let error = #expect(throws: SyncError.self) { try verification.check(connection) }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }

    @Test("foreign keys that the dump does not want checked may stay so, other constraints may not")
    func unchecked() throws {
        var (verification, connection) = try database(Self.faults[3].sql)
        verification = StageVerification(inspection: verification.inspection, mayBeUnchecked: true)
        try verification.check(connection)
        (verification, connection) = try database(Self.faults[2].sql)
        verification = StageVerification(inspection: verification.inspection, mayBeUnchecked: true)
        #expect(throws: SyncError.self) { try verification.check(connection) }
    }

    @Test(
        "rows in the dump, rows that the server took and rows that are there must be one number",
        arguments: [
            (5, 5, 5, true), (5, 5, 4, false), (5, 5, 6, false), (5, 4, 5, false), (4, 5, 5, false), (5, 5, nil, false),
        ] as [(Int, Int, Int64?, Bool)]
    )
    func rows(read: Int, loaded: Int, found: Int64?, isFine: Bool) {
        let entry = TableSizes.Entry(table: TableName("t"), rowsRead: read, rowsLoaded: loaded, bytes: 1)
        #expect((entry.mismatch(found: found) == nil) == isFine)
    }

    @Test(
        "memory for sorting is shared by the connections, within bounds",
        arguments: [(4096, 2, 1024), (4096, 8, 512), (100, 8, 16), (0, 1, 16), (1 << 20, 1, 1024), (64, 0, 64)]
    )
    func memory(all: Int, jobs: Int, one: Int) {
        let options = RestoreOptions(dump: BytePath("x"), live: "m", jobs: jobs, memoryMebibytes: all)
        #expect(options.memoryOfOne == one)
    }
}
