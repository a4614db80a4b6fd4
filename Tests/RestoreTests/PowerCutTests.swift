import MediaModel
import MediasyncTesting
import Testing

/// R6 where the machine itself fails: the server flushes (`fsync` is on), and what was not flushed is lost.
@Suite(
    .serialized,
    .enabled(
        if: Requirement.hasPostgres && Requirement.canMount && Requirement.has("xfs_io"),
        "needs PostgreSQL's server programs, root, loop devices and xfs_io"
    )
)
struct PowerCutTests {
    @Test("a power cut at any moment leaves the old or the new database whole; after exit 0 it is the new one")
    func powerCut() throws {
        let disk = try LoopFileSystem(.ext4, megabytes: 768)
        let cluster = try PostgresCluster(settings: ["fsync": "on"], in: disk.path)
        let source = try MastodonDatabase(cluster, name: "origin")
        try source.fill()
        let canonical = try source.canonicalDump()
        let place = try TemporaryDirectory()
        let dump = place.path / "dump"
        try source.writeDump(to: dump)
        let live = try LiveDatabase(cluster, name: "live", template: "origin")
        try cluster.sql("CHECKPOINT")
        // initdb did not wait for the disk.
        try Program("sync").check(["-f"], disk.path)
        // Whole, with the cut right behind it.
        let whole = try live.restore(dump)
        #expect(whole.exitCode == 0, "\(whole.errorText)")
        try cluster.losePower(on: disk)
        #expect(try !live.isOld())
        #expect(try live.canonicalDump() == canonical)
        for share in [0.2, 0.5, 0.8, 0.95] {
            // What is live now is told from the dump again.
            try cluster.sql(
                "INSERT INTO rules (text, created_at, updated_at) VALUES ('again', now(), now())",
                database: "live",
                user: "mastodon"
            )
            let run = try live.start([], dump)
            RunningProgram.pause(milliseconds: Int(whole.seconds * 1000 * share))
            try cluster.losePower(on: disk)
            let result = run.wait(timeout: 60)
            #expect(!result.timedOut)
            let rows = try cluster.sql("SELECT count(*) FROM rules WHERE text = 'again'", database: "live")
            let isNew = try live.canonicalDump() == canonical
            #expect((rows == "1") != isNew, "\(share)")
            #expect(result.exitCode != 0 || isNew, "\(share)")
            let next = try live.restore(["--force"], dump)
            #expect(next.exitCode == 0, "\(share): \(next.errorText)")
            #expect(try live.canonicalDump() == canonical)
            expectNone(try live.relatives().filter { $0.contains("_stage_") }, "\(share)")
        }
    }
}
