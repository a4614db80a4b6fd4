import ArgumentParser
import Backups
import Foundation
import MediaModel
import Pipeline
import Postgres
import Reporting
import Restoring
import Running
import Settings
import Storage
import Synchronization

/// `mediasync migrate`.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Restore, copy, clean up, refresh and verify: a whole move as one run.",
        discussion: """
            Stages: doctor, restore, media, configuration, cleanup, refresh, verify. Each tells what it is going to do before it begins. \
            Run the same command again after a failure, a stop or a kill: it goes on where it was. Mastodon must not run \
            while the database is restored and the media are copied; --hook-before and --hook-after stop and start it.

            Examples:
              mediasync migrate -n --dump mastodon.dump --media /mnt/old/public/system
              mediasync migrate --dump mastodon.dump --media /mnt/old/public/system \\
                --hook-before 'systemctl stop mastodon-web mastodon-sidekiq mastodon-streaming' \\
                --hook-after 'systemctl start mastodon-web mastodon-sidekiq mastodon-streaming'
              mediasync migrate --dump mastodon.dump --media /mnt/old/public/system --from refresh
              mediasync migrate --backup /var/snap/mastodon-server/common/backups/20261124-030000
            """
    )

    // MARK: What

    @Option(help: ArgumentHelp("The dump of the old server's database, in any format.", valueName: "path"))
    var dump: String?

    @Option(
        help: ArgumentHelp(
            "The old server's media: a directory, or an archive (media.tar.gz, .zst, ...).",
            valueName: "src"
        )
    )
    var media: String?

    @Option(
        help: ArgumentHelp(
            "An export of the old server, by mediasync export or the snap: database, media, settings, certificates.",
            valueName: "dir"
        )
    )
    var backup: String?

    @Option(
        help: ArgumentHelp(
            "With --backup: where Redis reads its data; it must be stopped (--hook-before).",
            valueName: "file"
        )
    )
    var redis: String?

    @Option(
        help: ArgumentHelp(
            "With --backup: where certificates go. Default: the snap's directory where its settings are used.",
            valueName: "dir"
        )
    )
    var certificates: String?

    @Option(help: ArgumentHelp("Of a pg_dumpall file, the database to take. Default: Mastodon's.", valueName: "name"))
    var database: String?

    @Option(help: ArgumentHelp("Remote attachments of so many days before the dump are fetched.", valueName: "n"))
    var days: Double = 1

    // MARK: Stages

    @Option(help: ArgumentHelp("Begin with this stage, done before or not.", valueName: "stage"))
    var from: MigrationStage?

    @Option(help: ArgumentHelp("End with this stage.", valueName: "stage")) var to: MigrationStage?

    @Option(help: ArgumentHelp("Leave these out; several with commas.", valueName: "stages"))
    var skip: MigrationStagesArgument?

    @Flag(help: "Begin at the beginning, whatever an earlier run did.") var fresh = false

    // MARK: Around

    @Option(help: ArgumentHelp("Run by sh before restore and media: stops Mastodon.", valueName: "command"))
    var hookBefore: String?

    @Option(help: ArgumentHelp("Run by sh once both are done: starts Mastodon.", valueName: "command"))
    var hookAfter: String?

    @Option(
        help: ArgumentHelp(
            "Run by sh with DB_NAME set to the new database, before it goes live, where migrations are missing.",
            valueName: "command"
        )
    )
    var migrateCommand: String?

    @Option(help: ArgumentHelp("Mastodon's directory: a dump that is newer than it is refused.", valueName: "dir"))
    var mastodonRoot: String?

    @Flag(help: "End the sessions of the live database at the swap instead of refusing.") var force = false

    @Flag(name: [.customShort("n"), .long], help: "Only show what would be done.") var dryRun = false

    @Flag(help: "Do not ask.") var yes = false

    @OptionGroup(title: "Pace of the refresh") var pace: PaceArguments

    @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if dump == nil, media == nil, backup == nil {
            throw ValidationError("say what to move: --backup DIR, or --dump FILE, --media SRC, or both")
        }
        if backup != nil, dump != nil || media != nil {
            throw ValidationError("--backup has both: leave out --dump and --media")
        }
        if backup == nil, redis != nil || certificates != nil {
            throw ValidationError("--redis and --certificates are for --backup")
        }
        if dump == "-" { throw ValidationError("--dump is a file or directory: standard input cannot be gone on with") }
        if !(0...36_500).contains(days) { throw ValidationError("--days is a number of days") }
        if fresh, from != nil { throw ValidationError("--fresh begins at the beginning: leave out --from") }
        guard let range = MigrationStage.range(from: from, to: to) else {
            throw ValidationError(
                "--from is behind --to: the order is doctor, restore, media, configuration, cleanup, refresh, verify"
            )
        }
        let possible = range.filter { $0 != .configuration || backup != nil }
        if possible.allSatisfy({ skip?.stages.contains($0) ?? false }) { throw ValidationError("no stage is left") }
        guard backup == nil else { return }
        if dump == nil, range.contains(.restore), from == .restore || to == .restore {
            throw ValidationError("restore needs --dump")
        }
        if media == nil, from == .media || to == .media { throw ValidationError("media needs --media") }
        if from == .configuration || to == .configuration { throw ValidationError("configuration needs --backup") }
    }

    func run() async throws {
        let server = Result { () throws(SyncError) in try MastodonServer(mastodon) }
        let details = DetailBox()
        let assembly = AssemblySlot()
        let plan = Mutex<(choice: MigrationChoice, engine: StagedEngine)?>(nil)
        try await RunSession.perform(
            command: "migrate",
            output: output,
            source: (backup ?? dump ?? media).map(RawArguments.path) ?? BytePath("."),
            target: (try? server.get().mediaRoot().path) ?? mastodon.mediaRoot.map(RawArguments.path),
            isDryRun: dryRun,
            atEnd: { assembly.shutDown() },
            details: {
                guard let (choice, engine) = plan.withLock({ $0 }) else { return [] }
                let lines = Self.lines(choice, engine.results, isDryRun: dryRun)
                let table = output.json ? StageTable.json(lines) : Array(StageTable.text(lines).utf8)
                return details.bytes + table
            },
            makeEngine: { session in
                let migration = try migration(try server.get(), session, assembly, details)
                let engine = StagedEngine(
                    migration.stages(),
                    journal: migration.journal,
                    control: session.control,
                    sink: session.sink
                )
                plan.withLock { $0 = (migration.choice, engine) }
                return engine
            }
        )
    }

    private func migration(
        _ server: MastodonServer,
        _ session: RunSession,
        _ assembly: AssemblySlot,
        _ details: DetailBox
    ) throws(SyncError) -> Migration {
        let settings = try server.database()
        let root = try server.mediaRoot().path
        let state = try MediaState(output: output, settings: settings, root: root, host: session.host)
        let request = try request(server)
        let journal = try MigrationStore(
            directory: state.directory,
            scope: scope(state, request),
            run: session.run,
            wallClock: { Storage.Host.wallClock().seconds }
        )
        if fresh, !dryRun { try journal.forget() }
        let known = fresh ? nil : try journal.migration()
        let choice = MigrationChoice(
            range: MigrationStage.range(from: from, to: to) ?? [],
            isExplicitBegin: from != nil,
            skipped: skip?.stages ?? [],
            hasDump: request.dump != nil,
            hasMedia: request.media != nil,
            hasConfiguration: request.places != nil
        ) { stage in
            known?.isDone(stage.rawValue) ?? false
                || (stage == .restore && Self.isRestored(known, settings, journal, dryRun: dryRun))
        }
        if let known { tell(known, choice, session) }
        if choice.wanted.contains(.restore), !dryRun { try confirm(settings) }
        if !dryRun { try journal.begin(again: choice.again.map(\.rawValue)) }
        return Migration(
            request: request,
            choice: choice,
            server: server,
            settings: settings,
            root: root,
            state: state,
            journal: dryRun ? nil : journal,
            session: session,
            environment: ProcessInfo.processInfo.environment,
            holder: MediaHolder(server, locks: !dryRun),
            assembly: { (migration) throws(SyncError) in
                try assembly.take { () throws(SyncError) in
                    try RefreshAssembly(
                        server: server,
                        settings: settings,
                        store: migration.holder.store(),
                        state: state,
                        pace: pace,
                        session: session
                    )
                }
            },
            details: details,
            pace: pace
        )
    }

    private func request(_ server: MastodonServer) throws(SyncError) -> Migration.Request {
        var export: BackupDirectory?
        if let backup {
            let found = try BackupDirectory.read(RawArguments.path(backup))
            if let problem = found.problems.first { throw problem }
            export = found
        }
        return Migration.Request(
            dump: export?.dump ?? dump.map(RawArguments.path),
            media: export?.media ?? media.map(RawArguments.path),
            backup: export,
            places: try export.flatMap { (export) throws(SyncError) in try places(export, server) },
            sourceDatabase: database,
            days: days,
            hookBefore: hookBefore,
            hookAfter: hookAfter,
            migrateCommand: migrateCommand,
            mastodonRoot: mastodonRoot,
            force: force,
            isDryRun: dryRun,
            isVerbose: output.verbose,
            state: output.state,
            isJSON: output.json
        )
    }

    /// Where the settings of an export go; nil where it has nothing to take over.
    private func places(
        _ export: BackupDirectory,
        _ server: MastodonServer
    ) throws(SyncError) -> ConfigurationEngine.Places? {
        guard export.configurationText != nil || export.redis != nil || !export.certificates.isEmpty else { return nil }
        guard let file = server.settings.envFile?.path else {
            throw SyncError(
                .configuration,
                "this machine has no settings of Mastodon that the export's could be merged into",
                why: "the database here is known from the environment alone",
                hint: "make a file with DB_HOST, DB_NAME, DB_USER and DB_PASS, and name it with --env-file"
            )
        }
        // The file itself, where its name is a link.
        let place = file.withEntryName { realpath($0, nil) }
        defer { free(place) }
        var places = ConfigurationEngine.Places(settings: place.map { BytePath(name: $0) } ?? file)
        places.redis = redis.map(RawArguments.path)
        let isSnap = file.lastComponent == BytePath("mastodon.conf")
        places.certificates =
            certificates.map(RawArguments.path) ?? (isSnap ? places.settings.parent.appending(BytePath("certs")) : nil)
        return places
    }

    /// A run that died between the swap of the databases and its note: the database says which run made it live.
    private static func isRestored(
        _ known: MigrationStore.Migration?,
        _ settings: ConnectionSettings,
        _ journal: MigrationStore,
        dryRun: Bool
    ) -> Bool {
        guard let begun = known?.stages[MigrationStage.restore.rawValue], !begun.isDone,
            let live = settings.database,
            (try? RestoredDatabase.run(of: live, settings)) == begun.run
        else { return false }
        if !dryRun { try? journal.conclude(MigrationStage.restore.rawValue) }
        return true
    }

    /// Another dump is another move: its file is named by what it is, not by its path alone.
    private func scope(_ state: MediaState, _ request: Migration.Request) -> String {
        let parts = [request.dump, request.media].map { place -> String in
            guard let place else { return "-" }
            guard let found = try? Metadata(ofUserPath: place) else { return "\(place)" }
            // Of a directory only the path: what is in it changes while it is moved.
            return found.kind == .file
                ? "\(place) \(found.size) \(found.modificationTime.seconds)" : "\(place)"
        }
        return ([state.scope] + parts).joined(separator: "; ")
    }

    private func tell(_ known: MigrationStore.Migration, _ choice: MigrationChoice, _ session: RunSession) {
        let began = UTCTime(secondsSince1970: known.beganAt).iso8601
        if choice.wanted.isEmpty {
            let what = "the move that run \(known.run) began at \(began) is done: nothing is left to do"
            let hint = "--from STAGE does stages again, --fresh all of them; what is missing now: mediasync repair"
            return session.sink(.notice(Notice(.notice, what, hint: hint)))
        }
        guard !choice.done.isEmpty else { return }
        let done = MigrationStage.allCases.filter { choice.done.contains($0) }.map(\.rawValue).joined(separator: ", ")
        let what = "goes on with the move that run \(known.run) began at \(began); done before: \(done)"
        session.sink(.notice(Notice(.notice, what)))
    }

    private func confirm(_ settings: ConnectionSettings) throws(SyncError) {
        let name = BytePath(settings.database ?? MastodonSettings.defaultDatabase)
        if yes || Confirmation.ask("Replace the database \(name) with the dump? The old one is kept.") { return }
        throw SyncError(
            .refused,
            "not confirmed; nothing was changed",
            hint: "answer y, or pass --yes where nobody can answer; -n shows what would be done"
        )
    }

    /// The stages of this move, with what became of them in this run.
    static func lines(_ choice: MigrationChoice, _ results: [StageResult], isDryRun: Bool) -> [StageLine] {
        var lines: [StageLine] = []
        let first = choice.available.first { MigrationChoice.exclusive.contains($0) }
        for stage in choice.available {
            if stage == first { lines += results.filter { $0.name == "hook-before" }.map(line) }
            if let result = results.last(where: { $0.name == stage.rawValue }) {
                lines.append(line(result))
            } else {
                let isWanted = choice.wanted.contains(stage)
                let state: StageLine.State =
                    choice.done.contains(stage) ? .doneBefore : !isWanted ? .skipped : isDryRun ? .later : .waiting
                lines.append(StageLine(name: stage.rawValue, state: state))
            }
            if stage == choice.available.last(where: { MigrationChoice.exclusive.contains($0) }) {
                lines += results.filter { $0.name == "hook-after" }.map(line)
            }
        }
        return lines
    }

    private static func line(_ result: StageResult) -> StageLine {
        let state: StageLine.State =
            switch result.result.error?.code.exitStatus {
            case nil: .done
            case .interrupted, .terminated, .limitReached: .stopped
            default: .failed
            }
        return StageLine(name: result.name, state: state, elapsed: result.elapsed, counts: result.result.counts)
    }
}

/// What a refresh works with, once a stage asked for it.
final class AssemblySlot: Sendable {
    private let slot = Mutex<RefreshAssembly?>(nil)

    func take(_ make: () throws(SyncError) -> RefreshAssembly) throws(SyncError) -> RefreshAssembly {
        let made = slot.withLock { slot -> Result<RefreshAssembly, SyncError> in
            if let slot { return .success(slot) }
            return Result { () throws(SyncError) in
                let made = try make()
                slot = made
                return made
            }
        }
        return try made.get()
    }

    func shutDown() { slot.withLock { $0 }?.shutDown() }
}
