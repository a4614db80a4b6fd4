import MediaModel
import MediasyncTesting
import Synchronization
import Testing

/// `refresh` of the built binary: a real database, a real server, real pictures.
@Suite(
    .enabled(
        if: Requirement.hasPostgres && Requirement.has("ffmpeg"),
        "needs PostgreSQL's server programs, setpriv and ffmpeg"
    )
)
struct RefreshTests {
    @Test("what is missing is fetched, decoded, stored and named; the second run asks nobody")
    func whole() throws {
        let live = try RefreshLive("refresh_whole", attachments: 30)
        let dry = try live.run(RefreshLive.options + ["--dry-run"])
        #expect(dry.exitCode == 0, "\(dry.errorText)")
        #expect(live.origin.log.isEmpty)
        let result = try live.run(RefreshLive.options + ["--json"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.text.contains("\"type\":\"refreshed\",\"kind\":\"attachment\",\"seen\":30,\"fetched\":30"))
        let audit = try live.audit()
        #expect(audit.named == 30)
        #expect(audit.broken == [])
        #expect(audit.orphans == [])
        #expect(live.origin.log.count == 30)
        #expect(
            live.origin.log.allSatisfy { $0.request.headers["user-agent"]?.contains("+https://my.example/") == true }
        )
        let row = try live.sql(
            "SELECT DISTINCT type, file_content_type, length(blurhash), file_meta::text FROM media_attachments"
        )
        let meta = """
            {"original":{"width":900,"height":700,"size":"900x700","aspect":1.2857142857142858},\
            "small":{"width":544,"height":423,"size":"544x423","aspect":1.2860520094562649}}
            """
        #expect(row == "0|image/jpeg|36|\(meta)")
        let again = try live.run()
        #expect(again.exitCode == 0)
        #expect(live.origin.log.count == 30)
    }

