import ArgumentParser
import Catalog
import Cleaning
import Copying
import MediaModel
import Settings
import Storage

/// `mediasync cleanup --days N` and `mediasync cleanup --orphans`.
struct CleanupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Remove old cached media of other servers, or files that no row names.",
        discussion: """
            Takes the files of old preview cards and attachments out of the database and off the disk, as tootctl's \
            preview_cards remove and media remove do; with --prune-profiles or --remove-headers the pictures of other \
            servers' accounts instead, as media remove does with these options. A row is changed first, its files go \
            after that is committed; a run that is stopped or killed is finished by the next one. Mastodon may run.

            With --orphans, files that no row names are removed, as media remove-orphans does. What is not recognized and \
            what is younger than an hour stays.
            """
    )

    @Option(help: ArgumentHelp("Only what is older than this, e.g. 7 or 0.5.", valueName: "n"))
    var days: Double?

    @Flag(help: "Remove files that no row names.") var orphans = false

    @Option(help: ArgumentHelp("With --orphans: only below this directory of the media.", valueName: "path"))
    var prefix: String?

    @Option(help: ArgumentHelp("With --orphans: only paths behind this one, byte by byte.", valueName: "path"))
    var startAfter: String?

    @Option(
        help: ArgumentHelp(
            "cards, attachments, avatars, headers; several with commas. Default: cards,attachments.",
            valueName: "kinds"
        )
    )
    var only: OnlyArgument?

    @Flag(help: "Of preview cards only those of plain links.") var link = false

    @Flag(help: "Keep attachments of posts that somebody here favourited, bookmarked, answered, boosted or quoted.")
    var keepInteracted = false

    @Flag(help: "Remove avatars and headers, not media: --only avatars,headers.") var pruneProfiles = false

    @Flag(help: "Remove headers, not media: --only headers.") var removeHeaders = false

    @Flag(help: "Pictures also of accounts that follow somebody here or are followed.") var includeFollows = false

    @Flag(help: "Only rows whose file is not there: they lose a name that leads nowhere, nothing that is stored goes.")
    var missing = false

    @Option(help: ArgumentHelp("Change nothing if more rows than this would lose their files.", valueName: "n|p%"))
    var maxDelete = DeleteLimitArgument(limit: .percent(50))

    @Option(help: ArgumentHelp("Move the files here instead (same file system as the media).", valueName: "dir"))
    var trash: String?

    @Flag(name: [.customShort("n"), .long], help: "Only show what would be done.") var dryRun = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Threads that remove files.", valueName: "n")) var jobs: Int?

    @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    /// What loses its files.
    private var kinds: Set<MediaKind> {
        if let only { return only.kinds }
        if pruneProfiles { return [.avatar, .header] }
        return removeHeaders ? [.header] : [.card, .attachment]
    }

    func validate() throws {
        if let days, !(0...36_500).contains(days) { throw ValidationError("--days is a number of days") }
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 1024") }
        if orphans { return try validateOrphans() }
        if days == nil { throw ValidationError("say how old what is removed must be: --days N") }
        if prefix != nil || startAfter != nil { throw ValidationError("--prefix and --start-after are for --orphans") }
        if pruneProfiles, removeHeaders {
            throw ValidationError("--prune-profiles and --remove-headers are two different things: choose one")
        }
        if only != nil, pruneProfiles || removeHeaders {
            throw ValidationError(
                "--only says already what is removed: leave out --prune-profiles and --remove-headers"
            )
        }
        if let only, only.half == .local || only.kinds.isEmpty {
            throw ValidationError("--only takes cards, attachments, avatars and headers here")
        }
        let allowed: Set<MediaKind> = [.card, .attachment, .thumbnail, .avatar, .header]
        if !kinds.isSubset(of: allowed) {
            throw ValidationError("--only takes cards, attachments, avatars and headers here")
        }
        if includeFollows, kinds.isDisjoint(with: [.avatar, .header]) {
            throw ValidationError("--include-follows is for --prune-profiles and --remove-headers")
        }
        if link, !kinds.contains(.card) { throw ValidationError("--link is for preview cards") }
    }

    private func validateOrphans() throws {
        if days != nil || only != nil || link || pruneProfiles || removeHeaders || includeFollows
            || missing
        {
            throw ValidationError("--orphans looks at files, not at rows: leave out --days and what chooses rows")
        }
        if let jobs, jobs > 16 {
            throw ValidationError("--orphans has a connection for each of its --jobs: at most 16")
        }
    }

    func run() async throws {
        try await RunSession.perform(
            command: "cleanup",
            output: output,
            source: BytePath("database"),
            target: mastodon.mediaRoot.map(RawArguments.path),
            isDryRun: dryRun
        ) { session in
            let server = try MastodonServer(mastodon)
            let settings = try server.database()
            let store = try server.store(trash: trash.map(RawArguments.path))
            let root = try server.mediaRoot().path
            if !dryRun { try MediaState.lock(store, root) }
            if orphans {
                return OrphanEngine(
                    options: orphanOptions(),
                    settings: settings,
                    store: store,
                    startedAt: Storage.Host.wallClock().seconds,
                    control: session.control,
                    sink: session.sink
                )
            }
            return CleanupEngine(
                options: options(),
                settings: settings,
                store: store,
                intents: try MediaState(output: output, settings: settings, root: root, host: session.host).intents(),
                processors: session.host.processors,
                control: session.control,
                sink: session.sink
            )
        }
    }

    private func orphanOptions() -> OrphanOptions {
        var options = OrphanOptions()
        options.prefix =
            prefix.map { BytePath(bytes: Array(RawArguments.path($0).components.joined(separator: [0x2F]))) } ?? .root
        options.startAfter = startAfter.map(RawArguments.path)
        options.limit = limit
        options.dryRun = dryRun
        options.reportsEveryItem = output.verbose
        if let jobs { options.jobs = jobs }
        return options
    }

    private var limit: CleanupOptions.Limit {
        switch maxDelete.limit {
        case .count(let count): .count(count)
        case .percent(let share): .percent(share)
        }
    }

    private func options() -> CleanupOptions {
        var options = CleanupOptions(days: days ?? 0)
        options.kinds = kinds
        options.linksOnly = link
        options.keepsInteracted = keepInteracted
        options.includesFollows = includeFollows
        options.missingOnly = missing
        options.limit = limit
        options.dryRun = dryRun
        options.reportsEveryItem = output.verbose
        options.jobs = jobs
        return options
    }
}
