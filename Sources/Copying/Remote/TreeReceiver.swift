internal import Delta
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization
internal import Wire

/// Takes a tree that another machine sends and makes the target equal to it. One thread reads the connection and hands out
/// what comes; others open directories, compare, and write what they asked for. What is decided, written and accounted
/// for goes the same ways as in a copy between two directories.
///
/// Whatever the other end says, only names in held directories are touched: each is one component, checked when it was
/// decoded, and no link is followed.
final class TreeReceiver: Sendable {
    /// What only the thread that reads knows.
    struct Incoming {
        var files = IncomingFiles()
        var rootSeen = false
        var treeEnded = false
    }

    /// Files that come by one connection and are not whole. Only the thread that reads it knows them: all of a file comes by
    /// the connection by which it began.
    struct IncomingFiles {
        var transfers: [UInt32: IncomingFile] = [:]
        /// Files that changed while they were read and come once more.
        var again: [WireReference: IncomingFile] = [:]
        /// How the older versions were described from which transfers are built.
        var plans: [UInt32: BlockPlan] = [:]
        /// What came with the same bytes and is handed out together.
        var intake = ReceiveIntake()
        /// Bundles and ends in it that the table of directories has let go of.
        var unsettled = 0
    }

    let context: CopyContext
    let connection: WireConnection
    let credits: DirectoryCredits
    let queue: ReceiveQueue
    let questions: SourceQuestions
    let directories: DirectoryTable
    /// Files that were asked for and did not come yet.
    let wanted = Mutex<[WireReference: WantedFile]>([:])
    let deltas: DeltaDesk
    /// Files of the target that new ones may have been.
    let renames: RenameSearch?
    /// For the thread that reads, while the tree is named.
    private let walkVisitor = Mutex<CopyVisitor?>(nil)
    /// The sender was told that leaves may come.
    private let takesBundles = Latch()
    /// Everything is here, and the other end is told.
    private let isDone = Latch()
    private let threads: Int
    /// Told what concerns neither the tree nor its files; false where nobody waits for it.
    private let hear: @Sendable (Message) -> Bool

    init(
        context: CopyContext,
        credits: DirectoryCredits,
        threads: Int,
        renames: RenameSearch? = nil,
        hear: @escaping @Sendable (Message) -> Bool = { _ in false }
    ) {
        self.renames = renames
        self.context = context
        self.credits = credits
        connection = credits.connection
        questions = SourceQuestions(connection: credits.connection)
        self.threads = threads
        directories = DirectoryTable(notesNames: context.options.delete)
        // Who says how many jobs there are to be has as many.
        let processors = context.options.jobs == nil ? max(2, context.host.processors) : nil
        queue = ReceiveQueue(threads: threads, processors: processors)
        self.hear = hear
        deltas = DeltaDesk(context.options.delta, host: context.host)
    }

    /// Tells the sender what helps: summaries where there is something to compare them with, bundles where there is nothing.
    func sayWhatHelps() {
        guard context.root.target.isOpen else { return }
        guard hasDirectories(context.root.target) else {
            // What was renamed is looked for with what is told of each file.
            guard !context.options.dryRun, renames == nil else { return }
            takesBundles.set()
            return connection.send(.bundles)
        }
        guard context.options.canSummarize else { return }
        // What only the target has is nobody's concern, unless it is to be deleted or cleared away.
        let listsTarget = context.options.delete || !context.deadRuns.isEmpty
        connection.send(.summarize(SummaryTerms(comparesOwners: context.host.isRoot, wantsNames: !listsTarget)))
    }

