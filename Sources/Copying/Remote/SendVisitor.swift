internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization
internal import Wire

/// Names what a walk shows to the other end. What becomes of it is decided and accounted for there.
///
/// A directory is a few short messages. Each thread gathers those of several directories before it takes its turn at the connection;
/// it has sent them before another thread can say anything that stands on them (`handOver`), and before it waits for the other
/// end.
final class SendVisitor: TreeVisitor {
    /// What one thread keeps: the entries of the directory at hand that were not sent yet, and messages that wait for others.
    final class Worker {
        let copy: CopyWorker
        var node: DirectoryNode?
        var entries: [WireEntry] = []
        var bytes = 0
        fileprivate var frames = WireWriter()
        fileprivate var subtrees: SubtreeReader?
        /// Opened, and not told of before it is known whether it is a bundle. Its parent is held until then.
        fileprivate var untold: Untold?
        fileprivate private(set) lazy var bundles = BundleReader(context: context, worker: copy)
        /// How often in turn a directory so deep had no summary.
        private var misses = Misses()
        /// The same of bundles with directories.
        fileprivate var bundleMisses = Misses()
        private let context: CopyContext
        /// When the first of the messages came; monotonic nanoseconds.
        fileprivate var since: Int64 = 0

        init(_ copy: CopyWorker, _ context: CopyContext) {
            self.copy = copy
            self.context = context
        }

        /// Whether a directory at a depth is likely to have a summary.
        fileprivate func expectsSummary(at depth: Int) -> Bool { misses.expects(at: depth) }

        fileprivate func hasSummary(_ isThere: Bool, at depth: Int) { misses.learn(isThere, at: depth) }
    }

    /// What becomes of directories at a depth: neighbours are alike. What was too large is not read in vain again and again, but
    /// for one in many.
    fileprivate struct Misses {
        private var counts = [UInt8](repeating: 0, count: 32)

        private static let most = 2
        private static let trialEvery: UInt8 = 16

        mutating func expects(at depth: Int) -> Bool {
            let index = min(depth, counts.count - 1)
            if counts[index] < Self.most { return true }
            counts[index] &+= 1
            return counts[index] % Self.trialEvery == 0
        }

        mutating func learn(_ isRight: Bool, at depth: Int) {
            let index = min(depth, counts.count - 1)
            counts[index] = isRight ? 0 : max(counts[index], counts[index] &+ 1)
        }
    }

    fileprivate struct Untold {
        let node: DirectoryNode
        let metadata: WireMetadata
        let attributes: [ExtendedAttribute]
    }

    /// Entries and bytes of a batch: frames stay far below their limit, and the receiver's workers get even shares.
    private static let batchEntries = 256
    private static let batchBytes = 64 << 10
    /// Messages that wait for others, and how long they do where reading takes its time.
    private static let gatheredBytes = 16 << 10
    private static let gatherNanoseconds: Int64 = 1_000_000

    let context: CopyContext
    private let window: SendWindow
    private let summaries: SummaryDesk
    private let queue: WalkQueue
    private let connection: WireConnection
    private let connections: SendingConnections
    private let canSummarize: Bool

    init(
        context: CopyContext,
        window: SendWindow,
        summaries: SummaryDesk,
        queue: WalkQueue,
        connection: WireConnection,
        connections: SendingConnections
    ) {
        self.context = context
        self.window = window
        self.summaries = summaries
        self.queue = queue
        self.connection = connection
        self.connections = connections
        canSummarize = context.options.canSummarize
    }

    func makeWorker(index: Int) -> Worker {
        Worker(CopyWorker(context: context, index: index, queue: nil), context)
    }

    // MARK: Summaries

