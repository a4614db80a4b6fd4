import MediaModel
import MediasyncTesting
import Testing

/// What the database's server and the names' servers do meanwhile.
@Suite(
    .enabled(
        if: Requirement.hasPostgres && Requirement.has("ffmpeg"),
        "needs PostgreSQL's server programs, setpriv and ffmpeg"
    )
)
struct RefreshServerTests {
    @Test(
        "a server that goes down in the middle of a run and comes back costs no row and no file",
        .timeLimit(.minutes(3)),
        arguments: [false, true]
    )
    func restart(immediately: Bool) throws {
        let cluster = try PostgresCluster(settings: ["fsync": "on"])
        try MastodonDatabase.makeRole(cluster)
        let live = try RefreshLive("server_restart", attachments: 200, cluster: cluster)
        let options = ["--all", "--rate", "60", "--per-host", "8"]
        let running = try BinaryRunner.program().start(live.arguments(options))
        let isUnderWay = RunningProgram.eventually { live.origin.log.count >= 60 }
        if immediately { try cluster.crash() } else { cluster.stop() }
        try cluster.start()
        let result = running.wait(timeout: 120)
        #expect(isUnderWay)
        // It goes on, or says why not; never something between.
        #expect([0, 12].contains(result.exitCode), "\(result.exitCode): \(result.errorText)")
        if result.exitCode == 12 { #expect(result.errorText.contains("database")) }
        let first = try live.audit()
        #expect(first.broken == [], "\(result.errorText)")
        if result.exitCode == 0 { #expect(first.named == 200) }
        let next = try live.run()
        #expect(next.exitCode == 0, "\(next.errorText)")
        let audit = try live.audit()
        #expect(audit.named == 200)
        #expect(audit.broken == [] && audit.orphans == [])
    }

    @Test(
        "what is gone is asked for again after seven days, by the clock of the machine, and not before",
        .enabled(if: ChangingClock.isInstalled, "needs faketime")
    )
    func sevenDays() throws {
        let clock = try ChangingClock("+0d")
        let live = try RefreshLive("server_seven_days", attachments: 3) { _ in .status(410) }
        var program = BinaryRunner.program(wrapper: clock.wrapper)
        program.environment.merge(clock.environment) { $1 }
        var asked: [Int] = []
        for day in ["+0d", "+6d", "+8d", "+14d", "+16d"] {
            try clock.set(day)
            let result = try program.run(live.arguments(RefreshLive.options))
            #expect(result.exitCode == 0, "\(day): \(result.errorText)")
            asked.append(live.origin.log.count)
        }
        // Asked again on the eighth day, it is gone for seven days more.
        #expect(asked == [3, 3, 6, 6, 9])
    }

    @Test(
        "a name that leads elsewhere the next time is judged by where it leads, for each connection",
        .enabled(if: Requirement.canAnswerNames, "needs root and unshare")
    )
    func changingNames() throws {
        let picture = try RefreshLive.picture.get()
        let secret = try OriginServer(address: "127.0.0.9") { _ in .body(picture) }
        let live = try RefreshLive("server_changing_names", attachments: 2)
        let names = try TestNameServer(
            address: "127.53.53.3",
            answers: ["turns.example": ["127.0.0.1", "127.0.0.9"], "back.example": ["127.0.0.9", "127.0.0.1"]]
        )
        try live.sql(
            "UPDATE media_attachments SET remote_url = 'http://turns.example:\(live.origin.port)/m1' WHERE id = 1"
        )
        try live.sql("UPDATE media_attachments SET remote_url = 'http://back.example:\(secret.port)/m2' WHERE id = 2")
        var program = BinaryRunner.program(wrapper: names.wrapper)
        program.environment["ALLOWED_PRIVATE_ADDRESSES"] = "127.0.0.1"
        let first = try program.run(live.arguments(RefreshLive.options))
        #expect(first.exitCode == 3, "\(first.errorText)")
        #expect(live.origin.log.map(\.request.path) == ["/m1"])
        // The same name leads inside by now: the picture is fetched again, and is not.
        try live.sql(
            "UPDATE media_attachments SET remote_url = 'http://turns.example:\(secret.port)/m1' WHERE id = 1"
        )
        let forced = try program.run(live.arguments(RefreshLive.options + ["--force"]))
        #expect(forced.exitCode == 3, "\(forced.errorText)")
        #expect(secret.connections == 0)
        let audit = try live.audit()
        #expect(audit.named == 1 && audit.broken == [] && audit.orphans == [])
    }
}
