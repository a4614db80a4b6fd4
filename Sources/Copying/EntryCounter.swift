package import MediaModel
internal import Running
package import Storage
internal import Synchronization

/// Counts the entries of a tree ahead of a run that works on it, so that progress has a total. It reads names only, with
/// one thread, and follows the same selection; what cannot be read is left to the run to report.
package final class EntryCounter: TotalCounter {
    private let rootPath: BytePath
    private let options: CopyOptions
    private let host: Host
    private let control = RunControl()
    private let account = Account()
    private let result = Mutex<Int?>(nil)

    /// - Parameter options: only what selects entries is used.
    package init(root: BytePath, options: CopyOptions, host: Host) {
        rootPath = root
        self.options = options
        self.host = host
    }

    /// The number of entries, the root included; nil until all are counted.
    package var total: Int? { result.withLock { $0 } }

    /// Stops counting: the run is over.
    package func stop() {
        control.stop(SyncError(.interrupted, "no longer needed"))
    }

    /// Counts to the end.
    package func run() async {
        _ = await runOnOwnThread(account, control) { () async throws(SyncError) in try await self.count() }
    }

    private func count() async throws(SyncError) {
        let source = try TreePair.openSource(rootPath)
        defer { source.close() }
        var selecting = options
        selecting.jobs = 1
        selecting.reportsEveryItem = false
        let walk: ReadingWalk
        do throws(FileFault) {
            walk = try ReadingWalk(
                source: source,
                options: selecting,
                run: RunID(secondsSince1970: 0, random: 0),
                host: host,
                control: control,
                account: account,
                sink: { _ in }
            )
        } catch {
            return
        }
        await walk.run(CountVisitor(context: walk.context))
        if !control.shouldStop { result.withLock { $0 = account.counts().seen + 1 } }
    }
}

/// Counts what a walk shows.
private final class CountVisitor: TreeVisitor {
    private let context: CopyContext

    init(context: CopyContext) {
        self.context = context
    }

    func makeWorker(index: Int) -> CopyWorker { CopyWorker(context: context, index: index, queue: nil) }

    func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: CopyWorker) -> Bool {
        node.set(.absent)
        guard node.parent != nil else { return true }
        guard let source = try? parent.source.openDirectory(node.name) else { return false }
        node.source = source
        if context.options.oneFileSystem, (try? source.metadata().device) != context.sourceDevice { return false }
        return context.selection.fileList == nil || context.selection.reaches(into: node.path())
    }

    func prepare(_ node: DirectoryNode, worker: CopyWorker) { worker.stand(at: node) }
    func unreachable(_ node: DirectoryNode, fault: FileFault, worker: CopyWorker) {}
    func note(_ entry: WalkEntry, of node: DirectoryNode) {}
    func listed(_ node: DirectoryNode, worker: CopyWorker) {}
    func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: CopyWorker) {}

    func kind(of entry: WalkEntry, in node: DirectoryNode, worker: CopyWorker) -> EntryKind? {
        (try? node.source.metadata(of: entry.name))?.kind ?? .fifo
    }

    func descends(into entry: WalkEntry, of node: DirectoryNode, worker: CopyWorker) -> Bool {
        worker.tally.seen.add()
        return !worker.excludes(entry.bytes, isDirectory: true)
    }

    func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: CopyWorker) {
        worker.tally.seen.add()
    }

    func finish(_ node: DirectoryNode, worker: CopyWorker) {
        if node.depth > 0 { node.closeHandles() }
    }
}
