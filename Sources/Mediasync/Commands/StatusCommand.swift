import ArgumentParser
import Cleaning
import Foundation
import MediaModel
import Pipeline
import Reporting
import Storage

/// `mediasync status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the running or the last run, its failures, the last runs, or how much media there are."
    )

    @Option(help: ArgumentHelp("This run instead of the last.", valueName: "id")) var run: String?

    @Flag(help: "List the entries that failed.") var errors = false

    @Flag(help: "List the last runs.") var list = false

    @Flag(help: "How much media there are, by kind: as the database says, and as the disk says.") var usage = false

    @Flag(help: "Show it anew every second, until the run ends.") var watch = false

    @Option(help: ArgumentHelp("Write the run's report to this file: HTML, nothing beside it.", valueName: "path"))
    var report: String?

    @OptionGroup(title: "Mastodon (with --usage)") var mastodon: MastodonOptions

    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "JSON lines (docs/json.md).") var json = false

    @Option(help: ArgumentHelp("Where runs are recorded; see mediasync help copy.", valueName: "dir"))
    var state: String?

    func validate() throws {
        if let run, RunID(run) == nil {
            throw ValidationError("--run takes a run's name, e.g. 20261123-023001-5f0c9a1e")
        }
        if watch, usage || list || errors || report != nil {
            throw ValidationError("--watch shows one run: leave out --usage, --list, --errors and --report")
        }
        if report != nil, usage || list || errors {
            throw ValidationError("--report writes one run: leave out --usage, --list and --errors")
        }
        if usage, list || errors || run != nil {
            throw ValidationError("--usage shows media, not runs: leave out --list, --errors and --run")
        }
        if list, errors || run != nil { throw ValidationError("--list shows all runs: leave out --errors and --run") }
    }

    func run() async throws {
        let output = LineWriter(descriptor: 1)
        do throws(SyncError) {
            if usage {
                try await showUsage(on: output)
            } else if watch {
                try await follow(on: output)
            } else {
                try show(on: output)
            }
        } catch {
            LineWriter(descriptor: 2).write(ErrorText.block(error))
            throw ExitCode(error.code.exitStatus.rawValue)
        }
    }

    private func showUsage(on output: LineWriter) async throws(SyncError) {
        let server = try MastodonServer(mastodon)
        let survey = UsageSurvey(
            settings: try server.database(),
            store: try server.store(),
            processors: Storage.Host.current().processors
        )
        let answer = try await survey.run()
        output.write(json ? UsageTable.json(answer.lines) : Array(UsageTable.text(answer.lines).utf8))
        guard answer.failed > 0 else { return }
        throw SyncError(
            .item,
            "\(answer.failed) files or directories could not be looked at and are not counted",
            hint: "run as root or as the owner of the files"
        )
    }

    private func show(on output: LineWriter) throws(SyncError) {
        let directory = try StateLocation.resolve(
            flag: state,
            environment: ProcessInfo.processInfo.environment,
            isRoot: geteuid() == 0
        )
        guard let store = try RunStore.openExisting(directory: directory) else {
            return output.write(json ? "" : "no runs yet\n")
        }
        let now = Storage.Host.wallClock().seconds
        if list {
            let runs = try store.recentRuns()
            guard json else { return output.write(StatusPrinter.list(runs, now: now)) }
            for run in runs { output.write(StatusPrinter.json(run)) }
            return
        }
        guard let record = try record(in: store) else { return output.write(json ? "" : "no runs yet\n") }
        if errors { return try listFailures(of: record, in: store, on: output) }
        if let report { return try store.writeReport(of: record.id, to: report, now: now) }
        if json { return output.write(StatusPrinter.json(record)) }
        output.write(StatusPrinter.text(record, samples: try store.samples(of: record.id), now: now))
    }

    /// Shows a run again and again until it ends: over what was shown before on a terminal, else below it where it changed.
    private func follow(on output: LineWriter) async throws(SyncError) {
        signal(SIGPIPE, SIG_IGN)
        let redraws = TerminalSupport.isTerminal(1) && !json
        var drawn = 0
        var last: [UInt8] = []
        // That one, whatever begins meanwhile.
        var watched: RunID?
        while true {
            let directory = try StateLocation.resolve(
                flag: state,
                environment: ProcessInfo.processInfo.environment,
                isRoot: geteuid() == 0
            )
            guard let store = try RunStore.openExisting(directory: directory) else {
                return output.write(json ? "" : "no runs yet\n")
            }
            var found = try record(in: store)
            if let watched { found = try store.run(watched) }
            guard let record = found else { return output.write(json ? "" : "no runs yet\n") }
            watched = record.id
            let samples = try store.samples(of: record.id)
            let now = Storage.Host.wallClock().seconds
            let text =
                json ? StatusPrinter.json(record) : Array(StatusPrinter.text(record, samples: samples, now: now).utf8)
            if redraws, drawn > 0 { output.write("\u{1B}[\(drawn)A\u{1B}[J") }
            if redraws || text != last { output.write(text) }
            if record.state != .running || output.failure != nil { return }
            drawn = text.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
            last = text
            // The run is another process's: its record is all that can be looked at, and tells nobody when it changes.
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }

    /// The run that was asked for: by name, else the running one, else the last.
    private func record(in store: RunStore) throws(SyncError) -> RunRecord? {
        if let run, let id = RunID(run) {
            guard let record = try store.run(id) else {
                throw SyncError(.usage, "there is no run \(id)", hint: "mediasync status --list shows the last runs")
            }
            return record
        }
        if let running = try store.runningRuns().first { return running }
        return try store.recentRuns(limit: 1).first
    }

    private func listFailures(of record: RunRecord, in store: RunStore, on output: LineWriter) throws(SyncError) {
        var position: Int64? = 0
        while let after = position {
            let page = try store.failures(of: record.id, after: after)
            if json {
                for failure in page.failures { output.write(StatusPrinter.json(failure, of: record.id)) }
            } else {
                output.write(StatusPrinter.errors(page.failures))
            }
            position = page.next
        }
        if !json, let dropped = StatusPrinter.droppedLine(record) { output.write(dropped) }
    }
}
