import Backups
import MediaModel
import MediasyncTesting
import Settings
import Testing

/// Exports of a real database and real media: made, read back, restored by the snap's steps and by ours.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct ExportTests {
    private static let parts = [
        "mastodon.conf", "database.sql", "redis.rdb", "certs", "version", "settings", "media.manifest",
        "files.manifest",
    ]

    @Test(
        "everything is there, with the snap's names and modes; what was written is what is read",
        arguments: ["", "--zstd"]
    )
    func layout(option: String) throws {
        let live = try ExportLive()
        let result = try live.export(option.isEmpty ? "-q" : option, "--name", "first")
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(!(result.errorText + result.text).contains(ExportLive.secret))
        let export = live.exports / "first"
        let archive = option.isEmpty ? "media.tar.gz" : "media.tar.zst"
        #expect(Set(try Disk.names(in: export).map(\.description)) == Set(Self.parts + [archive, ".mediasync-export"]))
        for (path, entry) in try TreeSnapshot(of: export).entries {
            #expect(entry.mode == (entry.kind == .directory ? 0o750 : 0o640), "\(path)")
        }
        #expect(try Disk.text(export / "version") == "4.5.0snap1\n")
        #expect(try Disk.read(export / "mastodon.conf") == Disk.read(live.settings))
        #expect(try Disk.text(export / "certs" / "key.pem") == "a key")
        let backup = try BackupDirectory.read(export)
        #expect(backup.isOurs && backup.problems.isEmpty && backup.media == export / archive)
        #expect(backup.certificates == [BytePath("key.pem")])
        #expect(try live.verify("first").exitCode == 0)
        #expect(try live.names() == ["first"])
    }

    @Test(
        "the snap's own steps restore it: psql into template1, tar with one component stripped",
        arguments: [false, true]
    )
    func snapRestores(isCluster: Bool) throws {
        let live = try ExportLive()
        let run = try live.start(
            ["--name", "x"] + (isCluster ? ["--cluster"] : []),
            wrapper: isCluster ? ["env", "PGUSER=postgres"] : []
        )
        let made = run.wait(timeout: 120)
        #expect(made.exitCode == 0, "\(made.errorText)")
        let export = live.exports / "x"
        let other = try PostgresCluster()
        try other.sql("CREATE ROLE mastodon LOGIN CREATEDB; CREATE ROLE pgbouncer LOGIN")
        if isCluster {
            let text = try Disk.text(export / "database.sql")
            #expect(text.contains("\n-- CREATE ROLE mastodon;\n") && text.contains("\n-- CREATE ROLE postgres;\n"))
        }
        let psql = other.program("psql", database: "template1")
        let loaded = try psql.run(["-X", "-q", "-f"], export / "database.sql")
        #expect(loaded.exitCode == 0 && loaded.errorText.isEmpty, "\(loaded.errorText)")
        let restored = try MastodonDatabase(existing: other, name: "mastodon").canonicalDump()
        #expect(try restored == MastodonDatabase(existing: live.cluster, name: "mastodon").canonicalDump())
        let target = live.place.path / "restored"
        try Disk.makeDirectory(target)
        try Program("tar").check(
            ["--strip-components=1", "--no-same-permissions", "--no-same-owner", "--skip-old-files", "-xzf"],
            export / "media.tar.gz",
            BytePath("-C"),
            target
        )
        expectNone(try TreeSnapshot(of: target).differences(from: live.ownMedia(), in: .time))
    }

    @Test(
        "mediasync takes its own exports: the dump, and the media with every mode that means something",
        arguments: ["", "--zstd"]
    )
    func weRestore(option: String) throws {
        let live = try ExportLive()
        let result = try live.export("--name", "x", "--include-cache", option.isEmpty ? "-v" : option)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let backup = try BackupDirectory.read(live.exports / "x")
        let dump = try #require(backup.dump)
        let looked = try BinaryRunner.program().run(
            [BytePath("restore"), BytePath("-n"), BytePath("--env-file"), live.settings, dump]
        )
        #expect(looked.exitCode == 0 && looked.text.contains("4.5"), "\(looked.errorText)")
        let target = live.place.path / "restored"
        let copied = try BinaryRunner.copy(try #require(backup.media), target)
        #expect(copied.exitCode == 0, "\(copied.errorText)")
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: live.media), in: [.time, .mode]))
    }

    @Test("an export made by the steps of the snap's script is taken and found to be sound")
    func snapExport() throws {
        let live = try ExportLive()
        let export = live.exports / "snap"
        try Disk.makeDirectory(export)
        let dumpall = live.cluster.program("pg_dumpall")
        try Disk.write(live.place.path / "all.sql", try dumpall.check([]).output)
        let sed = "1,100s/^\\(CREATE ROLE postgres;\\|CREATE ROLE mastodon;\\|CREATE ROLE pgbouncer;\\)$/-- \\1/"
        try Disk.write(export / "database.sql", try Program("sed").check([sed], live.place.path / "all.sql").output)
        for name in ["mastodon.conf", "version"] {
            try Disk.write(export / name, try Disk.read(live.place.path / name))
        }
        try Disk.write(export / "settings", "backup.days=0\nmedia.dir=\(live.media)\n")
        try Program("tar").check(
            ["-czf"],
            export / "media.tar.gz",
            BytePath("--exclude=*/cache"),
            BytePath("-C"),
            live.place.path,
            BytePath("media")
        )
        let backup = try BackupDirectory.read(export)
        #expect(backup.version == "4.5.0snap1" && backup.settings["backup.days"] == "0" && !backup.isOurs)
        #expect(backup.configuration?["DB_PASS"] == ExportLive.secret)
        let verified = try live.verify("snap")
        #expect(verified.exitCode == 0, "\(verified.errorText)\(verified.text)")
        let target = live.place.path / "restored"
        #expect(try BinaryRunner.copy(try #require(backup.media), target).exitCode == 0)
        expectNone(try TreeSnapshot(of: target).differences(from: live.ownMedia(), in: .time))
    }

    @Test("the manifests are what other tools check", .enabled(if: Requirement.has("sha256sum"), "needs sha256sum"))
    func manifests() throws {
        let live = try ExportLive(files: 9)
        #expect(try live.export("--name", "x", "--digest", "sha256", "--include-cache").exitCode == 0)
        var sum = Program("sha256sum")
        sum.directory = live.exports / "x"
        try sum.check(["--strict", "-c", "files.manifest"])
        sum.directory = live.media
        let checked = try sum.check(["--strict", "-c"], live.exports / "x" / "media.manifest")
        #expect(checked.lines.count == 11)
    }

    @Test("options leave parts out", arguments: ["--no-media", "--no-database"])
    func without(option: String) throws {
        let live = try ExportLive(files: 6)
        let result = try live.start([option, "--name", "x"].filter { !$0.isEmpty }).wait(timeout: 60)
        // The fixture names the media root as well.
        guard option == "--no-database" else {
            #expect(result.exitCode == 64, "\(result.errorText)")
            return
        }
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(!Disk.exists(live.exports / "x" / "database.sql"))
        #expect(try live.verify("x").exitCode == 0)
    }
}

