internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// Walks a tree with many threads, depth first, and shows every entry to a visitor.
///
/// A media tree has three directories for each file and one or two entries a leaf, so the unit of work is the directory.
/// Each worker keeps a stack; half of it is given away only while somebody idles. Memory is bounded by depth times
/// `pendingChildrenMax` a worker, descriptors by the root's budget.
final class TreeWalk<Visitor: TreeVisitor>: Sendable {
    /// Children that wait on the stack before a listing is put aside until they are done.
    private static var pendingChildrenMax: Int { 2048 }
    /// Bytes of records that go to another worker in one batch: about 250 entries.
    private static var batchBytes: Int { 10 << 10 }
    /// How long a crowded walk waits for files to be published before it leaves a pair open.
    private static var evictionPatienceMilliseconds: Int { 2000 }
    /// How often a walk asks whether more workers would help.
    private static var widenIntervalNanoseconds: Int64 { 3_000_000 }

    private let visitor: Visitor
    private let control: RunControl
    private let queue: WalkQueue
    private let root: DirectoryNode
    private let widening: Widening?

    /// What the decision for more workers remembers.
    private final class Widening: Sendable {
        let nextCheck: Atomic<Int64>
        let processors: Int
        let last: Mutex<(wall: Int64, processor: Int64)>
        /// True while more workers would not help, e.g. because the publisher is behind.
        let isHeldBack: @Sendable () -> Bool

        init(processors: Int, isHeldBack: @escaping @Sendable () -> Bool) {
            let now = Host.monotonicNanoseconds()
            nextCheck = Atomic(now + TreeWalk.widenIntervalNanoseconds)
            last = Mutex((now, Host.processorNanoseconds()))
            self.processors = processors
            self.isHeldBack = isHeldBack
        }
    }

    /// - Parameters:
    ///   - root: held by the caller for the whole walk.
    ///   - queue: begins with the root; made by the caller so that a visitor can ask it for help.
    ///   - mayWiden: whether more workers than the queue's limit may be let in.
    init(
        root: DirectoryNode,
        queue: WalkQueue,
        visitor: Visitor,
        control: RunControl,
        processors: Int,
        mayWiden: Bool,
        isHeldBack: @escaping @Sendable () -> Bool = { false }
    ) {
        self.root = root
        self.queue = queue
        self.visitor = visitor
        self.control = control
        widening = mayWiden ? Widening(processors: processors, isHeldBack: isHeldBack) : nil
    }

