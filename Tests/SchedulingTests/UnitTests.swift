internal import MediaModel
internal import MediasyncTesting
internal import Scheduling
internal import Testing

@Suite struct UnitTests {
    private let place = SystemdUnits.Place(
        program: BytePath("/usr/bin/true"),
        user: "root",
        mediaRoot: BytePath("/srv/100% $HOME \"media\"")
    )

    private static let jobs = [
        ScheduledJob(
            .repair,
            arguments: ["repair", "--max-duration", "2h"],
            times: .postMigration(from: 1_795_400_000)
        ),
        ScheduledJob(.cleanup, arguments: ["cleanup", "--days", "7", "--media-root", "/a b%c$d\\e"], times: [.daily]),
        ScheduledJob(.verify, arguments: ["verify", "--store"], times: [.weekly, .expression("Sun *-*-* 04:00:00")]),
    ]

    @Test(
        "systemd takes the units without a complaint",
        .enabled(if: Requirement.has("systemd-analyze"), "needs systemd-analyze"),
        arguments: jobs
    )
    func verify(job: ScheduledJob) throws {
        let directory = try TemporaryDirectory()
        let units = SystemdUnits(job, place)
        try Disk.write(directory.path / units.serviceName, units.service)
        try Disk.write(directory.path / units.timerName, units.timer)
        let paths = [directory.path / units.serviceName, directory.path / units.timerName]
        let result = try Program("systemd-analyze").run([BytePath("verify"), BytePath("--man=no")] + paths)
        let complaints = result.errorText.split(separator: "\n").filter {
            $0.contains(units.serviceName) || $0.contains("mediasync")
        }
        #expect(complaints == [])
    }

    @Test(
        "systemd understands every time",
        .enabled(if: Requirement.has("systemd-analyze"), "needs systemd-analyze"),
        arguments: [CalendarTime.hourly, .daily, .weekly, .monthly, .hour(1_795_402_800)]
    )
    func calendar(time: CalendarTime) throws {
        let result = try Program("systemd-analyze").run(["calendar", time.onCalendar])
        #expect(result.exitCode == 0, "\(time.onCalendar): \(result.errorText)")
    }

    @Test("words stay words: nothing in a path is a specifier, a variable or an escape")
    func quoting() {
        let units = SystemdUnits(Self.jobs[1], place)
        #expect(units.service.contains("ExecStart=/usr/bin/true cleanup --days 7 --media-root \"/a b%%c$$d\\\\e\"\n"))
        #expect(units.service.contains("ReadWritePaths=\"/srv/100%% $$HOME \\\"media\\\"\"\n"))
        #expect(units.service.hasPrefix(SystemdUnits.mark + "\n"))
        #expect(units.timer.hasPrefix(SystemdUnits.mark + "\n"))
    }

    @Test("after a move: every hour of a day, then every day of a week, and never again")
    func postMigration() {
        let now: Int64 = 1_795_400_000
        let times = [CalendarTime].postMigration(from: now)
        let moments = times.map { if case .hour(let seconds) = $0 { seconds } else { Int64(0) } }
        #expect(times.count == 31)
        #expect(moments.allSatisfy { $0 > now && $0 % 3600 == 0 })
        #expect(moments[0] - now <= 3600)
        #expect(zip(moments, moments.dropFirst()).prefix(23).allSatisfy { $1 - $0 == 3600 })
        #expect(moments[24] - moments[0] == 86_400)
        #expect(moments[30] - moments[0] == 7 * 86_400)
        #expect(times[0].onCalendar.hasSuffix(":00:00 UTC"))
    }

    @Test(
        "a crontab says the same, each word quoted for sh and for cron",
        arguments: [
            (CalendarTime.hourly, "17 * * * *"), (.daily, "17 3 * * *"), (.weekly, "17 4 * * 0"),
            (.monthly, "17 4 1 * *"),
        ]
    )
    func cron(time: CalendarTime, fields: String) throws {
        let job = ScheduledJob(.cleanup, arguments: ["cleanup", "--media-root", "/it's 100%"], times: [time])
        let text = try CronLines.text([job], program: BytePath("/usr/bin/mediasync"), minute: 17)
        let line = try #require(text.split(separator: "\n").last)
        #expect(
            line
                == "\(fields) nice -n 10 ionice -c 3 /usr/bin/mediasync cleanup --media-root '/it'\\''s 100\\%' --quiet"
        )
    }

    @Test("a crontab cannot say everything, and says so")
    func cronCannot() {
        let job = ScheduledJob(.verify, arguments: ["verify"], times: [.expression("Sun 04:00")])
        #expect(throws: SyncError.self) { try CronLines.text([job], program: BytePath("x"), minute: 1) }
        let once = ScheduledJob(.repair, arguments: ["repair"], times: [.hour(1_795_402_800)])
        #expect(throws: Never.self) {
            let text = try CronLines.text([once], program: BytePath("x"), minute: 5)
            #expect(text.contains("take them out"))
        }
    }

    @Test(
        "what is no time is none",
        arguments: ["", "daily\nExecStart=x", "50%", "$(x)", String(repeating: "1", count: 201)]
    )
    func noTime(text: String) { #expect(CalendarTime(text) == nil) }
}
