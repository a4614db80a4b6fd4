import Backups
import Catalog
import Cleaning
import Copying
import Diagnosing
import Foundation
import MediaModel
import Pipeline
import Postgres
import Refreshing
import Reporting
import Restoring
import Running
import Settings
import Storage

/// Makes the stages of a move, each when its turn comes.
struct Migration: Sendable {
    /// What is asked for.
    struct Request: Sendable {
        var dump: BytePath?
        var media: BytePath?
        /// An export, of which both come.
        var backup: BackupDirectory?
        var places: ConfigurationEngine.Places?
        /// Of a cluster's dump the database to take.
        var sourceDatabase: String?
        var days: Double
        var hookBefore: String?
        var hookAfter: String?
        var migrateCommand: String?
        var mastodonRoot: String?
        var force: Bool
        var isDryRun: Bool
        var isVerbose: Bool
        var state: String?
        var isJSON: Bool
    }

    let request: Request
    let choice: MigrationChoice
    let server: MastodonServer
    let settings: ConnectionSettings
    let root: BytePath
    let state: MediaState
    /// Nil in a dry run.
    let journal: MigrationStore?
    let session: RunSession
    let environment: [String: String]
    let holder: MediaHolder
    let assembly: @Sendable (Migration) throws(SyncError) -> RefreshAssembly
    let details: DetailBox

    /// The database that Mastodon connects to.
    var live: String { settings.database ?? MastodonSettings.defaultDatabase }

    // MARK: The stages of a run

    /// Everything that is run now, hooks included.
    func stages() -> [RunStage] {
        var stages: [RunStage] = []
        let exclusive = choice.wanted.filter { MigrationChoice.exclusive.contains($0) }
        for stage in choice.wanted {
            // A dry run has no database yet that could be asked.
            if request.isDryRun, choice.wanted.contains(.restore), Self.asksDatabase.contains(stage) { continue }
            if stage == exclusive.first, let command = request.hookBefore { stages.append(hook(.before, command)) }
            stages.append(RunStage(stage.rawValue, plan: plan(of: stage)) { () throws(SyncError) in try make(stage) })
            if stage == exclusive.last, isRestored, let command = request.hookAfter {
                stages.append(hook(.after, command))
            }
        }
        if exclusive.isEmpty, isRestored, !isHookDone, let command = request.hookAfter {
            // A run that died between the last of them and the hook.
            stages.insert(hook(.after, command), at: choice.wanted.first == .doctor ? 1 : 0)
        }
        return stages
    }

    /// Stages that are planned by what the database says.
    static let asksDatabase: Set<MigrationStage> = [.cleanup, .refresh, .verify]

    /// After this run nothing is left for which Mastodon must not run.
    private var isRestored: Bool {
        choice.available.filter { MigrationChoice.exclusive.contains($0) }
            .allSatisfy { choice.wanted.contains($0) || choice.done.contains($0) }
    }

    private var isHookDone: Bool {
        guard let journal, let known = try? journal.migration() else { return true }
        return known.isDone(Hook.after.name)
    }

