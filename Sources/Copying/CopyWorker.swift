internal import MediaModel
internal import Running
internal import Storage

/// What one copy thread keeps: its share of the account, its buffer, its temporary names, the path it stands at.
final class CopyWorker {
    let tally: Tally
    let content: ContentCopier
    let names: TemporaryNamer
    /// True while directories that are in the way are removed: what cannot be replaced now has failed.
    var settlesConflicts = false
    /// For listing directories of the target; made when first needed.
    private(set) lazy var targetListing = ListingBuffer()
    /// For publishing on this thread where there is no publisher.
    private(set) lazy var publishing = PublishWorker(context: context)
    private let context: CopyContext
    /// The path of the directory at hand with a slash behind it; built only where rules need paths.
    private var path: [UInt8] = []
    private var prefixLength = 0

    init(context: CopyContext, index: Int, queue: WalkQueue?) {
        self.context = context
        tally = context.account.makeTally()
        content = ContentCopier(context: context, queue: queue)
        names = TemporaryNamer(run: context.run, thread: index)
    }

    /// Stands at a directory: the entries asked about next are its own.
    func stand(at node: DirectoryNode) {
        guard !context.selection.takesAll else { return }
        path = node.path().bytes
        if !path.isEmpty { path.append(UInt8(ascii: "/")) }
        prefixLength = path.count
    }

    /// Whether the rules leave an entry of the directory at hand out.
    func excludes(_ name: UnsafeRawBufferPointer, isDirectory: Bool) -> Bool {
        guard !context.selection.takesAll else { return false }
        path.removeSubrange(prefixLength...)
        path.append(contentsOf: name)
        return path.withUnsafeBufferPointer { context.selection.excludes($0, isDirectory: isDirectory) }
    }
}

/// Tries again for a while where no descriptor is left: others are closed as work is finished.
func withPatience<Result: ~Copyable>(
    _ control: RunControl,
    _ body: () throws(FileFault) -> Result
) throws(FileFault) -> Result {
    let triesMax = 200
    for _ in 0..<triesMax {
        do throws(FileFault) {
            return try body()
        } catch  where error.kind == .noDescriptors && !control.shouldStop {
            Host.sleep(nanoseconds: 10_000_000)
        }
    }
    return try body()
}
