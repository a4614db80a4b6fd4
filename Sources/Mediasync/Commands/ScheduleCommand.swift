import ArgumentParser
import Foundation
import MediaModel
import Reporting
import Scheduling
import Settings
import Storage

/// `mediasync schedule`.
struct ScheduleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Install, list or remove timers for repairs, cleanups and verifications.",
        discussion: """
            Examples:
              mediasync schedule install --preset post-migration
              mediasync schedule install --repair daily --cleanup daily --verify weekly
              mediasync schedule print --cron --repair daily
              mediasync schedule list
            """,
        subcommands: [Install.self, Print.self, List.self, Remove.self]
    )

    enum Preset: String, ExpressibleByArgument {
        case postMigration = "post-migration"
    }

    /// What is to be run, and when.
    struct Jobs: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "Fetch again what is missing: hourly, daily, weekly, monthly, or systemd's notation.",
                valueName: "time"
            )
        )
        var repair: String?

        @Option(help: ArgumentHelp("Remove old media of other servers.", valueName: "time")) var cleanup: String?

        @Option(help: ArgumentHelp("Compare the database with the media directory.", valueName: "time"))
        var verify: String?

        @Option(
            help: ArgumentHelp(
                "post-migration: repair hourly for a day, daily for a week; verify weekly.",
                valueName: "name"
            )
        )
        var preset: Preset?

        @Option(help: ArgumentHelp("Media older than this go in a cleanup.", valueName: "n")) var cleanupDays = 7

        @Option(help: ArgumentHelp("A repair stops after so long; the next one goes on.", valueName: "time"))
        var repairDuration = "2h"

        @Option(help: ArgumentHelp("Whom the jobs run as. Default: the owner of the media.", valueName: "name"))
        var user: String?

        @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

        @OptionGroup var configuration: ConfigurationOptions

        func validate() throws {
            if repair == nil, cleanup == nil, verify == nil, preset == nil {
                throw ValidationError("say what to run: --repair, --cleanup, --verify, or --preset post-migration")
            }
            if preset != nil, repair != nil || verify != nil {
                throw ValidationError("the preset says when to repair and verify: leave out --repair and --verify")
            }
            for time in [repair, cleanup, verify].compactMap({ $0 }) where CalendarTime(time) == nil {
                throw ValidationError("\(BytePath(time)) is no time: hourly, daily, weekly, monthly, or e.g. Sun 04:00")
            }
            if !(1...36_500).contains(cleanupDays) { throw ValidationError("--cleanup-days is a number of days") }
            if DurationArgument(argument: repairDuration) == nil {
                throw ValidationError("--repair-duration is a time like 2h")
            }
        }

        /// - Parameter now: seconds since 1970.
        func scheduled(now: Int64) throws(SyncError) -> [ScheduledJob] {
            let places = try placeArguments()
            var jobs: [ScheduledJob] = []
            let repairArguments = ["repair", "--max-duration", repairDuration] + places
            let verifyArguments = ["verify", "--store", "--files"] + places
            if preset != nil {
                jobs.append(ScheduledJob(.repair, arguments: repairArguments, times: .postMigration(from: now)))
                jobs.append(ScheduledJob(.verify, arguments: verifyArguments, times: [.weekly]))
            }
            if let time = repair.flatMap({ CalendarTime($0) }) {
                jobs.append(ScheduledJob(.repair, arguments: repairArguments, times: [time]))
            }
            if let time = cleanup.flatMap({ CalendarTime($0) }) {
                let arguments = ["cleanup", "--days", "\(cleanupDays)"] + places
                jobs.append(ScheduledJob(.cleanup, arguments: arguments, times: [time]))
            }
            if let time = verify.flatMap({ CalendarTime($0) }) {
                jobs.append(ScheduledJob(.verify, arguments: verifyArguments, times: [time]))
            }
            for job in jobs {
                for time in job.times { if case .expression(let text) = time { try Systemd.check(text) } }
            }
            return jobs
        }

        /// A timer has no current directory: paths become whole.
        private func placeArguments() throws(SyncError) -> [String] {
            var arguments: [String] = []
            let places = [
                ("--config", configuration.config), ("--env-file", mastodon.envFile),
                ("--media-root", mastodon.mediaRoot),
            ]
            for (flag, value) in places {
                guard let value else { continue }
                arguments += [flag, URL(fileURLWithPath: value).standardizedFileURL.path]
            }
            return arguments
        }

        func place() throws(SyncError) -> SystemdUnits.Place {
            let server = try MastodonServer(mastodon)
            let root = try server.mediaRoot().path
            let text = String(decoding: root.bytes, as: UTF8.self)
            let whole = BytePath(URL(fileURLWithPath: text).standardizedFileURL.path)
            let name: String
            if let user { name = user } else { name = try Self.owner(of: whole) }
            return SystemdUnits.Place(program: ThisProgram.path, user: name, mediaRoot: whole)
        }

        private static func owner(of root: BytePath) throws(SyncError) -> String {
            let text = String(decoding: root.bytes, as: UTF8.self)
            let owner = try? FileManager.default.attributesOfItem(atPath: text)[.ownerAccountName] as? String
            if let owner { return owner }
            throw SyncError(
                .unusable,
                "cannot tell who owns \(root)",
                hint: "name whom the jobs run as with --user"
            )
        }
    }

    /// Where units are.
    struct Place: ParsableArguments {
        @Option(help: ArgumentHelp("Where units are kept.", valueName: "dir")) var unitDir = "/etc/systemd/system"

        var directory: UnitDirectory { UnitDirectory(path: unitDir) }

        /// The directory is the one that this machine's systemd reads.
        var isLive: Bool { Systemd.isRunning && ["/etc/systemd/system", "/run/systemd/system"].contains(unitDir) }
    }

    /// Runs the body and turns its error into the exit code.
    static func perform(_ body: () throws(SyncError) -> Void) throws {
        do throws(SyncError) {
            try body()
        } catch {
            LineWriter(descriptor: 2).write(ErrorText.block(error))
            throw ExitCode(error.code.exitStatus.rawValue)
        }
    }

    static func say(_ text: String) { LineWriter(descriptor: 1).write(text) }

    static var now: Int64 { Storage.Host.wallClock().seconds }

    // MARK: Its commands

    struct Install: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write units and start their timers.")

        @OptionGroup var jobs: Jobs
        @OptionGroup var place: Place
        @Flag(help: "Write the units, and start nothing.") var noStart = false

        func run() async throws {
            try ScheduleCommand.perform { () throws(SyncError) in
                let machine = try jobs.place()
                let all = try jobs.scheduled(now: ScheduleCommand.now).map { SystemdUnits($0, machine) }
                for units in all {
                    try place.directory.write(units.service, to: units.serviceName)
                    try place.directory.write(units.timer, to: units.timerName)
                    ScheduleCommand.say("wrote \(place.unitDir)/\(units.timerName) and \(units.serviceName)\n")
                }
                let timers = all.map(\.timerName)
                guard place.isLive, !noStart else {
                    let line =
                        "to start: systemctl daemon-reload && systemctl enable --now \(timers.joined(separator: " "))\n"
                    return ScheduleCommand.say(line)
                }
                try Systemd.control(["daemon-reload"])
                try Systemd.control(["enable", "--now"] + timers)
                ScheduleCommand.say("started: systemctl list-timers 'mediasync-*'\n")
            }
        }
    }

    struct Print: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the units, or with --cron lines for a crontab; nothing is written."
        )

        @OptionGroup var jobs: Jobs
        @Flag(help: "Lines for a crontab of the owner of the media.") var cron = false

        func run() async throws {
            try ScheduleCommand.perform { () throws(SyncError) in
                let scheduled = try jobs.scheduled(now: ScheduleCommand.now)
                if cron {
                    // Each server has a minute of its own.
                    let minute = Int.random(in: 1...58)
                    return ScheduleCommand.say(try CronLines.text(scheduled, program: ThisProgram.path, minute: minute))
                }
                let machine = try jobs.place()
                for units in scheduled.map({ SystemdUnits($0, machine) }) {
                    ScheduleCommand.say(
                        "# \(units.serviceName)\n\(units.service)\n# \(units.timerName)\n\(units.timer)\n"
                    )
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the installed timers and when they come next.")

        @OptionGroup var place: Place
        @Flag(help: "JSON lines (docs/json.md).") var json = false

        func run() async throws {
            try ScheduleCommand.perform { () throws(SyncError) in
                let installed = try place.directory.installed()
                if installed.isEmpty, !json { return ScheduleCommand.say("no timers\n") }
                let lines = installed.map { job, times in
                    TimerLine(
                        name: "\(job.unitName).timer",
                        times: times,
                        next: times.compactMap { Systemd.next($0) }.min()
                    )
                }
                LineWriter(descriptor: 1).write(json ? TimerText.json(lines) : Array(TimerText.text(lines).utf8))
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop the timers and remove the units that mediasync wrote."
        )

        @OptionGroup var place: Place

        func run() async throws {
            try ScheduleCommand.perform { () throws(SyncError) in
                let installed = try place.directory.installed().map { "\($0.job.unitName).timer" }
                if place.isLive, !installed.isEmpty { try Systemd.control(["disable", "--now"] + installed) }
                var count = 0
                for job in Job.allCases {
                    for suffix in ["timer", "service"] {
                        let name = "\(job.unitName).\(suffix)"
                        guard try place.directory.remove(name) else { continue }
                        count += 1
                        ScheduleCommand.say("removed \(place.unitDir)/\(name)\n")
                    }
                }
                if count == 0 { return ScheduleCommand.say("nothing to remove\n") }
                if place.isLive { try Systemd.control(["daemon-reload"]) }
            }
        }
    }
}
