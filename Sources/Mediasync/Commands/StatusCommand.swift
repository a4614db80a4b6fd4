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

    @OptionGroup(title: "Mastodon (with --usage)") var mastodon: MastodonOptions

    @Flag(help: "JSON lines (docs/json.md).") var json = false

    @Option(help: ArgumentHelp("Where runs are recorded; see mediasync help copy.", valueName: "dir"))
    var state: String?

    func validate() throws {
        if let run, RunID(run) == nil {
            throw ValidationError("--run takes a run's name, e.g. 20261123-023001-5f0c9a1e")
        }
        if usage, list || errors || run != nil {
            throw ValidationError("--usage shows media, not runs: leave out --list, --errors and --run")
        }
        if list, errors || run != nil { throw ValidationError("--list shows all runs: leave out --errors and --run") }
    }

    func run() async throws {
        let output = LineWriter(descriptor: 1)
        do throws(SyncError) {
            if usage { try await showUsage(on: output) } else { try show(on: output) }
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
        if json { output.write(StatusPrinter.json(record)) } else { output.write(StatusPrinter.text(record, now: now)) }
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
