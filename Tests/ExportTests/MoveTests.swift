import Backups
import MediaModel
import MediasyncTesting
import Testing

/// An export becomes a server: `migrate --backup`.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct MoveTests {
    /// A machine with settings of its own and nothing else.
    private func machine(_ live: ExportLive, named name: String = "moved") throws -> BytePath {
        let home = live.place.path / "new"
        try Disk.makeDirectory(home)
        let settings = """
            # of the new machine
            DB_HOST=\(live.cluster.socketDirectory)
            DB_PORT=\(live.cluster.port)
            DB_NAME=\(name)
            DB_USER=mastodon
            DB_PASS=other
            PAPERCLIP_ROOT_PATH=\(home / "media")

            """
        try Disk.write(home / "mastodon.conf", settings)
        return home
    }

    private func migrate(
        _ live: ExportLive,
        _ export: BytePath,
        _ home: BytePath,
        _ options: [String]
    ) throws
        -> Program.Result
    {
        try start(live, export, home, options).wait(timeout: 120)
    }

    private func start(
        _ live: ExportLive,
        _ export: BytePath,
        _ home: BytePath,
        _ options: [String]
    ) throws
        -> RunningProgram
    {
        var program = BinaryRunner.program()
        program.environment["MEDIASYNC_STATE"] = "\(live.place.path / "state")"
        let arguments = [
            BytePath("migrate"), BytePath("--backup"), export, BytePath("--env-file"), home / "mastodon.conf",
        ]
        return try program.start(arguments + (["--yes"] + options).map { BytePath($0) })
    }

    /// Settings by name.
    private func settings(_ path: BytePath) throws -> [String: String] {
        try Disk.text(path).split(separator: "\n").filter { !$0.hasPrefix("#") }.reduce(into: [:]) { found, line in
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
        }
    }

    @Test("database, media, settings, certificates and Redis' data are taken over; this machine's own stays")
    func move() throws {
        let live = try ExportLive(files: 30, cluster: ExportLive.changing)
        #expect(try live.export("--name", "x").exitCode == 0)
        let home = try machine(live)
        let options = ["--to", "configuration", "--redis", "\(home / "dump.rdb")"]
        let result = try migrate(live, live.exports / "x", home, options)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(!(result.errorText + result.text).contains(ExportLive.secret))
        let moved = try MastodonDatabase(existing: live.cluster, name: "moved").canonicalDump()
        #expect(try moved == MastodonDatabase(existing: live.cluster, name: "mastodon").canonicalDump())
        expectNone(try TreeSnapshot(of: home / "media").differences(from: live.ownMedia(), in: .time))
        let (old, new) = (try settings(live.settings), try settings(home / "mastodon.conf"))
        #expect(new["DB_NAME"] == "moved" && new["DB_PASS"] == "other")
        #expect(new["PAPERCLIP_ROOT_PATH"] == "\(home / "media")")
        for (name, value) in old
        where !["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS", "PAPERCLIP_ROOT_PATH"].contains(name) {
            #expect(new[name] == value, "\(name)")
        }
        #expect(try Disk.text(home / "certs" / "key.pem") == "a key")
        #expect(try Disk.read(home / "dump.rdb") == Disk.read(live.exports / "x" / "redis.rdb"))
        let kept = try Disk.names(in: home).map(\.description).filter { $0.hasPrefix("mastodon.conf.before-") }
        #expect(kept.count == 1)
        #expect(try Disk.text(home / BytePath(kept[0])).hasPrefix("# of the new machine"))

        let again = try migrate(live, live.exports / "x", home, options)
        #expect(again.exitCode == 0 && again.errorText.contains("nothing is left to do"), "\(again.errorText)")
    }

    @Test(
        "a move of an export that is killed in a stage goes on to the same end",
        arguments: ["restore", "media", "configuration"],
        [1, 2] as [UInt64]
    )
    func kill(stage: String, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let live = try ExportLive(files: 300, cluster: ExportLive.changing)
        #expect(try live.export("--name", "x", seed == 1 ? "--zstd" : "-q").exitCode == 0)
        let name = "moved_k\(stage)\(seed)"
        let home = try machine(live, named: name)
        let options = ["--to", "configuration", "--database", "mastodon"]
        let running = try start(live, live.exports / "x", home, options)
        _ = RunningProgram.eventually { running.errorsSoFar.contains(", \(stage): ") || !running.isRunning }
        let patience = Int.random(in: 0...60, using: &random)
        RunningProgram.pause(milliseconds: patience)
        running.killGroup()
        #expect(running.wait().errorText.contains(", \(stage): "))
        let last = try migrate(live, live.exports / "x", home, options)
        #expect(last.exitCode == 0, "seed \(seed), \(patience) ms: \(last.errorText)")
        let moved = try MastodonDatabase(existing: live.cluster, name: name).canonicalDump()
        #expect(try moved == MastodonDatabase(existing: live.cluster, name: "mastodon").canonicalDump())
        expectNone(try TreeSnapshot(of: home / "media").differences(from: live.ownMedia(), in: .time))
        #expect(try settings(home / "mastodon.conf")["LOCAL_DOMAIN"] == "example.social")
        #expect(try settings(home / "mastodon.conf")["DB_NAME"] == name)
        #expect(try Disk.text(home / "certs" / "key.pem") == "a key")
    }

    @Test("an export of the snap, compressed and named as its script does it, is taken as it is")
    func snap() throws {
        let live = try ExportLive(files: 30, cluster: ExportLive.changing)
        let export = live.exports / "snap"
        try Disk.makeDirectory(export)
        try Disk.write(export / "database.sql", try live.cluster.program("pg_dumpall").check([]).output)
        for name in ["mastodon.conf", "version"] {
            try Disk.write(export / BytePath(name), try Disk.read(live.place.path / BytePath(name)))
        }
        try Disk.write(export / "settings", "cleanup.days=3\n")
        try Program("tar").check(
            ["-czf"],
            export / "media.tar.gz",
            BytePath("--exclude=*/cache"),
            BytePath("-C"),
            live.place.path,
            BytePath("media")
        )
        let home = try machine(live, named: "moved_snap")
        let dry = try migrate(live, export, home, ["-n", "--to", "configuration", "--database", "mastodon"])
        #expect(dry.exitCode == 0, "\(dry.errorText)")
        #expect(try !live.cluster.databases().contains("moved_snap"))
        #expect(try Disk.names(in: home).map(\.description) == ["mastodon.conf"])
        // Other tests move databases into the same server.
        let result = try migrate(live, export, home, ["--to", "configuration", "--database", "mastodon"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        expectNone(try TreeSnapshot(of: home / "media").differences(from: live.ownMedia(), in: .time))
        #expect(try settings(home / "mastodon.conf")["DB_NAME"] == "moved_snap")
        #expect(try live.cluster.databases().contains("moved_snap"))
    }

    @Test("an export without settings, media or database has fewer stages; one that is none is refused")
    func parts() throws {
        let live = try ExportLive(files: 12, cluster: ExportLive.changing)
        let export = live.exports / "part"
        try Disk.makeDirectory(export)
        let home = try machine(live)
        #expect(try migrate(live, export, home, []).exitCode == 10)
        try Disk.write(export / "mastodon.conf", "SECRET_KEY_BASE=old\nDB_NAME=old\n")
        let result = try migrate(live, export, home, ["--to", "configuration"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(!result.text.contains("restore") && !result.text.contains("media "))
        let new = try settings(home / "mastodon.conf")
        #expect(new["SECRET_KEY_BASE"] == "old" && new["DB_NAME"] == "moved")
    }

    @Test(
        "options that make no sense are refused",
        arguments: [["--dump", "x"], ["--media", "x"]]
    )
    func usage(options: [String]) throws {
        let arguments = ["migrate", "--backup", "x"] + options
        #expect(try BinaryRunner.program().run(arguments).exitCode == 64)
        #expect(try BinaryRunner.program().run(["migrate", "--dump", "x", "--redis", "y"]).exitCode == 64)
    }

    @Test(
        "a full disk under the settings leaves the old ones",
        .enabled(if: Requirement.canMount, "needs root and loop devices")
    )
    func full() throws {
        let live = try ExportLive(files: 3, cluster: ExportLive.changing)
        let disk = try LoopFileSystem(megabytes: 16, makeOptions: ["-m", "0"])
        let export = live.exports / "part"
        try Disk.makeDirectory(export)
        let secrets = (0..<20_000).map { "SECRET_\($0)=\($0)\n" }.joined()
        try Disk.write(export / "mastodon.conf", secrets)
        let home = disk.path / "new"
        try Disk.makeDirectory(home)
        let text =
            "DB_HOST=\(live.cluster.socketDirectory)\nDB_NAME=moved\nDB_USER=mastodon\nPAPERCLIP_ROOT_PATH=\(home)\n"
        try Disk.write(home / "mastodon.conf", text)
        try? Disk.write(disk.path / "ballast", [UInt8](repeating: 1, count: disk.freeBytes))
        let result = try migrate(live, export, home, ["--from", "configuration", "--to", "configuration"])
        #expect(result.exitCode == 14, "\(result.errorText)")
        #expect(try Disk.text(home / "mastodon.conf") == text)
        #expect(try Disk.names(in: home).count == 1)
    }
}
