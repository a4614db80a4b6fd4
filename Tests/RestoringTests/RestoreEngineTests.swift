import MediaModel
import MediasyncTesting
import Running
import Testing

@testable import Restoring

/// The engine against a real server, with dumps by the real pg_dump.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct RestoreEngineTests {
    @Test(
        "a database that is dumped and restored is dumped the same again, and the old one is kept",
        arguments: [
            [], ["--create"], ["--inserts", "--rows-per-insert=7"], ["--no-owner", "--no-privileges"],
            ["--clean", "--if-exists"], ["--column-inserts"],
        ]
    )
    func roundTrip(options: [String]) async throws {
        let cluster = try PostgresCluster()
        let database = try MastodonDatabase(cluster)
        try database.fill()
        let before = try database.canonicalDump()
        let place = try TemporaryDirectory()
        let dump = place.path / "dump"
        try database.writeDump(options, to: dump)
        let old = try database.oid()
        let run = await Fixture.restore(dump, into: database.name, cluster)
        #expect(run.result.error == nil)
        #expect(run.stages == ["inspect", "load", "index", "constraints", "check", "verify", "swap"])
        #expect(try database.canonicalDump() == before)
        #expect(try database.oid() != old)
        let kept = "\(database.name)_before_\(run.id)"
        #expect(try cluster.databases() == [database.name, kept])
        #expect(try cluster.sql("SELECT oid, datallowconn FROM pg_database WHERE datname = '\(kept)'") == "\(old)|f")
    }
}
