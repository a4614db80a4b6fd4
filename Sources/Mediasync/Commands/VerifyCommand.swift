import ArgumentParser
import Copying
import MediaModel
import Storage

/// `mediasync verify SRC DST` and `mediasync verify --manifest FILE [DIR]`.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare two directories, or a directory with a manifest.",
        discussion: """
            Reads every file on both sides and lists what differs, one line an entry: what, then the path. Exit code 4 \
            where there are differences, 3 where something could not be read.
            """
    )

    @Argument(help: ArgumentHelp("SRC and DST; with --manifest one directory (default: this one).", valueName: "dir"))
    var directories: [String] = []

    @Option(help: ArgumentHelp("Check the files that a manifest names (- for standard input).", valueName: "file"))
    var manifest: String?

    @Flag(help: "Compare kinds, sizes and contents; not modes, owners and times.") var contentOnly = false

    @Flag(help: "Compare extended attributes and ACLs as well.") var xattrs = false

    @Flag(help: "Read past the page cache, from the disk.") var uncached = false

    @Option(help: ArgumentHelp("Digest both sides are compared by: xxh3, sha256, blake2b.", valueName: "name"))
    var digest = DigestArgument(algorithm: .xxh3)

    @Option(name: .shortAndLong, help: ArgumentHelp("Workers.", valueName: "n")) var jobs: Int?

    @OptionGroup(title: "Selection") var selection: SelectionOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if manifest == nil, directories.count != 2 { throw ValidationError("name two directories: SRC and DST") }
        if manifest != nil, directories.count > 1 { throw ValidationError("--manifest takes one directory at most") }
        if contentOnly, xattrs { throw ValidationError("--content-only and --xattrs contradict each other") }
        if digest.algorithm == nil { throw ValidationError("verify needs a digest") }
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 1024") }
    }

    func run() async throws {
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
            options.selection.half = selection.half
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
}