    /// Walks the whole tree; returns when the last entry was shown or the run was stopped.
    func run() async {
        let pool = WorkerPool(threads: queue.workers)
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<pool.started {
                group.addTask(executorPreference: pool) { self.work(index) }
            }
        }
        pool.shutDown()
    }

    // MARK: One worker

    private func work(_ index: Int) {
        let worker = visitor.makeWorker(index: index)
        let listing = Listing()
        var stack: [WalkJob] = []
        var wasRunning = false
        while !control.shouldStop {
            if stack.isEmpty {
                visitor.handOver(worker: worker)
                stack = queue.take(worker: index, wasRunning: wasRunning)
                wasRunning = true
                if stack.isEmpty { return }
            } else if stack.count > 1, queue.idleWorkers > 0 {
                // The bottom of the stack: the largest subtrees, the furthest away.
                let share = min(stack.count / 2, 64)
                give(stack[..<share], worker)
                stack.removeFirst(share)
            }
            stack.append(contentsOf: queue.takeReturned())
            guard let job = stack.popLast() else { continue }
            switch job {
            case .directory(let node): enter(node, worker, listing, &stack)
            case .listing(let node): list(node, worker, listing, &stack)
            case .entries(let batch): handle(batch, worker, &stack)
            case .assist(let work): work.assist()
            case .settled(let node): if let parent = node.parent { release(parent, worker) }
            }
            widenIfIdle()
        }
        queue.abandon()
    }

    private func enter(
        _ node: DirectoryNode,
        _ worker: Visitor.Worker,
        _ listing: Listing,
        _ stack: inout [WalkJob]
    ) {
        switch open(node, worker) {
        case .kept: return
        case .nothing: release(node, worker)
        case .open:
            node.countAsOpen()
            list(node, worker, listing, &stack)
        }
    }

    private enum Opening {
        case open
        case nothing
        case kept
    }

    /// Opens a node through its parent's descriptors, then gives back the child's hold on the parent.
    private func open(_ node: DirectoryNode, _ worker: Visitor.Worker) -> Opening {
        guard let parent = node.parent else {
            let isOpen = visitor.open(node, in: DirectoryHandles(source: .none, target: .none), worker: worker)
            return isOpen ? .open : .nothing
        }
        let isEvicted = parent.flags.contains(.evicted)
        let handles = DirectoryHandles(source: parent.source, target: parent.target)
        if !isEvicted, visitor.keeps(node, in: handles, worker: worker) { return .kept }
        defer { release(parent, worker) }
        let isOpen =
            isEvicted
            ? openReopening(node, below: parent, worker) : visitor.open(node, in: handles, worker: worker)
        return isOpen ? .open : .nothing
    }

    private func openReopening(
        _ node: DirectoryNode,
        below parent: DirectoryNode,
        _ worker: Visitor.Worker
    ) -> Bool {
        do throws(FileFault) {
            let source = try reopen(parent, from: root.source, control)
            defer { source.close() }
            let target =
                parent.flags.contains(.absent) ? HeldDirectory.none : try reopen(parent, from: root.target, control)
            defer { target.close() }
            return visitor.open(node, in: DirectoryHandles(source: source, target: target), worker: worker)
        } catch {
            visitor.unreachable(node, fault: error, worker: worker)
            return false
        }
    }

    /// Where a thread reads listings to.
    private final class Listing {
        var part = ListingBuffer()
        /// What was read ahead of it, to see whether it is all.
        private var ahead = ListingBuffer()
        private var isAhead = false
        private var fault: FileFault?

        /// Reads the next part; false at the end.
        func next(of node: DirectoryNode) throws(FileFault) -> Bool {
            if let fault {
                self.fault = nil
                throw fault
            }
            if isAhead {
                isAhead = false
                swap(&part, &ahead)
                return part.remaining(from: 0) > 0
            }
            return try node.source.list(into: part) > 0
        }

        /// Whether the part at hand is the last one. What comes behind it, a fault as well, is for the next call of `next`.
        func isLast(of node: DirectoryNode) -> Bool {
            do throws(FileFault) {
                isAhead = true
                return try node.source.list(into: ahead) == 0
            } catch {
                isAhead = false
                fault = error
                return false
            }
        }

        /// Forgets what was read ahead.
        func rest() { isAhead = false }
    }

    /// Reads a node's listing to its end, or until so many children wait that they come first.
    private func list(
        _ node: DirectoryNode,
        _ worker: Visitor.Worker,
        _ listing: Listing,
        _ stack: inout [WalkJob]
    ) {
        visitor.prepare(node, worker: worker)
        let before = stack.count
        let isFirstPart = !node.isListing
        var isWhole = isFirstPart
        node.isListing = true
        while !control.shouldStop {
            let hasMore: Bool
            do throws(FileFault) {
                hasMore = try listing.next(of: node)
            } catch {
                node.set(.unlisted)
                visitor.listingFailed(node, fault: error, worker: worker)
                release(node, worker)
                return
            }
            if !hasMore {
                visitor.listed(node, worker: worker)
                if isFirstPart { evictIfCrowded(node, children: stack.count - before) }
                release(node, worker)
                return
            }
            if isWhole, visitor.mayTakeWhole(listing.part, of: node, worker: worker), listing.isLast(of: node),
                visitor.takesWhole(listing.part, of: node, worker: worker)
            {
                listing.rest()
                release(node, worker)
                return
            }
            isWhole = false
            show(listing.part, of: node, worker, &stack)
            if stack.count - before > Self.pendingChildrenMax {
                // The children come first; the listing goes on where it stands.
                stack.insert(.listing(node), at: before)
                visitor.paused(node, worker: worker)
                return
            }
        }
    }

    private func show(
        _ part: ListingBuffer,
        of node: DirectoryNode,
        _ worker: Visitor.Worker,
        _ stack: inout [WalkJob]
    ) {
        var cursor = 0
        var handled = 0
        while !control.shouldStop, let entry = part.next(&cursor) {
            let entry = WalkEntry(name: entry.name, length: entry.length, kind: entry.kind)
            visitor.note(entry, of: node)
            handle(entry, of: node, worker, &stack)
            handled += 1
            if handled % 32 == 0, queue.idleWorkers > 0, part.remaining(from: cursor) > 2 * Self.batchBytes {
                give(part, from: &cursor, of: node, worker)
            }
        }
    }

    /// Cuts the rest of a listing part into batches for idle workers, and leaves one batch to this one.
    private func give(
        _ listing: ListingBuffer,
        from cursor: inout Int,
        of node: DirectoryNode,
        _ worker: Visitor.Worker
    ) {
        var batches: [WalkJob] = []
        while listing.remaining(from: cursor) > Self.batchBytes, batches.count < queue.idleWorkers * 2 {
            let records = listing.slice(&cursor, bytes: Self.batchBytes)
            var noted = 0
            while let entry = records.next(&noted) {
                visitor.note(WalkEntry(name: entry.name, length: entry.length, kind: entry.kind), of: node)
            }
            batches.append(.entries(EntryBatch(node: node, records: records)))
        }
        give(batches[...], worker)
    }

    /// Hands jobs to other workers, who may from now on be the last to hold what they belong to.
    private func give(_ jobs: ArraySlice<WalkJob>, _ worker: Visitor.Worker) {
        visitor.handOver(worker: worker)
        for job in jobs {
            switch job {
            case .directory(let node): node.parent?.set(.shared)
            case .listing(let node): node.set(.shared)
            case .entries(let batch): batch.node.set(.shared)
            case .settled(let node): node.parent?.set(.shared)
            case .assist: break
            }
        }
        queue.give(jobs)
    }

    private func handle(_ batch: EntryBatch, _ worker: Visitor.Worker, _ stack: inout [WalkJob]) {
        visitor.prepare(batch.node, worker: worker)
        var cursor = 0
        while !control.shouldStop, let entry = batch.records.next(&cursor) {
            handle(WalkEntry(name: entry.name, length: entry.length, kind: entry.kind), of: batch.node, worker, &stack)
        }
        visitor.paused(batch.node, worker: worker)
        release(batch.node, worker)
    }

    @inline(__always)
    private func handle(
        _ entry: WalkEntry,
        of node: DirectoryNode,
        _ worker: Visitor.Worker,
        _ stack: inout [WalkJob]
    ) {
        var entry = entry
        if entry.kind == nil {
            guard let kind = visitor.kind(of: entry, in: node, worker: worker) else { return }
            entry = WalkEntry(name: entry.name, length: entry.length, kind: kind)
        }
        if entry.kind == .directory {
            if visitor.descends(into: entry, of: node, worker: worker) {
                node.hold()
                stack.append(.directory(DirectoryNode(parent: node, name: entry.bytes)))
            }
        } else {
            visitor.visit(entry, of: node, worker: worker)
        }
    }

    private func release(_ node: DirectoryNode, _ worker: Visitor.Worker) {
        if node.flags.contains(.shared) { visitor.handOver(worker: worker) }
        guard node.release() else { return }
        visitor.finish(node, worker: worker)
    }

    // MARK: Bounds

    /// Closes a node's descriptors early where too many are open; its children then reopen it by path. Only where nobody
    /// but children waiting on this worker's own stack needs them: files not yet published are waited for.
    private func evictIfCrowded(_ node: DirectoryNode, children: Int) {
        guard node.budget.isSpent, children > 0, node.depth > 0 else { return }
        for _ in 0..<Self.evictionPatienceMilliseconds where node.holdCount > children + 1 {
            Host.sleep(nanoseconds: 1_000_000)
        }
        guard node.holdCount == children + 1 else { return }
        node.set(.evicted)
        node.closeHandles()
    }

    /// Lets more workers in while the machine waits for calls: less than half of its processors busy with this process.
    private func widenIfIdle() {
        guard let widening, Host.monotonicNanoseconds() > widening.nextCheck.load(ordering: .relaxed) else { return }
        let now = Host.monotonicNanoseconds()
        let due = widening.nextCheck.load(ordering: .relaxed)
        guard
            widening.nextCheck.compareExchange(
                expected: due,
                desired: now + Self.widenIntervalNanoseconds,
                ordering: .relaxed
            ).exchanged
        else { return }
        let processor = Host.processorNanoseconds()
        let busy = widening.last.withLock { last -> Double in
            defer { last = (now, processor) }
            return Double(processor - last.processor) / Double(max(1, now - last.wall))
        }
        if busy < Double(widening.processors) / 2, !widening.isHeldBack() { _ = queue.widen() }
    }
}
