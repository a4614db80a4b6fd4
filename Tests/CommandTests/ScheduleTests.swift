import MediaModel
import MediasyncTesting
import Testing

/// `mediasync schedule` by the built program, in a directory of the test's own.
@Suite struct ScheduleTests {
    private let place: TemporaryDirectory
    private var units: BytePath { place.path / "units" }

    init() throws {
        place = try TemporaryDirectory()
        try Disk.makeDirectory(place.path / "units")
        try Disk.makeDirectory(place.path / "media")
        try Disk.write(place.path / "env", "DB_HOST=/x\nPAPERCLIP_ROOT_PATH=\(place.path / "media")\n")
    }

    private func run(_ action: String, _ options: [String] = []) throws -> Program.Result {
        let mastodon = ["--env-file", "\(place.path / "env")"]
        let directory = ["--unit-dir", "\(units)"]
        let own =
            switch action {
            case "install": mastodon + directory
            case "print": mastodon
            default: directory
            }
        return try BinaryRunner.program().run(["schedule", action] + own + options)
    }

    private func names() throws -> [String] { try Disk.names(in: units).map(\.description).sorted() }

    @Test("units are written, listed with their next time, written over, and removed")
    func roundTrip() throws {
        let installed = try run("install", ["--repair", "daily", "--cleanup", "daily", "--verify", "weekly"])
        #expect(installed.exitCode == 0, "\(installed.errorText)")
        #expect(try names().count == 6)
        #expect(installed.text.contains("systemctl enable --now mediasync-repair.timer"))
        let service = try Disk.text(units / "mediasync-repair.service")
        #expect(service.contains("repair --max-duration 2h --env-file \(place.path / "env")\n"))
        #expect(service.contains("ReadWritePaths=\(place.path / "media")\n"))
        let list = try run("list", ["--json"])
        #expect(list.lines.count == 3)
        if Requirement.has("systemd-analyze") { #expect(list.lines.allSatisfy { $0.contains("\"next\":\"20") }) }
        let again = try run("install", ["--preset", "post-migration"])
        #expect(again.exitCode == 0, "\(again.errorText)")
        #expect(
            try Disk.text(units / "mediasync-repair.timer").split(separator: "\n").filter {
                $0.hasPrefix("OnCalendar=")
            }.count == 31
        )
        try Disk.write(units / "nginx.service", "[Unit]\n")
        let removed = try run("remove")
        #expect(removed.exitCode == 0)
        #expect(try names() == ["nginx.service"])
        #expect(try run("remove").text == "nothing to remove\n")
        #expect(try run("list").text == "no timers\n")
    }

    @Test("a unit of somebody else's is neither written over nor removed")
    func foreign() throws {
        try Disk.write(units / "mediasync-repair.timer", "[Timer]\nOnCalendar=daily\n")
        let result = try run("install", ["--repair", "daily"])
        #expect(result.exitCode == 20)
        #expect(result.errorText.contains("was not written by mediasync"))
        #expect(try run("remove").exitCode == 0)
        #expect(try names().contains("mediasync-repair.timer"))
    }

    @Test("printing writes nothing")
    func printing() throws {
        let text = try run("print", ["--repair", "hourly", "--cleanup", "daily", "--cleanup-days", "30"])
        #expect(text.exitCode == 0, "\(text.errorText)")
        #expect(text.text.contains("# mediasync-cleanup.timer\n"))
        #expect(text.text.contains("cleanup --days 30 "))
        let cron = try run("print", ["--cron", "--verify", "weekly"])
        #expect(cron.lines.last?.contains(" 4 * * 0 nice -n 10 ionice -c 3 ") == true)
        #expect(try names() == [])
    }

    @Test(
        "what makes no sense is refused",
        arguments: [
            [], ["--repair", "50%"], ["--preset", "tea"], ["--preset", "post-migration", "--repair", "daily"],
            ["--cleanup", "daily", "--cleanup-days", "0"], ["--repair", "daily", "--repair-duration", "soon"],
        ]
    )
    func usage(options: [String]) throws {
        #expect(try run("install", options).exitCode == 64)
        #expect(try names() == [])
    }

    @Test(
        "a time that systemd does not know is refused",
        .enabled(if: Requirement.has("systemd-analyze"), "needs systemd-analyze")
    )
    func unknownTime() throws {
        let result = try run("install", ["--repair", "Blursday 04:00"])
        #expect(result.exitCode == 64, "\(result.errorText)")
        #expect(try names() == [])
    }

    @Test("a directory that cannot be written to is told")
    func missingDirectory() throws {
        let arguments = ["schedule", "install", "--repair", "daily", "--env-file", "\(place.path / "env")"]
        let result = try BinaryRunner.program().run(arguments + ["--unit-dir", "\(place.path / "none")"])
        #expect(result.exitCode == 10)
        #expect(result.errorText.contains("schedule print shows the units"))
    }
}