    func keeps(_ node: DirectoryNode, in handles: DirectoryHandles, worker: Worker) -> Bool {
        guard canSummarize, node.summarizedEntries == 0, let parent = node.parent,
            let terms = summaries.terms
        else { return false }
        if (1...Self.smallEntries).contains(parent.summarizedEntries) {
            // What differs is in here or next to it.
            node.summarizedEntries = parent.summarizedEntries
            return false
        }
        guard node.depth + SubtreeReader.levelsMax < WireLimit.depth, !node.budget.isSpent,
            worker.expectsSummary(at: node.depth), summaries.isWorthTrying(),
            let directory = try? handles.source.openDirectory(node.name)
        else { return false }
        defer { directory.close() }
        let reader =
            worker.subtrees ?? SubtreeReader(comparesOwners: terms.comparesOwners, device: context.sourceDevice)
        worker.subtrees = reader
        let summary = reader.read(directory)
        worker.hasSummary(summary != nil, at: node.depth)
        guard let summary else { return false }
        node.summarizedEntries = summary.entries
        // Whoever settles it may be the last to hold the parent.
        parent.set(.shared)
        guard let id = summaries.depart(node, from: queue, beforeWaiting: { handOver(worker: worker) }) else {
            return false
        }
        let wire = WireSummary(
            id: id,
            parent: parent.wireID,
            name: BytePath(name: node.name),
            summary,
            names: terms.wantsNames ? reader.namesOfLast() : [],
            comparesChanges: context.options.extendedAttributes
        )
        // From now on the node may be another thread's.
        send(.summary(wire), worker)
        return true
    }

    /// Of so few entries that differ, the parts are not summarized again.
    private static let smallEntries = 24

    // MARK: Directories