/// What is refused, found, kept and removed.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct ExportRuleTests {
    /// Turns a bit of a file over: a byte put in its place could be the one that is there.
    private static func turn(_ file: String, _ offset: Int) -> String {
        "byte=$(od -An -tu1 -j\(offset) -N1 \(file)) && printf \"\\\\$(printf %o $((byte ^ 1)))\""
            + " | dd of=\(file) bs=1 seek=\(offset) conv=notrunc status=none"
    }

    /// One damage to an export, done by a shell in its directory.
    static let damages: [(String, String)] = [
        ("a bit of the media archive", turn("media.tar.gz", 5000)),
        ("the end of the media archive", "truncate -s -40 media.tar.gz"),
        ("a cut dump", "truncate -s -30 database.sql"),
        ("a bit of the dump", turn("database.sql", 900)),
        ("changed settings", "echo X=1 >> mastodon.conf"),
        ("a missing part", "rm redis.rdb"),
        ("something more", "echo x > certs/new.pem"),
        ("a link in place of a part", "rm redis.rdb; ln -s /etc/hostname redis.rdb"),
        ("a missing manifest", "rm files.manifest"),
        ("a line less", "sed -i 1d media.manifest; sed -i /media.manifest/d files.manifest"),
        ("a manifest that is none", "echo nonsense > files.manifest"),
        ("a manifest that leads out", "sed -i 's,  version,  ../../x,' files.manifest"),
    ]

    @Test("verify --backup finds every damage: exit 4", arguments: damages)
    func damage(name: String, command: String) throws {
        let live = try ExportLive(files: 12)
        #expect(try live.export("--name", "x").exitCode == 0)
        var shell = Program("sh")
        shell.directory = live.exports / "x"
        try shell.check(["-c", command])
        let result = try live.verify("x")
        #expect(result.exitCode == 4, "\(name): \(result.text)\(result.errorText)")
    }

    @Test("what is no export: exit 10; options that make no sense: 64")
    func refusals() throws {
        let live = try ExportLive(files: 3)
        #expect(try live.verify("none").exitCode == 10)
        try Disk.makeDirectory(live.exports / "empty")
        #expect(try live.verify("empty").exitCode == 10)
        for options in [
            ["--name", "../x"], ["--name", ".x"], ["--digest", "none"], ["--keep-days", "-1"],
            ["--no-database", "--cluster"],
        ] {
            #expect(try live.start(options).wait().exitCode == 64, "\(options)")
        }
        #expect(try live.start([], in: live.place.path / "missing").wait().exitCode == 10)
        let taken = try live.export("--name", "empty")
        #expect(taken.exitCode == 10 && taken.errorText.contains("there already"), "\(taken.errorText)")
        #expect(try live.names() == ["empty"])
    }

    @Test("a database that cannot be dumped: nothing is there, and no password is told")
    func noDatabase() throws {
        let live = try ExportLive(files: 3)
        let text = try Disk.text(live.settings)
        try Disk.write(live.settings, text.replacing("DB_NAME=mastodon", with: "DB_NAME=nothing"))
        let result = try live.export("--name", "x")
        #expect(result.exitCode == 12, "\(result.errorText)")
        #expect(!result.errorText.contains(ExportLive.secret))
        #expect(try live.names().isEmpty)
        try Disk.write(live.settings, text.replacing("DB_NAME=mastodon", with: "DB_NAME=postgres"))
        #expect(try live.export("--name", "x").exitCode == 13)
        #expect(try live.names().isEmpty)
    }

    @Test("a media root that is none is refused, an empty one is left out and told")
    func mediaRoot() throws {
        let live = try ExportLive(files: 3)
        try Disk.rename(live.media, to: live.place.path / "elsewhere")
        #expect(try live.export("--name", "x").exitCode == 10)
        try Disk.makeDirectory(live.media)
        let empty = try live.export("--name", "empty")
        #expect(empty.exitCode == 0 && empty.errorText.contains("is empty"), "\(empty.errorText)")
        try Disk.makeDirectory(live.media / "lost+found")
        #expect(try live.export("--name", "y").exitCode == 20)
        #expect(try live.names() == ["empty"])
    }

    @Test(
        "links and special entries among the media are told and left out; a file that goes on changing is named: exit 24"
    )
    func strangeMedia() throws {
        let live = try ExportLive(files: 12)
        try Disk.makeLink(live.media / "accounts" / "link", to: BytePath("/etc/passwd"))
        try Disk.makeSpecial(live.media / "accounts" / "fifo", type: 0o010000)
        let special = try live.export("--name", "special", "--json")
        #expect(special.exitCode == 0, "\(special.errorText)")
        let large = live.media / "accounts" / "growing"
        try Disk.write(large, [UInt8](repeating: 1, count: 40 << 20))
        let writer = try Program("sh").start(
            [BytePath("-c"), BytePath("while :; do printf x >> '\(large)'; done")]
        )
        let result = try live.export("--name", "x")
        writer.killGroup()
        _ = writer.wait()
        #expect(result.exitCode == 24, "\(result.errorText)")
        #expect(result.errorText.contains("accounts/growing"), "\(result.errorText)")
        // The export says itself that it does not have it.
        #expect(try live.verify("x").exitCode == 4)
        #expect(try Disk.text(live.exports / "x" / "media.manifest").contains("# changed"))
    }

    @Test("--keep-days removes what is older, but not the newest of it, and nothing that mediasync did not make")
    func retention() throws {
        let live = try ExportLive(files: 3)
        let now = 1_700_000_000
        for (name, made) in [("a", now), ("b", now + 86_400), ("c", now + 2 * 86_400)] {
            try Disk.makeDirectory(live.exports / name)
            try Disk.write(live.exports / name / ".mediasync-export", "mediasync export 1\nmade \(made)\n")
            try Disk.makeDirectory(live.exports / name / "certs")
            try Disk.write(live.exports / name / "certs" / "x", "x")
        }
        try Disk.makeDirectory(live.exports / "20200101-000000")
        try Disk.write(live.exports / "20200101-000000" / "database.sql", "of somebody else")
        try Disk.write(live.exports / "notes", "x")
        let victim = live.place.path / "victim"
        try Disk.makeDirectory(victim)
        try Disk.write(victim / "precious", "x")
        try Disk.makeLink(live.exports / "a" / "certs" / "link", to: victim)
        let result = try live.export("--name", "new", "--keep-days", "7")
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.names() == ["20200101-000000", "c", "new", "notes"])
        #expect(Disk.exists(victim / "precious"))
        #expect(try live.export("--name", "newer", "--keep-days", "7").exitCode == 0)
        #expect(try live.names() == ["20200101-000000", "c", "new", "newer", "notes"])
    }
}

