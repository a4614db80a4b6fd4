import MediaModel
import MediasyncTesting
import Testing

/// A whole move by the built program: real PostgreSQL, a real directory, a real server of others' files.
@Suite(
    .enabled(
        if: Requirement.hasPostgres && Requirement.has("ffmpeg"),
        "needs PostgreSQL's server programs, setpriv and ffmpeg"
    )
)
struct MigrateTests {
    /// What is there after an undisturbed move.
    private static func expected() -> [String] {
        let recent = Array(repeating: "attachment recent t", count: MoveLive.recent)
        let old = (1...MoveLive.old).map { "attachment|f|\(100 + $0)|f" }
        let rows = recent + old + ["attachment|f|7|t", "avatar|t|1|t", "avatar|t|2|f", "card|t|1|f", "card|t|2|t"]
        let fetched = ["original", "small"].flatMap { style in
            Array(repeating: "cache/media_attachments/files \(style)", count: MoveLive.recent)
        }
        let files =
            fetched + [
                "cache/accounts/avatars original", "cache/preview_cards/images original",
                "media_attachments/files/000 original", "media_attachments/files/000 small",
            ]
        return rows.sorted() + files.sorted()
    }

    @Test(
        "a dump and a directory become a server; what was cached comes back or is no longer named; nothing is left to do",
        arguments: [["-Fc"], ["-Fp"]]
    )
    func whole(format: [String]) throws {
        let live = try MoveLive("mv_whole\(format[0].suffix(1).lowercased())", dumpOptions: format)
        let hooks = ["--hook-before", "echo stop $DB_NAME $MEDIASYNC_HOOK", "--hook-after", "echo start; exit 0"]
        let result = try live.run(hooks)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.endState() == Self.expected())
        let lines = result.errorText
        for stage in ["1 of 8, doctor", "3 of 8, restore", "4 of 8, media", "6 of 8, cleanup", "8 of 8, verify"] {
            #expect(lines.contains("stage \(stage): "), "\(stage)")
        }
        #expect(lines.contains("hook-before: stop \(live.name) before"))
        #expect(lines.contains("hook-after: start"))
        let logs = try Disk.names(in: live.state / "logs").map(\.description).sorted()
        #expect(logs.count == 2 && logs[0].hasSuffix("-hook-after.log"))
        #expect(try Disk.text(live.state / "logs" / logs[1]) == "stop \(live.name) before\n")
        // The interval is counted from the dump, which is eight days old.
        #expect(live.origin.log.count == MoveLive.recent + 1)

