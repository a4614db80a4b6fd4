import ArgumentParser
import Catalog
import Cleaning
import Imaging
import MediaModel
import Pipeline
import Refreshing
import Reporting
import Running
import Settings
import Storage
import Synchronization

/// `mediasync repair`.
struct RepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Compare rows with files, fetch what is missing, tell what is lost.",
        discussion: """
            verify --store, then refresh of exactly what it found, then a report of what nobody else has: made to be run by \
            a timer after a move. Exit code 0 where nothing is missing any more, 3 where something could not be fetched, 4 \
            where files are missing that no other server has.

            Examples:
              mediasync repair --days 7
              mediasync repair --max-duration 2h
            """
    )

    @Option(help: ArgumentHelp("Only media that came within the last n days. Default: all.", valueName: "n"))
    var days: Double?

    @Option(
        help: ArgumentHelp(
            "local, remote, attachments, avatars, headers, cards, emoji, uploads, backups; several with commas.",
            valueName: "kinds"
        )
    )
    var only: OnlyArgument?

    @Flag(help: "Look at first bytes, too: what is of another type than its row says is fetched again.")
    var types = false

    @Flag(help: "Decode everything, too: what does not decode is fetched again.") var deep = false

    @Flag(name: [.customShort("n"), .long], help: "Only show what would be fetched.") var dryRun = false

    @OptionGroup(title: "Pace") var pace: PaceArguments

    @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    private static let fetchable: Set<MediaKind> = [.attachment, .thumbnail, .avatar, .header, .emoji]

    func validate() throws {
        if let days, !(0...36_500).contains(days) { throw ValidationError("--days is a number of days") }
    }

    func run() async throws {
        let details = DetailBox()
        let assembly = AssemblySlot()
        var decoder: ProcessingPool?
        let slot = Mutex<(engine: RepairEngine, store: RepairStore, session: RunSession)?>(nil)
        try await RunSession.perform(
            command: "repair",
            output: output,
            source: BytePath("database"),
            target: mastodon.mediaRoot.map(RawArguments.path),
            isDryRun: dryRun,
            atEnd: {
                assembly.shutDown()
                decoder?.shutDown()
                guard let (engine, store, session) = slot.withLock({ $0 }), session.control.stopReason == nil else {
                    return
                }
                if !dryRun { Self.conclude(engine, store, session) }
            },
            details: { details.bytes },
            makeEngine: { session in
                let server = try MastodonServer(mastodon)
                let settings = try server.database()
                let root = try server.mediaRoot().path
                let store = try server.store()
                if !dryRun { try MediaState.lock(store, root) }
                let state = try MediaState(output: output, settings: settings, root: root, host: session.host)
                let findings = RepairFindings(fetchable: Set(Self.fetchable.map(\.rawValue)))
                let compared = comparisonOptions()
                if deep { decoder = try VerifyCommand.makeDecoder(compared, session.host) }
                let comparison = StoreVerifyEngine(
                    options: compared,
                    settings: settings,
                    store: store,
                    decoder: decoder,
                    processors: session.host.processors,
                    control: session.control,
                    sink: { event in
                        findings.receiveComparison(event)
                        // What is about to be fetched again is told as that.
                        if output.json || output.verbose || !Self.isFetchable(event) { session.sink(event) }
                    }
                )
                let isJSON = output.json
                details.add {
                    let table = comparison.table()
                    return isJSON ? MediaTable.json(table) : Array(MediaTable.text(table).utf8)
                }
                let engine = RepairEngine(
                    findings: findings,
                    comparison: comparison,
                    refresh: { (missing) throws(SyncError) in
                        let made = try assembly.take { () throws(SyncError) in
                            try RefreshAssembly(
                                server: server,
                                settings: settings,
                                store: store,
                                state: state,
                                pace: pace,
                                session: session
                            )
                        }
                        let refresh = made.engine(
                            try refreshOptions(missing, findings.damaged, server),
                            sink: { event in
                                findings.receiveRefresh(event)
                                if Self.isWorthTelling(event, isVerbose: output.verbose) { session.sink(event) }
                            }
                        )
                        details.add {
                            let (lines, reasons, hosts) = refresh.table()
                            return isJSON
                                ? RefreshTable.json(lines, reasons, hosts)
                                : Array(RefreshTable.text(lines, reasons, hosts).utf8)
                        }
                        return refresh
                    },
                    control: session.control,
                    sink: session.sink
                )
                let history = try RepairStore(directory: state.directory, scope: state.scope)
                slot.withLock { $0 = (engine, history, session) }
                return engine
            }
        )
    }

    private func comparisonOptions() -> StoreVerifyOptions {
        var options = StoreVerifyOptions()
        if let kinds = only?.kinds, !kinds.isEmpty { options.kinds = kinds }
        options.remote = only?.half.map { $0 == .remote }
        options.days = days
        options.checksTypes = types
        options.reportsEveryItem = output.verbose
        return options
    }

    private func refreshOptions(
        _ missing: [String: [Int64]],
        _ damaged: Set<MediaReference>,
        _ server: MastodonServer
    ) throws(SyncError) -> RefreshOptions {
        var scope = RemoteScope(kinds: Self.fetchable)
        var rows: [MediaKind: [Int64]] = [:]
        for (kind, ids) in missing { if let kind = MediaKind(rawValue: kind) { rows[kind] = ids } }
        scope.rows = rows
        var options = RefreshOptions(scope: scope, interval: .all)
        try RefreshAssembly.apply(server, to: &options)
        options.dryRun = dryRun
        // Everything that becomes of them is heard, not everything is told.
        options.reportsEveryItem = true
        // What looks whole by size and is not: the comparison knows better.
        options.damaged = damaged
        pace.apply(to: &options)
        return options
    }

    /// Something missing that another server has.
    private static func isFetchable(_ event: Event) -> Bool {
        guard case .item(let item) = event, case .different = item.outcome, let row = item.row, !row.isLocal else {
            return false
        }
        return MediaKind(rawValue: row.kind).map { fetchable.contains($0) } ?? false
    }

    /// What a refresh without `-v` tells.
    private static func isWorthTelling(_ event: Event, isVerbose: Bool) -> Bool {
        guard !isVerbose, case .item(let item) = event else { return true }
        if case .failed = item.outcome { return true }
        return false
    }

    private static func conclude(_ engine: RepairEngine, _ store: RepairStore, _ session: RunSession) {
        do throws(SyncError) {
            let moment = Storage.Host.wallClock().seconds
            let inARow = try store.record(session.run, isClean: engine.isClean, at: moment)
            guard engine.isClean else { return }
            let what =
                inARow >= 3
                ? "nothing was missing, \(inARow) repairs in a row: the move is healed; a weekly verify --store will do"
                : "nothing was missing"
            session.sink(.notice(Notice(.notice, what)))
        } catch {
            session.sink(.notice(Notice(error)))
        }
    }
}
