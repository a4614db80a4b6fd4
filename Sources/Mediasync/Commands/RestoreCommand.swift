import ArgumentParser
import Foundation
import MediaModel
import Postgres
import Restoring
import Settings
import Storage

/// `mediasync restore DUMP`.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a dump the live database, or leave the old one as it was.",
        discussion: """
            Reads the whole dump first (pg_dump plain, -Fc, -Ft, -Fd, pg_dumpall; compressed or not; told apart by content), \
            loads it beside the live database over several connections, verifies it, and exchanges both in one \
            transaction. The old database is kept until --drop-previous; --undo goes back to it. Nothing of a dump runs \
            outside the new database, and nothing of it as a superuser.
            """
    )

    @Argument(help: ArgumentHelp("The dump, a file or directory; - for standard input.", valueName: "dump"))
    var dump: String?

    @Option(help: ArgumentHelp("Of a pg_dumpall file, the database to take. Default: Mastodon's.", valueName: "name"))
    var database: String?

    @Option(
        help: ArgumentHelp(
            "The live database that is replaced, or made. Default: DB_NAME of Mastodon's settings, else "
                + "mastodon_production.",
            valueName: "name"
        )
    )
    var into: String?

    @Option(help: ArgumentHelp("Who owns the new database. Default: who owns the old one.", valueName: "role"))
    var owner: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Connections. Default: the processors, 2 to 8.", valueName: "n"))
    var jobs: Int?

    @Flag(help: "End the sessions of the live database at the swap instead of refusing.") var force = false

    @Flag(name: [.customShort("n"), .long], help: "Only read the dump and tell what is in it.") var dryRun = false

    @Flag(help: "Make the database live again that was replaced last.") var undo = false

    @Flag(help: "Drop the databases that were replaced.") var dropPrevious = false

    @Option(
        help: ArgumentHelp("Mastodon's directory: a dump that is newer than it is refused.", valueName: "dir")
    )
    var mastodonRoot: String?

    @Option(
        help: ArgumentHelp(
            "Run by sh with DB_NAME set to the new database, before it goes live, where migrations are missing.",
            valueName: "command"
        )
    )
    var migrateCommand: String?

    @Option(help: ArgumentHelp("Where standard input is kept while it is read.", valueName: "dir"))
    var spoolDir = "/var/tmp"

    @Flag(help: "Do not ask.") var yes = false

    @OptionGroup(title: "Database") var connection: DatabaseOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        let actions = [dump != nil, undo, dropPrevious].filter { $0 }.count
        guard actions == 1 else { throw ValidationError("name a dump, or pass one of --undo and --drop-previous") }
        if let jobs, !(1...64).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 64") }
        if let into, into.isEmpty || into.utf8.count > 63 {
            throw ValidationError("--into is a name of 1 to 63 bytes")
        }
    }

    func run() async throws {
        let dumpPath = dump.map(RawArguments.path) ?? BytePath("-")
        let settings: Result<ConnectionSettings, SyncError> = Result { () throws(SyncError) in
            try MastodonServer(connection).database(isRequired: false)
        }
        let live = into ?? (try? settings.get())?.database ?? MastodonSettings.defaultDatabase
        let isConfirmed = dryRun || yes || Confirmation.ask(question(live))
        try await RunSession.perform(
            command: "restore",
            output: output,
            source: dump == nil ? BytePath(live) : dumpPath,
            target: dump == nil ? nil : BytePath(live),
            isDryRun: dryRun
        ) { session in
            guard isConfirmed else {
                throw SyncError(
                    .refused,
                    "not confirmed; nothing was changed",
                    hint: "answer y, or pass --yes where nobody can answer"
                )
            }
            guard dump != nil else {
                return PreviousEngine(
                    undo ? .undo : .drop,
                    live: live,
                    force: force,
                    isDryRun: dryRun,
                    settings: try settings.get(),
                    run: session.run,
                    control: session.control,
                    sink: session.sink
                )
            }
            let jobs = jobs ?? max(2, min(8, session.host.processors))
            var options = RestoreOptions(
                dump: dumpPath,
                live: live,
                jobs: jobs,
                memoryMebibytes: Self.memoryMebibytes(try settings.get()),
                spoolDirectory: RawArguments.path(spoolDir)
            )
            options.sourceDatabase = database
            options.owner = owner
            options.force = force
            options.isDryRun = dryRun
            options.migrateCommand = migrateCommand
            options.installedMigrations = try mastodonRoot.map { try InstalledMigrations.read(below: $0) }
            options.environment = ProcessInfo.processInfo.environment
            return RestoreEngine(
                options: options,
                settings: try settings.get(),
                run: session.run,
                control: session.control,
                sink: session.sink
            )
        }
    }

    private func question(_ live: String) -> String {
        let name = BytePath(live).description
        if undo { return "Make the database that was live before \(name) live again?" }
        if dropPrevious { return "Drop the databases that \(name) replaced? They cannot be brought back." }
        return "Replace the database \(name) with the dump? The old one is kept until --drop-previous."
    }

    /// A quarter of the machine's memory where the server is on it, else what any server has.
    static func memoryMebibytes(_ settings: ConnectionSettings) -> Int {
        let host = settings.host ?? ProcessInfo.processInfo.environment["PGHOST"] ?? "/"
        let isLocal = host.hasPrefix("/") || ["localhost", "127.0.0.1", "::1"].contains(host)
        return isLocal ? max(256, Int(ProcessInfo.processInfo.physicalMemory >> 20) / 4) : 512
    }
}