        let oid = try live.oid()
        let again = try live.run(hooks)
        #expect(again.exitCode == 0)
        #expect(again.errorText.contains("nothing is left to do"))
        #expect(!again.errorText.contains("hook-before"))
        #expect(try live.oid() == oid)
        #expect(live.origin.log.count == MoveLive.recent + 1)
    }

    @Test("a dry run changes nothing and says what is decided later")
    func dryRun() throws {
        let live = try MoveLive("mv_dry")
        let result = try live.run(["-n", "--hook-before", "touch \(live.place.path / "ran")"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try !live.exists)
        #expect(!Disk.exists(live.root))
        #expect(!Disk.exists(live.place.path / "ran"))
        #expect(result.lines.filter { $0.hasSuffix("decided later") }.count == 3)
        #expect(result.text.contains("database   \(live.name)_old, Mastodon's"))
        #expect(live.origin.log.isEmpty)
    }

    @Test("each stage can be left out, begun with and ended with")
    func choice() throws {
        let live = try MoveLive("mv_choice")
        let first = try live.run(["--to", "media", "--hook-after", "echo up"])
        #expect(first.exitCode == 0, "\(first.errorText)")
        #expect(first.errorText.contains("hook-after: up"))
        #expect(live.origin.log.isEmpty)
        let oid = try live.oid()
        let second = try live.run(["--skip", "refresh"])
        #expect(second.exitCode == 4, "what is missing is told: \(second.errorText)")
        #expect(second.text.contains("refresh      skipped") || second.text.contains("skipped"))
        #expect(live.origin.log.isEmpty)
        let third = try live.run(["--from", "refresh"])
        #expect(third.exitCode == 0, "\(third.errorText)")
        #expect(try live.endState() == Self.expected())
        #expect(try live.oid() == oid)
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [
            ["--from", "verify", "--to", "restore"], ["--fresh", "--from", "media"],
            ["--skip", "doctor,restore,media,cleanup,refresh,verify"], ["--days", "-1"], ["--from", "tea"],
        ]
    )
    func usage(options: [String]) throws {
        let arguments = ["migrate", "--dump", "x", "--media", "y"] + options
        #expect(try BinaryRunner.program().run(arguments).exitCode == 64)
    }

    @Test("nothing to move, a dump from a pipe, a stage without its source: refused")
    func sources() throws {
        for arguments in [
            [], ["--dump", "-"], ["--media", "y", "--to", "restore"], ["--dump", "x", "--from", "media"],
        ] {
            #expect(try BinaryRunner.program().run(["migrate"] + arguments).exitCode == 64, "\(arguments)")
        }
    }

    @Test("without an answer nothing is replaced")
    func unconfirmed() throws {
        let live = try MoveLive("mv_ask")
        let arguments = live.arguments().filter { $0 != BytePath("--yes") }
        let result = try live.program.run(arguments)
        #expect(result.exitCode == 20)
        #expect(try !live.exists)
        #expect(!Disk.exists(live.root))
    }

    @Test("a hook that fails ends the run before anything is changed; mended, the run goes on")
    func failingHook() throws {
        let live = try MoveLive("mv_hook")
        let failed = try live.run(["--hook-before", "echo cannot stop; exit 7"])
        #expect(failed.exitCode == 1)
        #expect(failed.errorText.contains("hook-before failed"))
        #expect(failed.errorText.contains("exit 7: cannot stop"))
        #expect(try !live.exists)
        #expect(failed.text.contains("not begun"))
        let mended = try live.run(["--hook-before", "true"])
        #expect(mended.exitCode == 0, "\(mended.errorText)")
        #expect(try live.endState() == Self.expected())
    }

    @Test("a dump that is cut ends the run: the media are not touched, nothing is live")
    func cutDump() throws {
        let live = try MoveLive("mv_cut", dumpOptions: ["-Fp"])
        let bytes = try Disk.read(live.dump)
        try Disk.write(live.dump, Array(bytes.prefix(bytes.count / 2)))
        let result = try live.run()
        #expect(result.exitCode == 10)
        #expect(try !live.exists)
        #expect(!Disk.exists(live.root))
    }

    @Test("media that are not there end the run behind the database; it goes on where it was")
    func missingMedia() throws {
        let live = try MoveLive("mv_media")
        let away = live.place.path / "away"
        try Program("mv").check([], live.oldMedia, away)
        let failed = try live.run()
        #expect(failed.exitCode == 10)
        #expect(try live.exists)
        let oid = try live.oid()
        try Program("mv").check([], away, live.oldMedia)
        let next = try live.run()
        #expect(next.exitCode == 0, "\(next.errorText)")
        #expect(next.errorText.contains("goes on with the move"))
        #expect(next.text.contains("done before"))
        #expect(try live.oid() == oid)
        #expect(try live.endState() == Self.expected())
    }

    @Test("names stay where the media root is empty and no media were given: its disk may not be mounted")
    func emptyRoot() throws {
        let live = try MoveLive("mv_empty")
        try Disk.makeDirectory(live.root)
        let arguments = live.arguments(["--to", "cleanup"]).filter { $0 != BytePath("--media") && $0 != live.oldMedia }
        let result = try live.program.run(arguments)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.errorText.contains("the media root is empty: no names are taken out"))
        #expect(try live.sql("SELECT count(*) FROM preview_cards WHERE image_file_name IS NULL") == "0")
    }

    @Test("media come back without a media archive, too")
    func withoutMedia() throws {
        let live = try MoveLive("mv_nomedia")
        try Disk.makeDirectory(live.root)
        let arguments = live.arguments().filter { $0 != BytePath("--media") && $0 != live.oldMedia }
        let result = try live.program.run(arguments)
        // Files of this server's own are lost, and told.
        #expect(result.exitCode == 4, "\(result.errorText)")
        #expect(live.origin.log.count == MoveLive.recent + 1)
        #expect(result.text.contains("missing         media_attachments/files/000/000/007/original/mine.jpg"))
    }

    #if DEBUG
        private static let killed: Int32 = 9

        @Test(
            "killed in any stage, the same command goes on to the same end",
            arguments: [
                "database-swapped:1", "intent-opened:1", "rows-committed:1", "intent-opened:3", "file-published:3",
                "rows-committed:4", "file-removed:1",
            ]
        )
        func kill(step: String) throws {
            let name = "mv_" + step.filter { $0.isLetter || $0.isNumber }
            let live = try MoveLive(name)
            var program = live.program
            program.environment["MEDIASYNC_FAULT"] = "\(step):kill"
            let dead = try program.run(live.arguments())
            // Not every step comes in so small a move: then it is an undisturbed one.
            #expect(dead.signal == Self.killed || dead.exitCode == 0, "\(dead.errorText)")
            let oid = try live.oid()
            let next = try live.run()
            #expect(next.exitCode == 0, "\(next.errorText)")
            #expect(try live.oid() == oid, "the database was restored a second time")
            #expect(try live.endState() == Self.expected())
            #expect(try live.differences().contains(" 0 different") || !live.differences().contains("extra"))
        }
    #endif

    @Test(
        "killed at a random moment of a stage, the same command goes on to the same end",
        arguments: ["doctor", "restore", "media", "cleanup", "refresh", "verify"],
        [1, 2, 3] as [UInt64]
    )
    func killStage(stage: String, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let live = try MoveLive("mv_k\(stage)\(seed)")
        let running = try live.program.start(live.arguments())
        let came = RunningProgram.eventually { running.errorsSoFar.contains(", \(stage): ") || !running.isRunning }
        let patience = Int.random(in: 0...120, using: &random)
        RunningProgram.pause(milliseconds: patience)
        running.killGroup()
        let dead = running.wait()
        #expect(came && dead.errorText.contains(", \(stage): "), "\(dead.errorText)")
        let last = try live.run()
        #expect(last.exitCode == 0, "seed \(seed), \(patience) ms: \(last.errorText)")
        #expect(try live.endState() == Self.expected(), "seed \(seed), \(patience) ms")
        #expect(try TreeSnapshot(of: live.root).litter == [], "seed \(seed), \(patience) ms")
        let databases = try CleanupLive.cluster.get().databases().filter { $0.hasPrefix("\(live.name)_stage") }
        #expect(databases == [], "seed \(seed), \(patience) ms")
    }

    @Test("killed again and again at any moment, it comes to the same end", arguments: [1, 2])
    func killLoop(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let live = try MoveLive("mv_loop\(seed)")
        var kills = 0
        // Later each time, so that it comes to its end.
        for attempt in 0..<12 {
            let running = try live.program.start(live.arguments())
            let patience = Int.random(in: 0...(150 + attempt * 150), using: &random)
            RunningProgram.pause(milliseconds: patience)
            if !running.isRunning { break }
            running.killGroup()
            _ = running.wait()
            kills += 1
        }
        let last = try live.run()
        #expect(last.exitCode == 0, "seed \(seed), \(kills) kills: \(last.errorText)")
        #expect(try live.endState() == Self.expected(), "seed \(seed)")
        let databases = try CleanupLive.cluster.get().databases().filter { $0.hasPrefix("\(live.name)_stage") }
        #expect(databases == [], "stages of dead runs are dropped")
    }
}