    func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: Worker) -> Bool {
        node.set(.absent)
        guard let id = window.openDirectory(beforeWaiting: { handOver(worker: worker) }) else {
            node.set(.failed)
            return false
        }
        node.wireID = id
        let metadata: Metadata
        let attributes: [ExtendedAttribute]
        do throws(FileFault) {
            if node.parent != nil {
                node.source = try withPatience(context.control) { () throws(FileFault) in
                    try parent.source.openDirectory(node.name)
                }
            }
            metadata = try node.source.metadata()
            attributes =
                context.options.extendedAttributes
                ? try ExtendedAttributes.read(from: node.source.raw, asRoot: context.host.isRoot) : []
        } catch {
            return fail(node, error, "could not read the directory \(node.path())", worker)
        }
        if node.depth > WireLimit.depth || attributes.isBeyondWire {
            let error = SyncError(
                .item,
                "could not send the directory \(node.path())",
                why: attributes.isBeyondWire ? "it has too many extended attributes" : "it lies too deep"
            )
            return fail(node, error, worker)
        }
        let untold = Untold(node: node, metadata: WireMetadata(metadata), attributes: attributes)
        if context.options.oneFileSystem, metadata.device != context.sourceDevice {
            tell(untold, worker)
            node.set(.unlisted)
            return false
        }
        if window.takesBundles, let parent = node.parent {
            parent.hold()
            worker.untold = untold
        } else {
            tell(untold, worker)
        }
        return true
    }

    private func tell(_ untold: Untold, _ worker: Worker) {
        send(untold.node, .open(untold.metadata, untold.attributes), worker)
    }

    /// Tells of the directory at hand, where that was put off.
    private func tellOpened(_ worker: Worker) {
        guard let untold = worker.untold else { return }
        worker.untold = nil
        tell(untold, worker)
        if let parent = untold.node.parent { release(parent, worker) }
    }

    private func release(_ node: DirectoryNode, _ worker: Worker) {
        if node.flags.contains(.shared) { handOver(worker: worker) }
        if node.release() { finish(node, worker: worker) }
    }

    // MARK: Bundles

    func mayTakeWhole(_ part: ListingBuffer, of node: DirectoryNode, worker: Worker) -> Bool {
        guard worker.untold?.node === node else { return false }
        switch worker.bundles.look(at: part) {
        case .files: return true
        case .withDirectories:
            let isLikely = window.takesDeepBundles && context.selection.takesAll
            if isLikely, worker.bundleMisses.expects(at: node.depth) { return true }
        case .unfit: break
        }
        tellOpened(worker)
        return false
    }

    func takesWhole(_ listing: ListingBuffer, of node: DirectoryNode, worker: Worker) -> Bool {
        guard let untold = worker.untold, let parent = node.parent else { return false }
        // Reading may take long, and what it stands on goes first.
        handOver(worker: worker)
        let reader = worker.bundles
        let isBundle = reader.read(node, in: parent.wireID, untold.metadata, untold.attributes, listing)
        if reader.look(at: listing) == .withDirectories { worker.bundleMisses.learn(isBundle, at: node.depth) }
        guard isBundle else {
            tellOpened(worker)
            return false
        }
        // Each of them is open at the receiver for a moment.
        window.addDirectories(reader.directoriesBelow)
        reader.send(by: connections.next())
        node.set(.told)
        parent.bundles.wrappingAdd(1, ordering: .relaxed)
        worker.untold = nil
        release(parent, worker)
        return true
    }

    // MARK: Messages

    private func send(_ node: DirectoryNode, _ state: WireDirectory.State, _ worker: Worker) {
        let name = BytePath(name: node.name)
        let directory = WireDirectory(id: node.wireID, parent: node.parent?.wireID, name: name, state: state)
        send(.directory(directory), worker)
    }

    /// Sends a message with the next ones, soon.
    private func send(_ message: Message, _ worker: Worker) {
        let now = Host.monotonicNanoseconds()
        if worker.frames.bytes.isEmpty { worker.since = now }
        message.encode(into: &worker.frames)
        let isDue = worker.frames.bytes.count >= Self.gatheredBytes || now - worker.since > Self.gatherNanoseconds
        if isDue { handOver(worker: worker) }
    }

    func handOver(worker: Worker) {
        if worker.frames.bytes.isEmpty { return }
        connection.send(frame: worker.frames.take(), isPackable: true)
    }

    private func fail(_ node: DirectoryNode, _ fault: FileFault, _ what: String, _ worker: Worker) -> Bool {
        var error = fault.syncError(what)
        if fault.kind == .missing { error.code = .sourceVanished }
        return fail(node, error, worker)
    }

    private func fail(_ node: DirectoryNode, _ error: SyncError, _ worker: Worker) -> Bool {
        node.set(.failed)
        send(node, .failed(error), worker)
        return false
    }

    func unreachable(_ node: DirectoryNode, fault: FileFault, worker: Worker) {
        guard let id = window.openDirectory(beforeWaiting: { handOver(worker: worker) }) else {
            return node.set(.failed)
        }
        node.wireID = id
        _ = fail(node, fault, "could not open the way to \(node.path()) again", worker)
    }

    func descends(into entry: WalkEntry, of node: DirectoryNode, worker: Worker) -> Bool {
        guard worker.copy.excludes(entry.bytes, isDirectory: true) else { return true }
        add(WireEntry(name: BytePath(name: entry.name), kind: .directory, state: .skipped(.excluded)), worker)
        return false
    }

    func finish(_ node: DirectoryNode, worker: Worker) {
        defer { if node.depth > 0 { node.closeHandles() } }
        if !node.flags.isDisjoint(with: [.failed, .told]) { return }
        let end: DirectoryEnd =
            node.wireFailure.map { .failed($0) } ?? (node.flags.contains(.unlisted) ? .unlisted : .listed)
        let bundles = node.bundles.load(ordering: .relaxed)
        send(.directoryEnd(id: node.wireID, bundles: bundles, end), worker)
    }

    func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: Worker) {
        tellOpened(worker)
        flush(worker)
        node.wireFailure = fault.syncError("could not list the directory \(node.path())")
    }

    // MARK: Entries

    func prepare(_ node: DirectoryNode, worker: Worker) {
        if worker.node !== node { flush(worker) }
        worker.node = node
        worker.copy.stand(at: node)
    }

    func paused(_ node: DirectoryNode, worker: Worker) { flush(worker) }

    func listed(_ node: DirectoryNode, worker: Worker) {
        tellOpened(worker)
        flush(worker)
    }

    func note(_ entry: WalkEntry, of node: DirectoryNode) {}

    func kind(of entry: WalkEntry, in node: DirectoryNode, worker: Worker) -> EntryKind? {
        do throws(FileFault) {
            if let kind = try node.source.metadata(of: entry.name).kind { return kind }
            add(WireEntry(name: BytePath(name: entry.name), kind: .fifo, state: .skipped(.special)), worker)
        } catch {
            add(failed(entry, .file, error, "could not look at \(node.path(of: entry.name))"), worker)
        }
        return nil
    }

    func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: Worker) {
        let kind = entry.kind ?? .file
        let name = BytePath(name: entry.name)
        if TemporaryName.isOwn(entry.bytes) {
            return add(WireEntry(name: name, kind: kind, state: .skipped(.temporary)), worker)
        }
        if worker.copy.excludes(entry.bytes, isDirectory: false) {
            return add(WireEntry(name: name, kind: kind, state: .skipped(.excluded)), worker)
        }
        do throws(FileFault) {
            let metadata = try node.source.metadata(of: entry.name)
            guard let now = metadata.kind, now != .directory else {
                return add(changed(entry, kind, node), worker)
            }
            let text = now == .symlink ? try node.source.readLink(entry.name) : []
            if text.count > WireLimit.pathBytes { return add(changed(entry, kind, node), worker) }
            var sent = WireEntry(name: name, kind: now, state: .present(WireMetadata(metadata)), text: text)
            if context.options.checksum, now == .file { try digest(entry, metadata, node, worker, &sent) }
            add(sent, worker)
        } catch {
            add(failed(entry, kind, error, "could not read \(node.path(of: entry.name))"), worker)
        }
    }

    /// Adds what a comparison of contents needs; nothing where the file changed meanwhile: then its content is asked for.
    private func digest(
        _ entry: WalkEntry,
        _ metadata: Metadata,
        _ node: DirectoryNode,
        _ worker: Worker,
        _ sent: inout WireEntry
    ) throws(FileFault) {
        // Reading may take long.
        handOver(worker: worker)
        let file = try node.source.openFile(entry.name, keepAccessTime: context.host.isRoot)
        do throws(ContentFault) {
            sent.digest = try worker.copy.content.digest(of: file, metadata.size)
        } catch {
            if case .read(let fault) = error { throw fault }
            return
        }
        guard context.options.extendedAttributes else { return }
        let attributes = try ExtendedAttributes.read(from: file.raw, asRoot: context.host.isRoot)
        // Larger ones are asked for one by one.
        if attributes.reduce(0, { $0 + $1.value.count }) < 4096 { sent.attributes = attributes }
    }

    private func changed(_ entry: WalkEntry, _ kind: EntryKind, _ node: DirectoryNode) -> WireEntry {
        let error = SyncError(
            .sourceChanged,
            "\(node.path(of: entry.name)) became something else while it was read",
            hint: "run the same command again when the source is quiet"
        )
        return WireEntry(name: BytePath(name: entry.name), kind: kind, state: .failed(error))
    }

    private func failed(_ entry: WalkEntry, _ kind: EntryKind, _ fault: FileFault, _ what: String) -> WireEntry {
        var error = fault.syncError(what)
        if fault.kind == .missing {
            error.code = .sourceVanished
            error.hint = "it went away after it was listed: run the same command again"
        }
        return WireEntry(name: BytePath(name: entry.name), kind: kind, state: .failed(error))
    }

    private func add(_ entry: WireEntry, _ worker: Worker) {
        if worker.entries.count >= Self.batchEntries || worker.bytes >= Self.batchBytes { flush(worker) }
        worker.entries.append(entry)
        worker.bytes += 100 + entry.name.bytes.count + entry.text.count
        worker.bytes += entry.attributes?.reduce(0) { $0 + $1.name.count + $1.value.count } ?? 0
        if case .failed(let error) = entry.state { worker.bytes += error.what.utf8.count + 1000 }
    }

    /// Sends what has gathered. The entries' node is held by whoever shows them.
    private func flush(_ worker: Worker) {
        guard let node = worker.node, !worker.entries.isEmpty else { return }
        let entries = worker.entries
        worker.entries = []
        worker.bytes = 0
        let batch = SentBatch(node: node, entries: entries)
        guard let id = window.openBatch(batch, beforeWaiting: { handOver(worker: worker) }) else { return }
        send(.batch(WireBatch(id: id, directory: node.wireID, entries: entries)), worker)
    }
}

extension [ExtendedAttribute] {
    /// More than a frame carries.
    var isBeyondWire: Bool {
        count > WireLimit.attributes
            || reduce(0) { $0 + $1.name.count + $1.value.count } > WireLimit.attributeBytes
    }
}
