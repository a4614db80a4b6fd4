import ArgumentParser
import Catalog
import Cleaning
import Foundation
import MediaModel
import Pipeline
import Refreshing
import Reporting
import Running
import Settings
import Storage

/// `mediasync refresh`.
struct RefreshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Fetch media of other servers that are missing here.",
        discussion: """
            Looks at every row of the selection and at the files it names; what is missing, empty or of the wrong size is \
            fetched from its server again, politely: few requests at a time and a second at each, none at hosts that do \
            not answer. What comes is checked, decoded with limits, stored as Mastodon stores it, and the row is changed \
            last. A fetch that fails changes nothing. Mastodon may run. A run that is stopped or killed is gone on with \
            by the next one.

            Examples:
              mediasync refresh --days 1               media received in the last day
              mediasync refresh --since dump --days 2  since two days before the dump that was restored
              mediasync refresh --retry-failed         what failed the last time
              mediasync verify --store --json | mediasync refresh --from-list -
            """
    )

    // MARK: What

    @Option(help: ArgumentHelp("Media received in the last n days, as tootctl media refresh --days.", valueName: "n"))
    var days: Double?

    @Option(
        help: ArgumentHelp(
            "Media received since a moment (2026-11-23, 2026-11-23T02:30:00Z); dump: since --days (default 1) before the dump was made.",
            valueName: "time"
        )
    )
    var since: MomentArgument?

    @Option(help: ArgumentHelp("And not after this one; with --days they are counted from here.", valueName: "time"))
    var before: MomentArgument?

    @Flag(help: "Media of every age.") var all = false

    @Option(help: ArgumentHelp("Media of this account of another server.", valueName: "user@domain"))
    var account: [String] = []

    @Option(help: ArgumentHelp("Media of accounts of this domain and its subdomains.", valueName: "domain"))
    var domain: [String] = []

    @Option(help: ArgumentHelp("Attachments of this post.", valueName: "id")) var status: [Int64] = []

    @Option(
        help: ArgumentHelp(
            "Media listed in a file: JSON lines of verify --store, or lines like avatar 110.",
            valueName: "file"
        )
    )
    var fromList: String?

    @Flag(help: "Only what failed when it was last tried.") var retryFailed = false

    @Option(
        help: ArgumentHelp(
            "attachments, avatars, headers, emoji; several with commas. Default: attachments,avatars,headers.",
            valueName: "kinds"
        )
    )
    var only: OnlyArgument?

    @Flag(help: "Fetch what is present, too. The old file stays until the new one is in place.") var force = false

    @Flag(help: "First remove media older than the same --days, as mediasync cleanup does.") var cleanup = false

    @OptionGroup(title: "Pace") var pace: PaceArguments

    @Flag(name: [.customShort("n"), .long], help: "Only show what would be fetched.") var dryRun = false

    @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    private static let fetchable: Set<MediaKind> = [.attachment, .thumbnail, .avatar, .header, .emoji]

    private var kinds: Set<MediaKind> {
        if let only { return only.kinds }
        return fromList == nil && !retryFailed ? [.attachment, .thumbnail, .avatar, .header] : Self.fetchable
    }

    func validate() throws {
        let isChosen =
            days != nil || since != nil || before != nil || all || !account.isEmpty || !domain.isEmpty
            || !status.isEmpty
            || fromList != nil || retryFailed
        if !isChosen {
            throw ValidationError("say what to fetch: --days N, or --all, --account, --domain, --status ...")
        }
        if let days, !(0...36_500).contains(days) { throw ValidationError("--days is a number of days") }
        if days != nil, since != nil, since?.moment != .dump {
            throw ValidationError("--days and --since say the same: choose one")
        }
        if all, days != nil || since != nil || before != nil { throw ValidationError("--all leaves no interval") }
        if before?.moment == .dump { throw ValidationError("--before is a time") }
        if let only, only.half == .local || only.kinds.isEmpty || !only.kinds.isSubset(of: Self.fetchable) {
            throw ValidationError(
                "--only takes attachments, avatars, headers and emoji here: nobody wrote down where others came from"
            )
        }
        for name in account where RemoteScope.AccountName(name) == nil {
            throw ValidationError("--account is user@domain, of another server: \(name)")
        }
        if cleanup, days == nil { throw ValidationError("--cleanup needs --days: it removes what is older") }
    }

    // MARK: Running

    func run() async throws {
        var engine: RefreshEngine?
        var assembly: RefreshAssembly?
        try await RunSession.perform(
            command: "refresh",
            output: output,
            source: BytePath("database"),
            target: mastodon.mediaRoot.map(RawArguments.path),
            isDryRun: dryRun,
            atEnd: { assembly?.shutDown() },
            details: {
                guard let table = engine?.table() else { return [] }
                return output.json
                    ? RefreshTable.json(table.lines, table.reasons, table.hosts)
                    : Array(RefreshTable.text(table.lines, table.reasons, table.hosts).utf8)
            },
            makeEngine: { session in
                let server = try MastodonServer(mastodon)
                let settings = try server.database()
                let store = try server.store()
                let root = try server.mediaRoot().path
                if !dryRun { try MediaState.lock(store, root) }
                let made = try RefreshAssembly(
                    server: server,
                    settings: settings,
                    store: store,
                    state: MediaState(output: output, settings: settings, root: root, host: session.host),
                    pace: pace,
                    session: session
                )
                assembly = made
                let refresh = made.engine(try options(session, server), sink: session.sink)
                engine = refresh
                guard cleanup, let days else { return refresh }
                var old = CleanupOptions(days: days)
                old.dryRun = dryRun
                old.reportsEveryItem = output.verbose
                let first = CleanupEngine(
                    options: old,
                    settings: settings,
                    store: store,
                    intents: made.intents,
                    processors: session.host.processors,
                    control: session.control,
                    sink: session.sink
                )
                let stages = [RunStage("cleanup") { first }, RunStage("refresh") { refresh }]
                return StagedEngine(stages, control: session.control, sink: session.sink)
            }
        )
    }

    private func options(_ session: RunSession, _ server: MastodonServer) throws -> RefreshOptions {
        var scope = RemoteScope(kinds: kinds)
        scope.accounts = account.compactMap { RemoteScope.AccountName($0) }
        scope.domains = domain.map { $0.lowercased() }
        scope.statuses = status
        var damaged: Set<MediaReference> = []
        if let fromList {
            let list = try MediaList(RawArguments.path(fromList))
            if list.locals > 0 {
                session.sink(
                    .notice(Notice(.warning, "\(list.locals) media of the list are local: nobody else has them"))
                )
            }
            scope.rows = list.rows
            damaged = list.damaged
        }
        var options = RefreshOptions(scope: scope, interval: interval)
        options.force = force
        options.damaged = damaged
        try RefreshAssembly.apply(server, to: &options)
        options.failedOnly = retryFailed
        options.dryRun = dryRun
        options.reportsEveryItem = output.verbose
        pace.apply(to: &options)
        return options
    }

    private var interval: RefreshOptions.Interval {
        let end: Int64? = if case .seconds(let seconds)? = before?.moment { seconds } else { nil }
        switch since?.moment {
        case .dump: return .daysBeforeDump(days ?? 1)
        case .seconds(let begin): return .between(since: begin, before: end)
        case nil: break
        }
        if let days {
            guard let end else { return .days(days) }
            return .between(since: end - Int64(days * 86_400), before: end)
        }
        return end == nil ? .all : .between(since: nil, before: end)
    }
}