/// The disk is full, in each stage that writes.
@Suite(
    .serialized,
    .enabled(
        if: Requirement.canMount && Requirement.hasPostgres && Requirement.has("ffmpeg"),
        "needs root, loop devices, PostgreSQL's server programs and ffmpeg"
    )
)
struct MigrateSpaceTests {
    private func fill(_ disk: LoopFileSystem, leaving bytes: Int) throws -> BytePath {
        let ballast = disk.path / "ballast"
        // Its own metadata need room as well: the last blocks may not be had.
        try? Disk.write(ballast, [UInt8](repeating: 1, count: max(0, disk.freeBytes - bytes)))
        return ballast
    }

    @Test("no room for the media: exit 14, the database stays; with room the run goes on to its end")
    func media() throws {
        let disk = try LoopFileSystem(megabytes: 24, makeOptions: ["-m", "0"])
        let live = try MoveLive("mv_full_media", root: disk.path / "media")
        for number in 0..<30 {
            let bytes = [UInt8](repeating: UInt8(number), count: 100_000)
            try Disk.write(live.oldMedia / "media_attachments" / "large\(number)", bytes)
        }
        let ballast = try fill(disk, leaving: 1 << 20)
        let full = try live.run()
        #expect(full.exitCode == 14, "\(full.errorText)")
        #expect(full.errorText.contains("ENOSPC"))
        let oid = try live.oid()
        try Disk.remove(ballast)
        let healed = try live.run()
        #expect(healed.exitCode == 0, "\(healed.errorText)")
        #expect(try live.oid() == oid)
        #expect(try TreeSnapshot(of: live.root).litter == [])
    }

    @Test("no room for what is fetched: rows stay as they were; with room it comes")
    func refresh() throws {
        let disk = try LoopFileSystem(megabytes: 24, makeOptions: ["-m", "0"])
        let live = try MoveLive("mv_full_refresh", root: disk.path / "media")
        #expect(try live.run(["--to", "cleanup"]).exitCode == 0)
        let ballast = try fill(disk, leaving: 1 << 16)
        let warned = try live.run()
        #expect(warned.exitCode == 14 && warned.errorText.contains("error: space: "), "\(warned.errorText)")
        let full = try live.run(["--skip", "doctor"])
        #expect(full.exitCode == 14 || full.exitCode == 3 || full.exitCode == 4, "\(full.errorText)")
        #expect(full.errorText.contains("No space left on device"), "\(full.errorText)\(full.text)")
        try Disk.remove(ballast)
        let healed = try live.run(["--from", "refresh"])
        #expect(healed.exitCode == 0, "\(healed.errorText)")
        #expect(!healed.text.contains("missing"))
    }

    @Test("no room for the run state: refused before anything is changed")
    func state() throws {
        let disk = try LoopFileSystem(megabytes: 16, makeOptions: ["-m", "0"])
        let live = try MoveLive("mv_full_state", state: disk.path / "state")
        _ = try fill(disk, leaving: 0)
        let full = try live.run()
        #expect(full.exitCode == 14 || full.exitCode == 78, "\(full.errorText)")
        #expect(try !live.exists)
        #expect(!Disk.exists(live.root))
    }
}
