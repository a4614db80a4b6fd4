import ArgumentParser
import Copying
import MediaModel
import Reporting
import Running
import Storage
import Synchronization

/// `mediasync manifest DIR`.
struct ManifestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest",
        abstract: "Print a digest for every file of a directory.",
        discussion: """
            The lines are those of xxhsum, sha256sum and b2sum: `xxhsum -c` and `sha256sum -c`, run in the directory, \
            check them, and so does `mediasync verify --manifest`. Files are digested in parallel and come in no fixed \
            order; `sort -k 2` makes two manifests comparable.
            """
    )

    @Argument(help: ArgumentHelp("The directory.", valueName: "dir")) var directory: String

    @Option(help: ArgumentHelp("Digest: xxh3, sha256, blake2b.", valueName: "name"))
    var digest = DigestArgument(algorithm: .xxh3)

    @Option(name: .shortAndLong, help: ArgumentHelp("Workers.", valueName: "n")) var jobs: Int?

    @OptionGroup(title: "Selection") var selection: SelectionOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if digest.algorithm == nil { throw ValidationError("a manifest needs a digest") }
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 1024") }
    }

    func run() async throws {
        let root = RawArguments.path(directory)
        let lines = LineBuffer(LineWriter(descriptor: 1))
        let quiet = output.json ? output : output.silencedReport()
        defer { lines.flush() }
        try await RunSession.perform(
            command: "manifest",
            output: quiet,
            source: root,
            target: nil,
            atEnd: { lines.flush() }
        ) { session in
            var options = VerifyOptions()
            options.digest = digest.algorithm ?? .xxh3
            options.jobs = jobs
            options.selection.filters = try selection.filters()
            options.selection.fileList = try selection.fileList()
            options.selection.half = try selection.half()
            let (sink, control, isJSON) = (session.sink, session.control, output.json)
            return ManifestEngine(
                root: root,
                options: options,
                run: session.run,
                host: session.host,
                control: control,
                sink: { event in
                    guard !isJSON, case .item(let item) = event, let digest = item.digest else { return sink(event) }
                    if !lines.append(ManifestLine(digest: digest, path: item.path).bytes) {
                        control.stop(SyncError(.interrupted, "standard output was closed"))
                    }
                }
            )
        }
    }
}

/// Gathers lines of many threads and writes them in large pieces.
private final class LineBuffer: Sendable {
    private static let limit = 1 << 16
    private let writer: LineWriter
    private let pending = Mutex<[UInt8]>([])

    init(_ writer: LineWriter) {
        self.writer = writer
    }

    /// False once nobody reads any more.
    func append(_ line: [UInt8]) -> Bool {
        pending.withLock { pending in
            pending += line
            if pending.count >= Self.limit {
                writer.write(pending)
                pending.removeAll(keepingCapacity: true)
            }
        }
        return writer.failure == nil
    }

    func flush() {
        pending.withLock { pending in
            if !pending.isEmpty { writer.write(pending) }
            pending.removeAll()
        }
    }
}
