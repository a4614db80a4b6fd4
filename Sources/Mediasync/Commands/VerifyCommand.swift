import ArgumentParser
import Backups
import Catalog
import Cleaning
import Copying
import Imaging
import MediaModel
import Reporting
import Running
import Storage

/// `mediasync verify SRC DST`, `mediasync verify --manifest FILE [DIR]`, `mediasync verify --store` and
/// `mediasync verify --backup DIR`.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Compare two directories, a directory with a manifest, the media with the database, or read an export.",
        discussion: """
            Reads every file on both sides and lists what differs, one line an entry: what, then the path. Exit code 4 \
            where there are differences, 3 where something could not be read. SRC or DST may be on another machine, as \
            in copy: only digests travel.

            With --store, every file that Mastodon's database names is looked at in its media directory: missing, \
            empty, or of another size than the row says; with --types also of another type; with --deep also what cannot \
            be decoded to its end. Local media come first: nobody else has them.

            With --backup, an export is read back: every file against its digest, the dump for its completeness, the \
            media archive to its last byte.
            """
    )

    @Argument(help: ArgumentHelp("SRC and DST; with --manifest one directory (default: this one).", valueName: "dir"))
    var directories: [String] = []

    @Option(help: ArgumentHelp("Check the files that a manifest names (- for standard input).", valueName: "file"))
    var manifest: String?

    @Option(help: ArgumentHelp("Read an export back, mediasync's or the snap's.", valueName: "dir"))
    var backup: String?

    @Flag(help: "Compare Mastodon's rows with the files of its media directory.") var store = false

    @Option(help: ArgumentHelp("With --store: only media of the last days, e.g. 7 or 0.5.", valueName: "n"))
    var days: Double?

    @Flag(help: "With --store: open each file too, and compare its first bytes with the type in its row.") var types =
        false

    @Flag(help: "With --store: decode each picture, video and sound to its end; implies --types.") var deep = false

    @Flag(help: "With --store: also tell files older than an hour that no row names.") var files = false

    @OptionGroup(title: "Mastodon (with --store)") var mastodon: MastodonOptions

    @Flag(help: "Compare kinds, sizes and contents; not modes, owners and times.") var contentOnly = false

    @Flag(help: "Compare extended attributes and ACLs as well.") var xattrs = false

    @Flag(help: "Read past the page cache, from the disk.") var uncached = false

    @Option(help: ArgumentHelp("Digest both sides are compared by: xxh3, sha256, blake2b.", valueName: "name"))
    var digest = DigestArgument(algorithm: .xxh3)

    @Option(name: .shortAndLong, help: ArgumentHelp("Workers.", valueName: "n")) var jobs: Int?

    @OptionGroup(title: "Selection") var selection: SelectionOptions

    @OptionGroup(title: "Another machine") var remote: RemoteOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if backup != nil { return try validateBackup() }
        if store { return try validateStore() }
        if days != nil { throw ValidationError("--days is for --store") }
        if types || deep || files { throw ValidationError("--types, --deep and --files are for --store") }
        if mastodon.envFile != nil || mastodon.mediaRoot != nil {
            throw ValidationError("--env-file and --media-root are for --store")
        }
        if manifest == nil, directories.count != 2 { throw ValidationError("name two directories: SRC and DST") }
        if manifest != nil, directories.count > 1 { throw ValidationError("--manifest takes one directory at most") }
        if contentOnly, xattrs { throw ValidationError("--content-only and --xattrs contradict each other") }
        if digest.algorithm == nil { throw ValidationError("verify needs a digest") }
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 1024") }
    }

    private func validateBackup() throws {
        let others = store || manifest != nil || !directories.isEmpty || days != nil || types || files || contentOnly
        if others || xattrs || uncached || jobs != nil || !selection.isEmptyButOnly || selection.only != nil {
            throw ValidationError("--backup takes one directory and nothing else")
        }
    }

    private func runBackup(_ backup: String) async throws {
        let path = RawArguments.path(backup)
        try await RunSession.perform(command: "verify", output: output, source: path, target: nil) { session in
            BackupVerifyEngine(
                path: path,
                control: session.control,
                reportsEveryItem: output.verbose,
                sink: session.sink
            )
        }
    }

    private func validateStore() throws {
        if manifest != nil || !directories.isEmpty {
            throw ValidationError("--store takes no directories: it compares the database with --media-root")
        }
        if contentOnly || xattrs || uncached {
            throw ValidationError("--store looks at names and sizes: leave out --content-only, --xattrs and --uncached")
        }
        if !selection.isEmptyButOnly { throw ValidationError("--store takes --only, and no other selection") }
        if let days, !(0...36_500).contains(days) { throw ValidationError("--days is a number of days") }
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 1024") }
    }

    func run() async throws {
        if let backup { return try await runBackup(backup) }
        if store { return try await runStore() }
        let paths = directories.map(RawArguments.path)
        let manifest = manifest.map(RawArguments.path)
        try await RunSession.perform(
            command: "verify",
            output: output,
            source: manifest ?? paths[0],
            target: paths.last ?? BytePath(".")
        ) { session in
            var options = VerifyOptions()
            options.digest = digest.algorithm ?? .xxh3
            options.contentOnly = contentOnly
            options.extendedAttributes = xattrs
            options.uncached = uncached
            options.jobs = jobs
            options.reportsEveryItem = output.verbose
            options.selection.filters = try selection.filters()
            options.selection.fileList = try selection.fileList()
            options.selection.half = try selection.half()
            if let manifest {
                return ManifestCheckEngine(
                    manifest: manifest,
                    root: paths.first ?? BytePath("."),
                    options: options,
                    host: session.host,
                    control: session.control,
                    sink: session.sink
                )
            }
            if let engine = try remoteEngine(paths[0], paths[1], options, session) { return engine }
            return VerifyEngine(
                source: paths[0],
                target: paths[1],
                options: options,
                run: session.run,
                host: session.host,
                control: session.control,
                sink: session.sink
            )
        }
    }

    /// A comparison with another machine: a copy that is only told. Nil where both sides are here.
    private func remoteEngine(
        _ source: BytePath,
        _ target: BytePath,
        _ options: VerifyOptions,
        _ session: RunSession
    ) throws -> (any Engine)? {
        let (from, to) = (try RemotePlace(source), try RemotePlace(target))
        if from == nil, to == nil { return nil }
        var comparing = options.selection
        comparing.digest = options.digest
        comparing.jobs = options.jobs
        comparing.reportsEveryItem = options.reportsEveryItem
        comparing.comparison = Comparison(contentOnly: options.contentOnly, uncached: options.uncached)
        comparing.dryRun = true
        comparing.checksum = true
        comparing.delete = true
        comparing.extendedAttributes = options.extendedAttributes
        comparing.hardLinks = false
        return try remote.engine(from: from, to: to, source: source, target: target, comparing, session)
    }

    private func runStore() async throws {
        let options = storeOptions()
        var engine: StoreVerifyEngine?
        var decoder: ProcessingPool?
        try await RunSession.perform(
            command: "verify",
            output: output,
            source: BytePath("database"),
            target: mastodon.mediaRoot.map(RawArguments.path),
            atEnd: { decoder?.shutDown() },
            details: {
                let table = engine?.table() ?? []
                return output.json ? MediaTable.json(table) : Array(MediaTable.text(table).utf8)
            },
            makeEngine: { session in
                let server = try MastodonServer(mastodon)
                if deep { decoder = try Self.makeDecoder(options, session.host) }
                let made = StoreVerifyEngine(
                    options: options,
                    settings: try server.database(),
                    store: try server.store(),
                    decoder: decoder,
                    processors: session.host.processors,
                    control: session.control,
                    sink: session.sink
                )
                engine = made
                return made
            }
        )
    }

    private func storeOptions() -> StoreVerifyOptions {
        var options = StoreVerifyOptions()
        if let kinds = selection.only?.kinds, !kinds.isEmpty { options.kinds = kinds }
        options.remote = selection.only?.half.map { $0 == .remote }
        options.days = days
        options.checksTypes = types
        if files { options.unnamedBefore = Storage.Host.wallClock().seconds - StoreVerifyOptions.youngSeconds }
        options.jobs = jobs
        options.reportsEveryItem = output.verbose
        return options
    }

    /// A decoder for each processor: they wait for nothing.
    static func makeDecoder(_ options: StoreVerifyOptions, _ host: Storage.Host) throws(SyncError) -> ProcessingPool {
        let pool = try ProcessingPool(workers: max(1, host.processors), program: ThisProgram.path)
        guard pool.processesMovies || !options.kinds.contains(.attachment) else {
            throw SyncError(
                .configuration,
                "--deep needs ffmpeg and ffprobe for videos and sounds",
                why: "they are not installed",
                hint: "install ffmpeg, or leave attachments out: --only avatars,headers,cards,emoji"
            )
        }
        return pool
    }
}