/// An export that is killed, stopped, or runs out of space.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct ExportFaultTests {
    @Test("kill -9 at a random moment: whole under its name or not there; the next run clears up", arguments: 1...8)
    func kill(round: Int) throws {
        let seed = UInt64(round) &* 4421
        var random = SeededGenerator(seed: seed)
        let live = try ExportLive()
        let run = try live.start(["--name", "x"] + (round % 2 == 0 ? ["--zstd"] : []))
        _ = RunningProgram.eventually(within: 10) { (try? live.names().isEmpty) == false || !run.isRunning }
        RunningProgram.pause(milliseconds: Int.random(in: 0...1200, using: &random))
        run.killGroup()
        _ = run.wait()
        if Disk.exists(live.exports / "x") { #expect(try live.verify("x").exitCode == 0, "seed \(seed)") }
        let next = try live.export("--name", "y")
        #expect(next.exitCode == 0, "seed \(seed): \(next.errorText)")
        #expect(try live.names().filter { $0 != "x" } == ["y"], "seed \(seed)")
        #expect(try live.verify("y").exitCode == 0)
    }

    @Test("SIGINT and SIGTERM stop it, and nothing is left", arguments: [(2, 130), (15, 143)] as [(Int32, Int32)])
    func stop(signal: Int32, code: Int32) throws {
        let live = try ExportLive(files: 400)
        let run = try live.start(["--name", "x"])
        _ = RunningProgram.eventually(within: 20) {
            let name = (try? live.names())?.first
            return name.map { Disk.exists(live.exports / $0 / "media.tar.gz") } ?? false || !run.isRunning
        }
        run.send(signal)
        let result = run.wait(timeout: 30)
        #expect(result.exitCode == code, "\(result.errorText)")
        #expect(try live.names().isEmpty)
    }

    @Test(
        "no space: exit 14, nothing under the name, nothing left",
        .enabled(if: Requirement.canMount, "needs root and loop devices")
    )
    func noSpace() throws {
        let live = try ExportLive()
        let disk = try LoopFileSystem(megabytes: 16)
        let directory = disk.path / "backups"
        try Disk.makeDirectory(directory)
        for free in [100_000, 1_500_000, 4_000_000] {
            let ballast = disk.path / "ballast"
            try Disk.write(ballast, [UInt8](repeating: 1, count: max(0, disk.freeBytes - free)))
            let result = try live.start(["--name", "x"], in: directory).wait(timeout: 60)
            #expect(result.exitCode == 14, "\(free): \(result.errorText)")
            #expect(result.errorText.contains("ENOSPC"), "\(free): \(result.errorText)")
            #expect(try Disk.names(in: directory).isEmpty, "\(free)")
            try Disk.remove(ballast)
        }
    }

    @Test("two exports at once: the second is refused")
    func locked() throws {
        let live = try ExportLive()
        let run = try live.start(["--name", "x"])
        _ = RunningProgram.eventually(within: 10) { (try? live.names().isEmpty) == false || !run.isRunning }
        run.send(19)
        if run.isStopped { #expect(try live.export("--name", "y").exitCode == 11) }
        run.send(18)
        #expect(run.wait().exitCode == 0)
    }
}
