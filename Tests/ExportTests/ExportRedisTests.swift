import MediaModel
import MediasyncTesting
import Testing

/// Redis' data in an export: as they are now, else as old as is told.
@Suite(
    .serialized,
    .enabled(if: Requirement.hasPostgres && Requirement.hasRedis, "needs PostgreSQL's server programs and redis-tools")
)
struct ExportRedisTests {
    private func live(_ settings: String) throws -> ExportLive {
        let live = try ExportLive(files: 3)
        try Disk.write(live.settings, try Disk.text(live.settings) + settings + "\n")
        return live
    }

    private func export(_ live: ExportLive, _ options: [String] = [], namesRedis: Bool = false) throws -> Program.Result
    {
        try live.start(["--name", "x"] + options, namesRedis: namesRedis).wait(timeout: 60)
    }

    @Test("a reachable Redis is asked to save, and its own file is taken, whatever its name")
    func asked() throws {
        let server = try RedisServer(["--dbfilename", "of-mastodon.rdb"])
        let live = try live("REDIS_URL=unix://\(server.socket)")
        _ = try server.command("set", "queue:default", "a job")
        let result = try export(live)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(!result.errorText.contains("redis"), "\(result.errorText)")
        let saved = try Disk.read(live.exports / "x" / "redis.rdb")
        #expect(saved.starts(with: "REDIS".utf8))
        let text = String(decoding: saved, as: UTF8.self)
        #expect(text.contains("queue:default") && text.contains("a job"))
        #expect(try live.verify("x").exitCode == 0)
    }

    @Test(
        "a Redis that cannot be asked: what it saved last is taken, its age and why are told, no password is",
        arguments: [
            ["--requirepass", "hunter2"], ["--rename-command", "BGSAVE", ""], ["--rename-command", "INFO", ""],
        ]
    )
    func refused(options: [String]) throws {
        let server = try RedisServer(options)
        let password = options[0] == "--requirepass" ? "\nREDIS_PASSWORD=\(ExportLive.secret)" : ""
        let live = try live("REDIS_HOST=\(server.socket)" + password)
        try Disk.setTime(live.place.path / "dump.rdb", 1_600_000_000)
        let result = try export(live, namesRedis: true)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.errorText.contains("redis.rdb is of 2020-09-13"), "\(result.errorText)")
        #expect(result.errorText.contains("cannot be asked to save"), "\(result.errorText)")
        #expect(!result.errorText.contains(ExportLive.secret) && !result.errorText.contains("hunter2"))
        #expect(try Disk.text(live.exports / "x" / "redis.rdb") == "REDIS0011 data")
    }

    @Test("no Redis and no file: told, and the export is made")
    func none() throws {
        let live = try live("REDIS_HOST=\(BytePath("/nonexistent/redis.sock"))")
        let result = try export(live, ["--redis", (live.place.path / "none.rdb").description])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.errorText.contains("there is no redis.rdb in this export"), "\(result.errorText)")
        #expect(!Disk.exists(live.exports / "x" / "redis.rdb"))
    }

    @Test("/dev/null leaves Redis out, and it is not asked")
    func leftOut() throws {
        let server = try RedisServer()
        let live = try live("REDIS_URL=unix://\(server.socket)")
        let before = try server.command("lastsave")
        let result = try export(live, ["--redis", "/dev/null"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(!Disk.exists(live.exports / "x" / "redis.rdb"))
        #expect(try server.command("lastsave") == before)
    }

    @Test("a file that is not the one Redis saves to is taken, and told to be old")
    func elsewhere() throws {
        let server = try RedisServer()
        let live = try live("REDIS_URL=unix://\(server.socket)")
        try Disk.setTime(live.place.path / "dump.rdb", 1_600_000_000)
        let result = try export(live, namesRedis: true)
        #expect(result.exitCode == 0 && result.errorText.contains("saves to another file"), "\(result.errorText)")
    }
}
