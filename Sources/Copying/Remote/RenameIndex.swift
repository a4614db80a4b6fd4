internal import Delta
internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// Files of the target by size and time: which of them a file that is new may have been before it was renamed. It is only a
/// guess: the file is built from it as from an older version, and its digest decides.
struct RenameIndex: Sendable {
    /// A file of the target. Its path lies in `paths`.
    private struct Entry {
        let size: Int64
        let time: Timestamp
        let pathStart: Int
        let pathLength: Int
    }

    /// Smaller ones are sent as fast as they are looked for.
    static let bytesMin: Int64 = 16 << 10
    /// Some 25 megabytes; further files are sent where they were renamed.
    static let entriesMax = 1 << 18
    /// Files of one size that are looked at.
    private static let candidatesMax = 16
    /// One checksum for so many bytes: what was renamed is mostly the same from its begin to its end.
    private static let blockBytes = 256 << 10

    /// Sorted by size and time.
    private var entries: [Entry] = []
    private var paths: [UInt8] = []

    init() {}

    /// Takes one more file; lookups come after the last.
    mutating func add(_ path: [UInt8], _ metadata: Metadata) {
        guard metadata.size >= Self.bytesMin, entries.count < Self.entriesMax else { return }
        entries.append(
            Entry(
                size: metadata.size,
                time: metadata.modificationTime,
                pathStart: paths.count,
                pathLength: path.count
            )
        )
        paths += path
    }

    mutating func sort() {
        entries.sort { ($0.size, $0.time) < ($1.size, $1.time) }
    }

    /// Looks through the target with the threads of a walk. What rules leave out is left out.
    static func make(of target: HeldDirectory, _ context: CopyContext) async -> RenameIndex {
        var options = context.options
        options.reportsEveryItem = false
        // A listing position of its own: the run lists the root as well.
        guard let root = try? target.openDirectory(beneath: .root),
            let walk = try? ReadingWalk(
                source: root,
                options: options,
                run: context.run,
                host: context.host,
                control: context.control,
                account: Account(),
                sink: { _ in }
            )
        else { return RenameIndex() }
        let visitor = RenameVisitor(context: walk.context)
        await walk.run(visitor)
        root.close()
        return visitor.index.withLock { index in
            index.sort()
            return index
        }
    }

    /// The file that is most likely the same: of the same size, of the same time or name where there is one.
    func candidate(for name: BytePath, _ source: Metadata) -> BytePath? {
        guard source.size >= Self.bytesMin else { return nil }
        let sameTime = look(from: (source.size, source.modificationTime), name) {
            $0.size == source.size && $0.time == source.modificationTime
        }
        let first = (source.size, Timestamp(seconds: .min, nanoseconds: 0))
        return (sameTime ?? look(from: first, name) { $0.size == source.size }).map(path)
    }

    /// The first entry of its name among those that match, else the first of all.
    private func look(
        from key: (Int64, Timestamp),
        _ name: BytePath,
        where matches: (Entry) -> Bool
    ) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if (entries[middle].size, entries[middle].time) < key { low = middle + 1 } else { high = middle }
        }
        let found = entries[low...].prefix(Self.candidatesMax).prefix(while: matches)
        return found.first { path($0).lastComponent == name } ?? found.first
    }

    private func path(_ entry: Entry) -> BytePath {
        BytePath(bytes: Array(paths[entry.pathStart..<entry.pathStart + entry.pathLength]))
    }

    /// How a file is described that another one may have been.
    static func plan(_ bytes: Int64) -> BlockPlan? {
        BlockPlan(fileBytes: bytes, blockBytes: Int(min(bytes, Int64(blockBytes))), strongBytes: 8)
            ?? BlockPlan(fileBytes: bytes)
    }
}

/// Gathers the files of a tree.
private final class RenameVisitor: TreeVisitor {
    final class Worker {
        let copy: CopyWorker
        var directory: [UInt8] = []
        init(_ copy: CopyWorker) { self.copy = copy }
    }

    let index = Mutex(RenameIndex())
    private let context: CopyContext

    init(context: CopyContext) {
        self.context = context
    }

    func makeWorker(index: Int) -> Worker { Worker(CopyWorker(context: context, index: index, queue: nil)) }

    func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: Worker) -> Bool {
        node.set(.absent)
        guard node.parent != nil else { return true }
        guard let source = try? parent.source.openDirectory(node.name) else { return false }
        node.source = source
        return (try? source.metadata().device) == context.sourceDevice
    }

    func prepare(_ node: DirectoryNode, worker: Worker) {
        worker.copy.stand(at: node)
        worker.directory = node.path().bytes
        if !worker.directory.isEmpty { worker.directory.append(UInt8(ascii: "/")) }
    }

    func unreachable(_ node: DirectoryNode, fault: FileFault, worker: Worker) {}
    func note(_ entry: WalkEntry, of node: DirectoryNode) {}
    func listed(_ node: DirectoryNode, worker: Worker) {}
    func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: Worker) {}

    func kind(of entry: WalkEntry, in node: DirectoryNode, worker: Worker) -> EntryKind? {
        (try? node.source.metadata(of: entry.name))?.kind
    }

    func descends(into entry: WalkEntry, of node: DirectoryNode, worker: Worker) -> Bool {
        !worker.copy.excludes(entry.bytes, isDirectory: true)
    }

    func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: Worker) {
        guard entry.kind == .file, !TemporaryName.isOwn(entry.bytes),
            !worker.copy.excludes(entry.bytes, isDirectory: false),
            let metadata = try? node.source.metadata(of: entry.name), metadata.kind == .file
        else { return }
        let path = worker.directory + Array(entry.bytes)
        index.withLock { $0.add(path, metadata) }
    }

    func finish(_ node: DirectoryNode, worker: Worker) {
        if node.depth > 0 { node.closeHandles() }
    }
}