    private func hasDirectories(_ target: HeldDirectory) -> Bool {
        // With a listing position of its own.
        guard let directory = try? target.openDirectory(beneath: .root) else { return false }
        defer { directory.close() }
        let listing = ListingBuffer()
        while let count = try? directory.list(into: listing), count > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) {
                // A new file system has one, and nothing else.
                let isLostAndFound = entry.bytes.elementsEqual("lost+found".utf8)
                if entry.kind == .directory || entry.kind == nil, !isLostAndFound { return true }
            }
        }
        return false
    }

    /// Works until the whole tree was named and what was wanted of it is in place, or `close` was called.
    func run(_ visitor: CopyVisitor) async {
        walkVisitor.withLock { $0 = visitor }
        await run(visitor) {
            if !self.queue.waitForEnd() { self.wanted.withLock { $0.removeAll() } }
        }
    }

    /// Has threads for what comes, until a thread of its own is through with something.
    func run(_ visitor: CopyVisitor, until work: @escaping @Sendable () -> Void) async {
        let pool = WorkerPool(threads: threads)
        // Waiting blocks its thread, which may be the only one that others of this run have.
        let waiter = WorkerPool(threads: 1)
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<pool.started {
                group.addTask(executorPreference: pool) {
                    let worker = ReceiveWorker(receiver: self, visitor: visitor, index: index)
                    worker.work()
                }
            }
            group.addTask(executorPreference: waiter) {
                work()
                self.queue.rest()
            }
        }
        pool.shutDown()
        waiter.shutDown()
    }

    /// What was renamed is known: what waited for it goes on.
    func finishSearch(_ index: RenameIndex) {
        queue.offer(renames?.finish(index) ?? [])
    }

    /// Everything is in place, and nothing more will be asked.
    func sayDone() {
        isDone.set()
        connection.send(.done)
    }

    /// Reads the connection until the other end says goodbye. For one thread of our own.
    /// - Parameter incoming: files that are not whole yet are in it; what becomes of them is decided when it goes.
    /// - Throws: where it ends before, or says what it must not.
    func read(_ incoming: inout Incoming) throws(SyncError) {
        while !context.control.shouldStop {
            let goesOn = { !self.context.control.shouldStop && !self.isDone.isSet }
            if incoming.files.intake.worker == nil, !incoming.treeEnded, let visitor = walkVisitor.withLock({ $0 }) {
                incoming.files.intake.worker = ReceiveWorker(receiver: self, visitor: visitor, index: threads)
            }
            guard let message = try next(of: connection, &incoming.files, while: goesOn) else {
                if !goesOn() { return }
                throw FrameReader.ended
            }
            if case .failure(let error) = message { throw error }
            if case .bye = message, isDone.isSet { return }
            do throws(WireFault) {
                if try take(message, &incoming) { continue }
                throw WireFault("a message comes that nobody waits for")
            } catch { throw FrameReader.problem(error) }
        }
    }

    /// Reads a carrier until the run needs no more of it.
    /// - Throws: where it ends before, or brings what it must not.
    func read(carrier: WireConnection, _ files: inout IncomingFiles) throws(SyncError) {
        while true {
            let goesOn = { !self.context.control.shouldStop && !self.isDone.isSet }
            guard let message = try next(of: carrier, &files, while: goesOn) else {
                if !goesOn() { return }
                throw FrameReader.ended
            }
            do throws(WireFault) {
                if case .bundle(let bundle) = message {
                    try take(bundle, &files, mayWait: true, while: goesOn)
                    continue
                }
                if try takeFile(message, &files) { continue }
                throw WireFault("a message comes by a further connection that has no business there")
            } catch { throw FrameReader.problem(error) }
        }
    }

    /// The next message. Before one is waited for, the threads get what is there.
    private func next(
        of connection: WireConnection,
        _ files: inout IncomingFiles,
        while goesOn: () -> Bool
    ) throws(SyncError) -> Message? {
        if let message = try connection.reader.atHand() { return message }
        handOut(&files)
        defer { files.intake.isBehind = connection.reader.isBehind }
        return try connection.reader.next(while: goesOn)
    }

    /// The run needs no more, or will not get it.
    var isOver: Bool { isDone.isSet || context.control.shouldStop }

    /// The connection is gone or the run stopped.
    func close() {
        queue.close()
        questions.close()
        directories.close()
    }

    // MARK: What the other end says

    /// Takes a message; false where it is none that a sender sends.
    func take(_ message: Message, _ incoming: inout Incoming) throws(WireFault) -> Bool {
        switch message {
        case .directory(let directory): try take(directory, &incoming)
        case .batch(let batch): try take(batch, &incoming)
        case .bundle(let bundle): try take(bundle, &incoming.files, mayWait: false) { true }
        case .directoryEnd(let id, let bundles, let end):
            if let directory = try directories.end(id, end, bundles: bundles) {
                incoming.files.intake.add(.end(directory), in: directory, queue)
            }
        case .summary(let summary): try take(summary, &incoming)
        case .treeEnd:
            if !incoming.rootSeen { throw WireFault("a tree ends before its directories") }
            try directories.endTree()
            incoming.treeEnded = true
            handOut(&incoming.files)
            if directories.isWhole { queue.endTree() }
            // What comes from now on may be what others have asked for, and wait for.
            incoming.files.intake.worker = nil
        case .answer(let answer): try questions.take(answer)
        case .entry(let batch): try questions.take(batch)
        default: return try takeFile(message, &incoming.files) || hear(message)
        }
        return true
    }

    /// Takes what is said of a file that was asked for, by whatever connection; false where it is something else.
    private func takeFile(_ message: Message, _ files: inout IncomingFiles) throws(WireFault) -> Bool {
        switch message {
        case .file(let file): try take(file, &files)
        case .piece(let transfer, let bytes): try take(bytes, of: transfer, &files)
        case .fileEnd(let transfer, let end): try take(end, ofTransfer: transfer, &files)
        case .fileFailed(let reference, let error):
            if let file = files.again.removeValue(forKey: reference) {
                files.intake.add(.end(.failed(error)), weight: 512, to: file, queue)
            } else {
                var file = try claim(reference)
                forgetBasis(of: &file)
                files.intake.add(.failed(file, error), queue)
            }
        case .copies(let transfer, let copies): try take(copies, of: transfer, &files)
        default: return false
        }
        return true
    }

    private func take(_ sent: WireDirectory, _ incoming: inout Incoming) throws(WireFault) {
        guard let parentID = sent.parent else {
            if incoming.rootSeen { throw WireFault("there are two roots") }
            incoming.rootSeen = true
            let root = ReceivedDirectory(context.root, sent.state)
            if case .open = sent.state { try directories.add(root, sent.id) }
            // The root's own hold is its owner's; this one goes with the end of its listing.
            return incoming.files.intake.add(.open(root), queue)
        }
        guard let parent = directories.find(parentID) else { throw WireFault("a directory has no parent") }
        let node = try child(sent.name, of: parent)
        let directory = ReceivedDirectory(node, sent.state)
        if case .open = sent.state { try directories.add(directory, sent.id) }
        parent.node.hold()
        incoming.files.intake.add(.open(directory), in: parent, queue)
    }

    private func child(_ name: BytePath, of parent: ReceivedDirectory) throws(WireFault) -> DirectoryNode {
        // What a bundle has below it is bounded, too.
        if parent.node.depth >= WireLimit.depth { throw WireFault("directories are too deep") }
        directories.note(name, in: parent)
        return name.bytes.withUnsafeBytes { DirectoryNode(parent: parent.node, name: $0) }
    }

    /// - Parameter mayWait: its directory is named by another connection, and may not have been yet.
    private func take(
        _ bundle: WireBundle,
        _ files: inout IncomingFiles,
        mayWait: Bool,
        while goesOn: () -> Bool
    ) throws(WireFault) {
        if !takesBundles.isSet { throw WireFault("a bundle comes that was not asked for") }
        var parent = directories.find(bundle.parent)
        if mayWait, parent?.isReady != true {
            handOut(&files)
            guard let opened = try directories.wait(for: bundle.parent, while: goesOn) else { return }
            parent = opened
        }
        guard let parent else { throw WireFault("a bundle has no directory") }
        let node = try child(bundle.directory.name, of: parent)
        parent.node.hold()
        files.intake.add(.bundle(node, bundle), in: parent, queue)
        let ended = try directories.count(bundleIn: bundle.parent)
        if let ended { files.intake.add(.end(ended), in: ended, queue) }
        files.unsettled += ended == nil ? 1 : 2
        settleTaken(&files)
    }

    /// Has everything done that was read.
    private func handOut(_ files: inout IncomingFiles) {
        files.intake.handOut(queue)
        settleTaken(&files)
    }

    /// What was read is with the queue: that may have been all.
    private func settleTaken(_ files: inout IncomingFiles) {
        guard files.unsettled > 0, files.intake.isEmpty else { return }
        directories.settle(files.unsettled)
        files.unsettled = 0
        if directories.isWhole { queue.endTree() }
    }

    private func take(_ summary: WireSummary, _ incoming: inout Incoming) throws(WireFault) {
        guard let parent = directories.find(summary.parent) else { throw WireFault("a summary has no directory") }
        if parent.node.depth + SubtreeReader.levelsMax >= WireLimit.depth {
            throw WireFault("directories are too deep")
        }
        directories.note(summary.name, in: parent)
        parent.node.hold()
        incoming.files.intake.add(.summary(parent, summary), in: parent, queue)
    }

    private func take(_ batch: WireBatch, _ incoming: inout Incoming) throws(WireFault) {
        guard let directory = directories.find(batch.directory) else {
            throw WireFault("entries have no directory")
        }
        for entry in batch.entries { directories.note(entry.name, in: directory) }
        directory.node.hold()
        incoming.files.intake.add(.batch(directory, batch), in: directory, queue)
    }

    private func take(_ file: WireFile, _ files: inout IncomingFiles) throws(WireFault) {
        let earlier = files.again.removeValue(forKey: file.reference)
        var wanted: WantedFile
        if let earlier {
            wanted = earlier.wanted
        } else {
            wanted = try claim(file.reference)
            if case .delta = file.content {} else { forgetBasis(of: &wanted) }
        }
        switch file.content {
        case .attributes:
            if !wanted.attributesOnly { throw WireFault("a file comes without bytes") }
            files.intake.add(.file(wanted, file), queue)
        case .whole(let bytes, let sum):
            guard let earlier else { return files.intake.add(.file(wanted, file), queue) }
            files.intake.add(.begin(file), weight: 512, to: earlier, queue)
            files.intake.add(.piece(bytes), weight: bytes.count + 512, to: earlier, queue)
            files.intake.add(.end(.whole(sum)), weight: 512, to: earlier, queue)
        case .pieces(let transfer):
            if wanted.attributesOnly || files.transfers[transfer] != nil {
                throw WireFault("pieces of a file come that was not asked for")
            }
            if files.transfers.count >= Self.transfersMax { throw WireFault("too many files come at once") }
            let incomingFile = earlier ?? IncomingFile(wanted, file.reference)
            files.transfers[transfer] = incomingFile
            files.intake.add(.begin(file), weight: 512, to: incomingFile, queue)
        case .delta(let transfer):
            guard let plan = wanted.basis?.plan, earlier == nil, files.transfers[transfer] == nil else {
                throw WireFault("a file comes as changes that was not described")
            }
            if files.transfers.count >= Self.transfersMax { throw WireFault("too many files come at once") }
            let incomingFile = IncomingFile(wanted, file.reference)
            files.transfers[transfer] = incomingFile
            files.plans[transfer] = plan
            files.intake.add(.begin(file), weight: 512, to: incomingFile, queue)
        }
    }

    /// More files at once than any sender has readers.
    private static let transfersMax = 1024

    private func take(_ bytes: [UInt8], of transfer: UInt32, _ files: inout IncomingFiles) throws(WireFault) {
        guard let file = files.transfers[transfer] else { throw WireFault("a piece belongs to no file") }
        files.intake.add(.piece(bytes), weight: bytes.count + 512, to: file, queue)
    }

    private func take(_ end: FileEnd, ofTransfer transfer: UInt32, _ files: inout IncomingFiles) throws(WireFault) {
        guard let file = files.transfers.removeValue(forKey: transfer) else {
            throw WireFault("a file ends that was not begun")
        }
        files.plans[transfer] = nil
        // It comes once more under the same reference.
        if end == .again { files.again[file.reference] = file }
        files.intake.add(.end(end), weight: 512, to: file, queue)
    }

    private func claim(_ reference: WireReference) throws(WireFault) -> WantedFile {
        guard let file = wanted.withLock({ $0.removeValue(forKey: reference) }) else {
            throw WireFault("a file comes that was not asked for")
        }
        return file
    }
}