    @Test("gone, failing and hostile answers are told each as what they are; nothing is left behind")
    func outcomes() throws {
        let picture = try RefreshLive.picture.get()
        let live = try RefreshLive("refresh_outcomes", attachments: 8) { request in
            switch request.path {
            case "/m1": .status(404)
            case "/m2": .status(410)
            case "/m3": .status(403)
            case "/m4": .body(Array("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8), type: "image/svg+xml")
            case "/m5": .body(Array(picture.prefix(picture.count / 2)), type: "image/jpeg")
            case "/m6": .status(302, headers: ["Location: http://169.254.169.254/latest"])
            case "/m7": .body(picture + Array("<script>evil()</script>".utf8), type: "image/jpeg")
            default: .body(picture)
            }
        }
        let result = try live.run()
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.text.contains("2 gone"))
        #expect(result.text.contains("4 failed"))
        #expect(result.text.contains("2 fetched"))
        let audit = try live.audit()
        #expect(audit.named == 2)
        // What followed the picture's end is cut off.
        #expect(audit.broken == [])
        #expect(audit.orphans == [])
        let errors = try BinaryRunner.program().run(["status", "--errors"].map { BytePath($0) })
        #expect(errors.exitCode == 0)
        let retry = try live.run(["--retry-failed", "--rate", "5000"])
        #expect(retry.exitCode == 3)
        #expect(live.origin.log.filter { $0.request.path == "/m1" }.count == 1)
        #expect(live.origin.log.filter { $0.request.path == "/m3" }.count == 2)
    }

    @Test("a list of verify --store is a selection")
    func list() throws {
        let live = try RefreshLive("refresh_list", attachments: 6)
        #expect(try live.run().exitCode == 0)
        let gone = try live.sql("SELECT file_file_name FROM media_attachments WHERE id = 4")
        let path = "cache/media_attachments/files/000/000/004/original/\(gone)"
        try Disk.remove(live.root / path)
        let environment = ["--env-file", (live.place.path / ".env.production").description]
        let list = try BinaryRunner.program().run((["verify", "--store", "--json"] + environment).map { BytePath($0) })
        #expect(list.exitCode == 4)
        try Disk.write(live.place.path / "list", list.text)
        live.origin.forget()
        let result = try live.run(["--from-list", (live.place.path / "list").description])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(live.origin.log.map(\.request.path) == ["/m4"])
        let audit = try live.audit()
        #expect(audit.named == 6 && audit.broken == [] && audit.orphans == [])
        try Disk.write(live.place.path / "wrong", "avatar x\n")
        let wrong = try live.run(["--from-list", (live.place.path / "wrong").description])
        #expect(wrong.exitCode == 64)
        #expect(wrong.errorText.contains("line 1"))
    }

    @Test("what a list says is damaged is fetched although it is there")
    func damaged() throws {
        let live = try RefreshLive("refresh_damaged", attachments: 3)
        #expect(try live.run().exitCode == 0)
        func listed(_ changes: String) throws -> BytePath {
            let line =
                #"{"type":"item","outcome":"different","changes":["\#(changes)"],"record":"attachment","id":"2","local":false}"#
            try Disk.write(live.place.path / "list", line)
            return live.place.path / "list"
        }
        for (changes, paths) in [("size", []), ("undecodable", ["/m2"]), ("type", ["/m2"])] {
            live.origin.forget()
            let result = try live.run(["--from-list", try listed(changes).description])
            #expect(result.exitCode == 0, "\(result.errorText)")
            #expect(live.origin.log.map(\.request.path) == paths)
        }
        let audit = try live.audit()
        #expect(audit.named == 3 && audit.broken == [] && audit.orphans == [])
    }

    @Test(
        "killed at random moments again and again, rows never name what is not there; the last run leaves all in order"
    )
    func randomKills() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let live = try RefreshLive("refresh_kills", attachments: 150)
        for round in 0..<14 {
            let served = live.origin.log.count
            // Every third run replaces files that are good.
            let force = round % 3 == 2 ? ["--force"] : []
            let running = try BinaryRunner.program().start(live.arguments(RefreshLive.options + force))
            let enough = served + Int.random(in: 1...25, using: &random)
            _ = RunningProgram.eventually { live.origin.log.count >= enough || !running.isRunning }
            running.killGroup()
            _ = running.wait()
            let audit = try live.audit()
            #expect(audit.broken == [], "seed \(seed), round \(round)")
        }
        let last = try live.run()
        #expect(last.exitCode == 0, "seed \(seed): \(last.errorText)")
        let audit = try live.audit()
        #expect(audit.named == 150, "seed \(seed)")
        #expect(audit.broken == [] && audit.orphans == [], "seed \(seed)")
    }

    @Test("SIGTERM ends a run within ten seconds with its own exit code; the next run goes on")
    func terminated() throws {
        let picture = try RefreshLive.picture.get()
        let isSlow = Atomic<Bool>(true)
        let live = try RefreshLive("refresh_term", attachments: 60) { request in
            let number = Int(request.path.dropFirst(2)) ?? 0
            if number % 2 == 0, isSlow.load(ordering: .relaxed) { return .steps([.hang]) }
            return .body(picture)
        }
        let running = try BinaryRunner.program().start(live.arguments(RefreshLive.options))
        #expect(RunningProgram.eventually { live.origin.log.count >= 3 })
        let begin = RunningProgram.now()
        running.send(15)
        let ended = running.wait()
        #expect(ended.exitCode == 143, "\(ended.errorText)")
        #expect(RunningProgram.now() - begin < 10)
        let audit = try live.audit()
        #expect(audit.broken == [])
        isSlow.store(false, ordering: .relaxed)
        #expect(try live.run().exitCode == 0)
        let whole = try live.audit()
        #expect(whole.named == 60 && whole.broken == [] && whole.orphans == [])
    }

    @Test(
        "what cannot be asked for is told before anything begins",
        arguments: [
            [], ["--days", "-1"], ["--days", "1", "--all"], ["--days", "1", "--since", "2026-01-01"],
            ["--all", "--only", "cards"],
            ["--account", "somebody"], ["--all", "-j", "0"], ["--all", "--rate", "0"], ["--all", "--cleanup"],
            ["--since", "yesterday"], ["--all", "--max-duration", "soon"],
        ]
    )
    func usage(options: [String]) throws {
        let result = try BinaryRunner.program().run((["refresh"] + options).map { BytePath($0) })
        #expect(result.exitCode == 64, "\(result.errorText)")
    }
}
