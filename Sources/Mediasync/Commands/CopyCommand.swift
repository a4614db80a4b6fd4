import ArgumentParser
import Copying
import MediaModel
import Running
import Storage

/// `mediasync copy SRC DST`.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copy a media directory in parallel; write only what changed.",
        discussion: """
            Copies the contents of SRC into DST, as rsync -a does with a slash behind both: modes, owners (as root), \
            times to the nanosecond, links, hard links, holes, extended attributes and ACLs. Every file gets its name \
            only when it is whole and on the disk; a run that is stopped or killed leaves nothing half-written, and the \
            same command goes on where it was.

            SRC or DST may be on another machine: [user@]host:path or ssh://user@host:port/path. It is reached by your \
            own ssh, and mediasync must be installed there too.

            Where SRC is an archive of media (tar, plain or compressed; - for standard input), its files are extracted \
            into DST, whatever directories the archive has above them. They get DST's owner and modes; a file that DST \
            has is kept unless the archive's is newer.
            """
    )

    @Argument(help: ArgumentHelp("The directory whose contents are copied, or an archive of media.", valueName: "src"))
    var source: String

    @Argument(help: ArgumentHelp("The directory that receives them; made where it is missing.", valueName: "dst"))
    var target: String

    @Flag(name: [.customShort("n"), .long], help: "Only show what would be done.")
    var dryRun = false

    @Flag(name: [.customShort("c"), .long], help: "Compare contents instead of size and time.")
    var checksum = false

    @Flag(help: "Read every written file back past the page cache before it gets its name.")
    var verify = false

    @Flag(help: "Delete what DST has and SRC does not, after everything else.")
    var delete = false

    @Option(help: ArgumentHelp("Delete nothing if it would be more than this.", valueName: "n|p%"))
    var maxDelete = DeleteLimitArgument(limit: .percent(50))

    @Option(help: ArgumentHelp("Keep what is replaced or deleted here (same file system as DST).", valueName: "dir"))
    var backupDir: String?

    @OptionGroup(title: "Selection") var selection: SelectionOptions

    @Flag(help: "Only update what DST has.") var existing = false
    @Flag(help: "Leave alone what DST has.") var ignoreExisting = false
    @Flag(name: [.customShort("u"), .long], help: "Leave files alone that are newer in DST.") var update = false
    @Flag(name: [.customShort("x"), .long], help: "Do not go into other file systems.") var oneFileSystem = false

    @Option(help: ArgumentHelp("Give everything to this owner and group.", valueName: "user:group"))
    var chown: String?

    @Option(help: ArgumentHelp("Change permissions on the way, e.g. D755,F644.", valueName: "modes"))
    var chmod: String?

    @Flag(inversion: .prefixedNo, help: "Extended attributes and ACLs.") var xattrs = true
    @Flag(inversion: .prefixedNo, help: "Hard links within the tree.") var hardLinks = true

    @Option(help: ArgumentHelp("Digest of the content: xxh3, sha256, blake2b, none.", valueName: "name"))
    var digest = DigestArgument(algorithm: .xxh3)

    @Option(help: ArgumentHelp("When content is put on the disk: file, end, none.", valueName: "when"))
    var fsync = CopyOptions.Durability.file

    @Option(name: .customLong("bwlimit"), help: ArgumentHelp("Bytes a second, e.g. 20M.", valueName: "rate"))
    var bandwidthLimit: SizeArgument?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Workers. Default: twice the processors, at least 8, more while calls wait.", valueName: "n")
    )
    var jobs: Int?

    @Flag(name: [.customShort("i"), .long], help: "A line for every change, as rsync prints it.") var itemize = false
    @Flag(help: "Numbers at the end.") var stats = false

    @OptionGroup(title: "Files that changed") var changed: DeltaOptions

    @OptionGroup(title: "Another machine") var remote: RemoteOptions
    @OptionGroup(title: "Another machine") var lines: ConnectionOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 1024") }
        if existing, ignoreExisting {
            throw ValidationError("--existing and --ignore-existing together leave nothing to do")
        }
        if verify, digest.algorithm == nil { throw ValidationError("--verify needs a digest: leave out --digest none") }
    }

    private func options(_ host: Storage.Host) throws -> CopyOptions {
        var options = CopyOptions()
        options.digest = digest.algorithm
        options.durability = fsync
        options.dryRun = dryRun
        options.checksum = checksum
        options.verify = verify
        options.delete = delete
        options.deleteLimit = maxDelete.limit
        options.backupDirectory = backupDir.map(RawArguments.path)
        options.filters = try selection.filters()
        options.fileList = try selection.fileList()
        options.half = try selection.half()
        options.existingOnly = existing
        options.ignoreExisting = ignoreExisting
        options.update = update
        options.oneFileSystem = oneFileSystem
        options.chown = try chown.map(Self.ownership)
        options.chmod = try chmod.map { try ModeRules(parsing: $0, umask: host.creationMask) }
        options.extendedAttributes = xattrs
        options.hardLinks = hardLinks
        options.delta = changed.delta
        options.detectRenames = changed.detectRenames
        options.bandwidthLimit = bandwidthLimit?.bytes
        options.jobs = jobs
        options.reportsEveryItem = itemize || output.verbose
        return options
    }

    /// `user`, `user:group`, `user:` or `:group`.
    private static func ownership(_ text: String) throws -> Ownership {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let user = parts[0].isEmpty ? nil : try AccountNames.user(String(parts[0]))
        let group = parts.count > 1 && !parts[1].isEmpty ? try AccountNames.group(String(parts[1])) : nil
        return Ownership(owner: user, group: group)
    }

    /// What a copy of a directory can and an extraction cannot.
    private func validateExtraction() throws {
        let flags: [(String, Bool)] = [
            ("--checksum", checksum), ("--verify", verify), ("--delete", delete), ("--backup-dir", backupDir != nil),
            ("--existing", existing), ("--ignore-existing", ignoreExisting), ("--update", update),
            ("--one-file-system", oneFileSystem), ("--chown", chown != nil), ("--chmod", chmod != nil),
            ("--bwlimit", bandwidthLimit != nil),
        ]
        if let flag = flags.first(where: { $0.1 }) {
            throw SyncError(
                .usage,
                "\(flag.0) is not for archives",
                hint: "leave it out, or extract first and copy then"
            )
        }
        if !selection.isEmptyButOnly {
            throw SyncError(
                .usage,
                "of an archive, only --only local or --only remote selects",
                hint: "leave the rest out"
            )
        }
    }

    private func extract(_ archive: BytePath, into target: BytePath) async throws {
        try await RunSession.perform(
            command: "copy",
            output: output,
            source: archive,
            target: target,
            isDryRun: dryRun,
            itemizes: itemize,
            showsStats: stats
        ) { session in
            try validateExtraction()
            var options = ExtractionOptions()
            options.durability = fsync
            options.dryRun = dryRun
            options.half = try selection.half()
            options.jobs = jobs
            options.reportsEveryItem = itemize || output.verbose
            return ExtractionEngine(
                archive: archive,
                target: target,
                options: options,
                run: session.run,
                host: session.host,
                control: session.control,
                sink: session.sink
            )
        }
    }

    func run() async throws {
        let source = RawArguments.path(source)
        let target = RawArguments.path(target)
        if MediaArchive.isOne(source) { return try await extract(source, into: target) }
        try await RunSession.perform(
            command: "copy",
            output: output,
            source: source,
            target: target,
            isDryRun: dryRun,
            itemizes: itemize,
            showsStats: stats
        ) { session in
            let options = try options(session.host)
            return try engine(source, target, options, session)
        }
    }

    private func engine(
        _ source: BytePath,
        _ target: BytePath,
        _ options: CopyOptions,
        _ session: RunSession
    ) throws -> any Engine {
        let (from, to) = (try RemotePlace(source), try RemotePlace(target))
        if from != nil || to != nil {
            return try remote.engine(
                from: from,
                to: to,
                source: source,
                target: target,
                options,
                session,
                connections: lines.connections
            )
        }
        try RemoteOptions.checkOwnership(options, session)
        return CopyEngine(
            source: source,
            target: target,
            options: options,
            run: session.run,
            host: session.host,
            control: session.control,
            sink: session.sink
        )
    }
}