    private func plan(of stage: MigrationStage) -> String {
        let days = request.days == 1 ? "1 day" : "\(Self.number(request.days)) days"
        switch stage {
        case .doctor: return "looks at settings, database, media directory and programs"
        case .restore:
            let dump = request.dump.map(\.description) ?? ""
            return "\(dump) -> database \(BytePath(live)); the old one is kept"
        case .media: return "\(request.media.map(\.description) ?? "") -> \(root)"
        case .configuration:
            let settings = request.places?.settings.description ?? ""
            return
                "settings of the old server -> \(settings); this machine's database, Redis and paths stay, the old file is kept"
        case .cleanup:
            return
                "names of cards' pictures and of attachments older than \(days) whose files are not there are taken out "
                + "of the database; what is there stays"
        case .refresh:
            return
                "attachments that came within \(days) before the dump, avatars, headers and emoji: what is missing is "
                + "fetched from its servers"
        case .verify: return "every file that the database names is looked at"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }

    private func make(_ stage: MigrationStage) throws(SyncError) -> any Engine {
        let sink = session.sink(in: stage.rawValue)
        switch stage {
        case .doctor: return doctor(sink)
        case .restore: return try restore(sink)
        case .media: return try media(sink)
        case .configuration: return configuration(sink)
        case .cleanup: return try cleanup(sink)
        case .refresh: return try refresh(sink)
        case .verify: return try verify(sink)
        }
    }

    // MARK: Each of them

    private func doctor(_ sink: @escaping EventSink) -> any Engine {
        var tolerated: Set<String> = []
        // What a stage makes or judges itself is no reason not to begin.
        if choice.wanted.contains(.restore) { tolerated.formUnion(["database", "schema", "rights"]) }
        tolerated.formUnion(["media root", "folders"])
        // A copy gives the root its mode at its end; one that was killed leaves it closed to others.
        if choice.wanted.contains(.media) { tolerated.insert("web server") }
        let probe = ServerProbe(webUser: nil, state: request.state, environment: environment)
        return DoctorEngine(
            tolerated: tolerated,
            facts: { probe.facts(.success(server)) },
            control: session.control,
            sink: sink
        )
    }

    private func restore(_ sink: @escaping EventSink) throws(SyncError) -> any Engine {
        var options = RestoreOptions(
            dump: request.dump ?? BytePath("-"),
            live: live,
            jobs: max(2, min(8, session.host.processors)),
            memoryMebibytes: RestoreCommand.memoryMebibytes(settings)
        )
        options.sourceDatabase = request.sourceDatabase
        options.force = request.force
        options.isDryRun = request.isDryRun
        options.migrateCommand = request.migrateCommand
        options.installedMigrations = try request.mastodonRoot.map { (root) throws(SyncError) in
            try InstalledMigrations.read(below: root)
        }
        options.environment = environment
        return RestoreEngine(
            options: options,
            settings: settings,
            run: session.run,
            control: session.control,
            sink: sink
        )
    }

    private func media(_ sink: @escaping EventSink) throws(SyncError) -> any Engine {
        if let archive = request.media, MediaArchive.isOne(archive) { return extraction(archive, sink) }
        var options = CopyOptions()
        options.dryRun = request.isDryRun
        options.reportsEveryItem = request.isVerbose
        return CopyEngine(
            source: request.media ?? BytePath("."),
            target: root,
            options: options,
            run: session.run,
            host: session.host,
            control: session.control,
            sink: sink
        )
    }

    private func extraction(_ archive: BytePath, _ sink: @escaping EventSink) -> any Engine {
        var options = ExtractionOptions()
        options.dryRun = request.isDryRun
        options.reportsEveryItem = request.isVerbose
        return ExtractionEngine(
            archive: archive,
            target: root,
            options: options,
            run: session.run,
            host: session.host,
            control: session.control,
            sink: sink
        )
    }

    private func configuration(_ sink: @escaping EventSink) -> any Engine {
        guard let backup = request.backup, let places = request.places else {
            return StagedEngine([], control: session.control, sink: sink)
        }
        return ConfigurationEngine(
            backup: backup,
            places: places,
            here: { [server] in server.settings.filled($0)?.text },
            run: session.run,
            host: session.host,
            isDryRun: request.isDryRun,
            control: session.control,
            sink: sink
        )
    }

    private func cleanup(_ sink: @escaping EventSink) throws(SyncError) -> any Engine {
        let store = try holder.store()
        if try isEmpty(store) {
            sink(
                .notice(
                    Notice(
                        .warning,
                        "the media root is empty: no names are taken out of the database",
                        hint: "once its disk is mounted or the media are there: mediasync cleanup --missing --days 1"
                    )
                )
            )
            return StagedEngine([], control: session.control, sink: sink)
        }
        let intents = try state.intents()
        // Pictures of cards cannot be fetched: no row says where they came from.
        var cards = CleanupOptions(days: 0)
        cards.kinds = [.card]
        var attachments = CleanupOptions(days: request.days)
        attachments.kinds = [.attachment]
        attachments.moment = try moment()
        let parts = [cards, attachments].map { part in
            var options = part
            options.missingOnly = true
            // Nothing that is stored goes: there is nothing to guard.
            options.limit = .percent(100)
            options.dryRun = request.isDryRun
            options.reportsEveryItem = request.isVerbose
            return CleanupEngine(
                options: options,
                settings: settings,
                store: store,
                intents: intents,
                processors: session.host.processors,
                control: session.control,
                sink: sink
            )
        }
        return StagedEngine(parts.map { part in RunStage("cleanup") { part } }, control: session.control, sink: sink)
    }

    private func isEmpty(_ store: LocalMediaStore) throws(SyncError) -> Bool {
        var count = 0
        do throws(FileFault) {
            try store.list(.root) { name, _ in if !name.bytes.starts(with: [0x2E]) { count += 1 } }
        } catch {
            throw error.syncError("cannot list the media root")
        }
        return count == 0
    }

    private func refresh(_ sink: @escaping EventSink) throws(SyncError) -> any Engine {
        let assembly = try assembly(self)
        let recent = RefreshOptions(
            scope: RemoteScope(kinds: [.attachment, .thumbnail, .avatar, .header]),
            interval: .between(since: try moment() - Int64(request.days * 86_400), before: nil)
        )
        let profiles = RefreshOptions(scope: RemoteScope(kinds: [.avatar, .header, .emoji]), interval: .all)
        let engines = try [recent, profiles].map { (part) throws(SyncError) in
            var options = part
            options.dryRun = request.isDryRun
            options.reportsEveryItem = request.isVerbose
            try RefreshAssembly.apply(server, to: &options)
            pace.apply(to: &options)
            return assembly.engine(options, sink: sink)
        }
        let isJSON = request.isJSON
        for (engine, title) in zip(engines, ["refresh, recent media:\n", "refresh, all profiles and emoji:\n"]) {
            details.add {
                let (lines, reasons, hosts) = engine.table()
                if isJSON { return RefreshTable.json(lines, reasons, hosts) }
                let text = RefreshTable.text(lines, reasons, hosts)
                return text.isEmpty ? [] : Array((title + text).utf8)
            }
        }
        return StagedEngine(
            engines.map { engine in RunStage("refresh") { engine } },
            control: session.control,
            sink: sink
        )
    }

    let pace: PaceArguments

    private func verify(_ sink: @escaping EventSink) throws(SyncError) -> any Engine {
        var options = StoreVerifyOptions()
        options.reportsEveryItem = request.isVerbose
        let engine = StoreVerifyEngine(
            options: options,
            settings: settings,
            store: try holder.store(),
            processors: session.host.processors,
            control: session.control,
            sink: sink
        )
        let isJSON = request.isJSON
        details.add { isJSON ? MediaTable.json(engine.table()) : Array(MediaTable.text(engine.table()).utf8) }
        return engine
    }

    /// The moment that intervals are counted from: that of the dump, which may be a week old; or, where the database does not
    /// say of which dump it was made, of its newest post. It is written down, because Mastodon may run and write posts
    /// before the next attempt.
    private func moment() throws(SyncError) -> Int64 {
        if let known = try journal?.migration()?.moment { return known }
        let connection: Connection
        do throws(DatabaseFault) {
            connection = try Connection(settings, application: "mediasync migrate", allowsPooler: true)
        } catch {
            throw error.syncError("cannot connect to \(settings)")
        }
        let reader = try CatalogReader(connection)
        let now = try reader.now() / 1_000_000
        // Both are made by whoever wrote the dump: none is of the future.
        var told = try reader.restoredDump()?.madeAt
        if told == nil { told = try reader.newestPost() }
        let moment = min(now, told ?? now)
        try journal?.set(moment: moment)
        return moment
    }

    // MARK: Hooks

    private enum Hook: String {
        case before, after
        var name: String { "hook-\(rawValue)" }
    }

    private func hook(_ hook: Hook, _ command: String) -> RunStage {
        RunStage(hook.name, plan: BytePath.escaped(Array(command.utf8))) { () throws(SyncError) in
            if request.isDryRun { return StagedEngine([], control: session.control, sink: session.sink) }
            let log = try HookLog(directory: state.directory, run: session.run, name: hook.name)
            var all = environment
            all.merge(settings.mastodonEnvironment) { $1 }
            all["MEDIASYNC_HOOK"] = hook.rawValue
            all["MEDIASYNC_RUN"] = session.run.text
            all["MEDIASYNC_MEDIA_ROOT"] = String(decoding: root.bytes, as: UTF8.self)
            return HookEngine(
                name: hook.name,
                command: command,
                environment: all,
                keep: { log.add($0) },
                control: session.control,
                sink: session.sink
            )
        }
    }
}
