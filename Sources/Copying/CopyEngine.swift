internal import Filtering
package import MediaModel
internal import Pacing
package import Running
package import Storage
internal import Synchronization
internal import Wire

/// Mirrors the contents of one directory into another.
///
/// Order of a run: both roots are opened and judged; the target is locked; the trees are walked side by side and files
/// copied, made durable and named; hard links are made; extraneous entries are deleted; the root gets its times. A run
/// that is stopped or killed at any moment leaves every name with its whole old or whole new content.
package final class CopyEngine: Sendable {
    let sourcePath: BytePath
    private let targetPath: BytePath
    let options: CopyOptions
    private let run: RunID
    let host: Host
    private let control: RunControl
    private let sink: EventSink
    private let account = Account()
    private let publisher = Mutex<Publisher?>(nil)
    /// Who sends the source where it is on another machine.
    let origin: (any TreeOrigin)?

    package init(
        source: BytePath,
        target: BytePath,
        options: CopyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        sink: @escaping EventSink,
        origin: (any TreeOrigin)? = nil
    ) {
        self.origin = origin
        sourcePath = source
        targetPath = target
        self.options = options
        self.run = run
        self.host = host
        self.control = control
        self.sink = sink
    }

    /// Whether the tree of another machine may come by now.
    var hasBegun: Bool { account.counts().seen > 0 }

    /// The account at this moment.
    package func counts() -> Counts {
        var counts = account.counts()
        counts.bytesTransferred = origin?.bytesTransferred ?? 0
        return counts
    }

    /// Removes the temporaries that a blocked disk still holds up: for a stop that can wait no longer. The process ends
    /// right after.
    package func abandon() {
        publisher.withLock { $0 }?.abandon()
    }

    /// Runs to the end. Blocking calls stay on threads of the run's own.
    package func run() async -> RunResult {
        guard let origin else { return await runOnOwnThread() }
        let result = await origin.serving { await self.runOnOwnThread() }
        var counts = result.counts
        counts.bytesTransferred = origin.bytesTransferred
        return RunResult(counts: counts, error: result.error)
    }

    private func runOnOwnThread() async -> RunResult {
        await Copying.runOnOwnThread(account, control) { () async throws(SyncError) in try await self.runStages() }
    }

    private func runStages() async throws(SyncError) {
        try checkOptions()
        let arrival = try origin?.connect(control)
        let pair =
            origin == nil
            ? try TreePair.open(source: sourcePath, target: targetPath, dryRun: options.dryRun)
            : try TreePair.ofTarget(targetPath, dryRun: options.dryRun, mustExist: options.comparison != nil)
        defer {
            pair.source.close()
            pair.target.close()
        }
        try guardTarget(pair, arrival?.facts)
        if options.comparison == nil { try Self.lock(pair.target, targetPath, sink) }
        let backup = try openBackup(pair)
        defer { backup?.root.close() }
        let marker = try readMarker(pair)
        let durability = options.durability == .file ? DirectoryDurability(of: pair.target) : .none
        let bounds = Bounds(host: host, jobs: options.jobs, sharesCommits: durability == .journal)
        let credits = origin.map { DirectoryCredits(connection: $0.connection) }
        let context = makeContext(pair, marker, backup, durability, bounds, credits, arrival?.clockLead ?? 0)
        sink(.stage(options.comparison == nil ? "copy" : "verify"))
        let refusal: SyncError?
        if let credits {
            refusal = await receive(context, bounds, credits)
        } else {
            await walk(context, bounds)
            refusal = await settle(context, nil)
        }
        let worker = CopyVisitor(context: context).makeWorker(index: 9999)
        reportUnmet(context, worker)
        let keepsMarker = options.dryRun || context.hasPartialFiles.load(ordering: .relaxed)
        if !keepsMarker, marker.remove(swept: context.sweptWholeTarget) { context.root.set(.dirty) }
        finishRoot(context, worker)
        if let refusal { throw refusal }
    }

    // MARK: Before

    private func checkOptions() throws(SyncError) {
        if options.detectRenames, origin == nil {
            throw SyncError(
                .usage,
                "--detect-renames is for copies between machines",
                hint: "leave it out: within one machine a file is read as fast from the source"
            )
        }
        if options.verify, options.digest == nil {
            throw SyncError(
                .usage,
                "--verify needs a digest to compare with",
                hint: "leave out --digest none or --verify"
            )
        }
    }

    private func guardTarget(_ pair: TreePair, _ facts: SourceFacts?) throws(SyncError) {
        if let facts {
            if options.delete, options.comparison == nil { try Guards.checkDeletion(from: facts, to: pair.target) }
            return
        }
        let guards = Guards(source: pair.source, sourcePath: sourcePath, target: pair.target)
        if options.delete { try guards.checkDeletion() }
        if let hint = guards.layoutHint() { sink(.notice(hint)) }
    }

    /// Takes the lock of a target.
    static func lock(_ target: HeldDirectory, _ path: BytePath, _ sink: EventSink) throws(SyncError) {
        guard target.isOpen else { return }
        do throws(FileFault) {
            if try target.lock() { return }
        } catch {
            // File systems without locks of directories: the marker still tells of other runs.
            sink(.notice(Notice(.warning, "the target cannot be locked: \(error.reason)")))
            return
        }
        throw SyncError(
            .locked,
            "another run is at work in \(path)",
            hint: "wait for it to end (mediasync status), or stop it; nothing was changed"
        )
    }

    private func openBackup(_ pair: TreePair) throws(SyncError) -> BackupStore? {
        guard let path = options.backupDirectory else { return nil }
        let root = try TreePair.openSource(path, role: "backup directory")
        do throws(FileFault) {
            let metadata = try root.metadata()
            if metadata.device == pair.targetMetadata?.device || !pair.target.isOpen {
                return BackupStore(root: root, identity: metadata.identity)
            }
        } catch {
            throw error.syncError("cannot look at the backup directory")
        }
        root.close()
        throw SyncError(
            .unusable,
            "the backup directory \(path) is on another file system than the target",
            hint: "choose one on the target's file system: entries are kept by linking and renaming"
        )
    }

    private func readMarker(_ pair: TreePair) throws(SyncError) -> RunMarker {
        do throws(FileFault) {
            return try RunMarker(in: pair.target, run: run, isDurable: options.durability != .none)
        } catch {
            var problem = error.syncError("cannot read the target \(targetPath)")
            if problem.code == .item { problem.code = .unusable }
            throw problem
        }
    }

    private func makeContext(
        _ pair: TreePair,
        _ marker: RunMarker,
        _ backup: BackupStore?,
        _ durability: DirectoryDurability,
        _ bounds: Bounds,
        _ credits: DirectoryCredits?,
        _ clockLead: Int64
    ) -> CopyContext {
        var onClose: (@Sendable () -> Void)?
        if let credits { onClose = { credits.add() } }
        let budget = DescriptorBudget(maximum: bounds.openPairs, onClose: onClose)
        let root = DirectoryNode(root: budget)
        root.source = pair.source
        root.target = pair.target
        root.hold()
        root.set(.keepsHandles)
        let isSetGroup = (pair.targetMetadata?.permissions ?? 0) & 0o2000 != 0
        if pair.madeTarget {
            root.set(pair.target.isOpen ? [.fresh, .lateMode] : .absent)
            if isSetGroup { root.set(.inherits) }
        }
        return CopyContext(
            options: options,
            run: run,
            host: host,
            control: control,
            account: account,
            sink: sink,
            root: root,
            sourceDevice: pair.sourceMetadata?.device ?? 0,
            targetDevice: pair.targetMetadata?.device ?? pair.sourceMetadata?.device ?? 0,
            sourceRoot: pair.sourceMetadata?.identity,
            targetRoot: pair.targetMetadata?.identity,
            isSourceElsewhere: origin != nil,
            clockLead: clockLead,
            backup: backup,
            marker: marker,
            directoryDurability: durability
        )
    }

    // MARK: The walk

    /// Threads that flush what another machine sends, where one commit of the journal serves all: one waits for the disk,
    /// another gets its batch ready.
    private static let publishersOfBatches = 2

    private func makePublisher(_ context: CopyContext, _ bounds: Bounds) -> Publisher? {
        let takesBatches = origin != nil && context.directoryDurability == .journal
        let publisher =
            context.publishesLater
            ? Publisher(
                context: context,
                threads: takesBatches ? Self.publishersOfBatches : bounds.publishers,
                capacity: bounds.publishQueue,
                batch: takesBatches ? max(1, bounds.publishQueue / 2) : 1
            ) : nil
        self.publisher.withLock { $0 = publisher }
        return publisher
    }

    /// Takes what another machine sends, instead of walking a source here. What comes after the tree needs the other
    /// machine as well.
    /// - Returns: why deletions were refused.
    private func receive(_ context: CopyContext, _ bounds: Bounds, _ credits: DirectoryCredits) async -> SyncError? {
        // A list of paths says of each file what becomes of it, and marks those that it meets.
        let looksForRenames =
            options.detectRenames && !options.dryRun && options.fileList == nil && context.root.target.isOpen
        let receiver = TreeReceiver(
            context: context,
            credits: credits,
            threads: bounds.workersFirst,
            renames: looksForRenames ? RenameSearch() : nil,
            hear: { [origin] in origin?.hear($0) ?? false }
        )
        let rootTally = account.makeTally()
        rootTally.seen.add()
        rootTally.directories.add()
        receiver.sayWhatHelps()
        let carriersMax = origin?.desk.carriersMax ?? 0
        let pool = WorkerPool(threads: 1 + carriersMax)
        let refusal = await withTaskGroup(of: Void.self) { group in
            for _ in 0..<carriersMax {
                group.addTask(executorPreference: pool) { self.readCarriers(receiver) }
            }
            group.addTask(executorPreference: pool) {
                // It goes when the run knows that it is stopped.
                var incoming = TreeReceiver.Incoming()
                do throws(SyncError) { try receiver.read(&incoming) } catch {
                    self.control.stop(self.origin?.explain(error) ?? error)
                }
                receiver.close()
            }
            if looksForRenames {
                group.addTask { receiver.finishSearch(await RenameIndex.make(of: context.root.target, context)) }
            }
            await self.publishing(context, bounds) { publisher in
                await receiver.run(CopyVisitor(context: context, publisher: publisher))
            }
            let refusal = await self.settle(context, receiver)
            if !self.control.shouldStop { receiver.sayDone() }
            self.origin?.desk.close()
            return refusal
        }
        pool.shutDown()
        return refusal
    }

    /// How long a further connection's end is not believed to be the run's: the first one may be about to say why.
    private static let carrierPatienceNanoseconds: Int64 = 1_000_000_000

    /// Reads what further connections bring. For one thread of our own.
    private func readCarriers(_ receiver: TreeReceiver) {
        while let origin, let carrier = origin.desk.next() {
            // They go when the run knows that it is stopped.
            var files = TreeReceiver.IncomingFiles()
            do throws(SyncError) { try receiver.read(carrier: carrier, &files) } catch {
                let end = Host.monotonicNanoseconds() + Self.carrierPatienceNanoseconds
                while FrameReader.isEnd(error), !receiver.isOver, Host.monotonicNanoseconds() < end {
                    Host.sleep(nanoseconds: 20_000_000)
                }
                if receiver.isOver { return }
                control.stop(origin.explain(error, of: carrier))
                receiver.close()
            }
        }
    }

    /// Has files published beside some work; all are in place when it returns.
    private func publishing(
        _ context: CopyContext,
        _ bounds: Bounds,
        _ work: (Publisher?) async -> Void
    ) async {
        let publisher = makePublisher(context, bounds)
        await withTaskGroup(of: Void.self) { group in
            if let publisher { group.addTask { await publisher.run() } }
            await work(publisher)
            publisher?.finish()
        }
        self.publisher.withLock { $0 = nil }
    }

    private func walk(_ context: CopyContext, _ bounds: Bounds) async {
        let rootTally = account.makeTally()
        rootTally.seen.add()
        rootTally.directories.add()
        await publishing(context, bounds) { await walk(context, bounds, $0) }
    }

    private func walk(_ context: CopyContext, _ bounds: Bounds, _ publisher: Publisher?) async {
        let queue = WalkQueue(
            first: .directory(context.root),
            workers: bounds.workersMax,
            limit: bounds.workersFirst
        )
        let visitor = CopyVisitor(context: context, publisher: publisher, queue: queue)
        let walk = TreeWalk(
            root: context.root,
            queue: queue,
            visitor: visitor,
            control: control,
            processors: host.processors,
            mayWiden: bounds.workersMax > bounds.workersFirst,
            isHeldBack: { publisher?.isBehind ?? false }
        )
        await walk.run()
    }

    // MARK: After

    /// Hard links and deletions, when everything else is in place.
    /// - Parameter receiver: the way to the source where it is on another machine.
    /// - Returns: why deletions were refused.
    private func settle(_ context: CopyContext, _ receiver: TreeReceiver?) async -> SyncError? {
        let visitor = CopyVisitor(context: context, questions: receiver?.questions)
        let worker = visitor.makeWorker(index: 9999)
        if !control.shouldStop { visitor.makeDeferredLinks(worker) }
        if !options.dryRun { visitor.removePartialFiles(worker) }
        guard options.delete, !control.shouldStop else { return nil }
        do throws(SyncError) {
            try await delete(context, visitor, worker, receiver)
            return nil
        } catch { return error }
    }

    /// Paths of `--files-from` that the source does not have.
    private func reportUnmet(_ context: CopyContext, _ worker: CopyWorker) {
        guard let list = options.fileList, !control.shouldStop else { return }
        for path in list.unmet() {
            worker.tally.seen.add()
            let error = SyncError(
                .item,
                "\(path) is listed in --files-from and not in the source",
                hint: "correct the list"
            )
            path.withEntryName {
                context.finish(.failed(error), .file, in: context.root, name: $0, tally: worker.tally)
            }
        }
    }

    private func delete(
        _ context: CopyContext,
        _ visitor: CopyVisitor,
        _ worker: CopyWorker,
        _ receiver: TreeReceiver?
    ) async throws(SyncError) {
        let extraneous = context.extraneousEntries.load(ordering: .relaxed)
        let isInTheWay = context.conflicts.withLock { !$0.isEmpty }
        guard extraneous > 0 || isInTheWay else { return }
        if context.listingErrors.load(ordering: .relaxed) > 0 {
            visitor.settleConflicts(worker, mayDelete: false)
            let hint = "mend what failed and run the same command again"
            sink(
                .notice(Notice(.warning, "nothing was deleted, because not every directory could be read", hint: hint))
            )
            return
        }
        let total = context.targetEntries.load(ordering: .relaxed)
        if let error = options.deleteLimit.refusal(of: extraneous, outOf: total) {
            visitor.settleConflicts(worker, mayDelete: false)
            throw error
        }
        sink(.stage("delete"))
        await visitor.deleteExtraneous(threads: Bounds(host: host, jobs: options.jobs).workersFirst)
        if control.shouldStop { return }
        if let receiver {
            await receiver.settleConflicts(visitor)
        } else {
            visitor.settleConflicts(worker, mayDelete: true)
        }
    }

    /// The root's own attributes, last of all, and what makes the whole durable.
    private func finishRoot(_ context: CopyContext, _ worker: CopyWorker) {
        let root = context.root
        if root.release() || control.shouldStop {
            if let outcome = context.makeFinal(root, tally: worker.tally) {
                PublishWorker(context: context).finishDirectory(root, outcome)
            }
        }
        // The roots' descriptors belong to the pair.
        if context.needsFlush, !options.dryRun, root.target.isOpen {
            do throws(FileFault) {
                try root.target.synchronizeFileSystem()
            } catch {
                control.stop(error.syncError("could not write the target to the disk"))
            }
        }
        root.source = .none
        root.target = .none
    }
}

extension CopyOptions.DeleteLimit {
    /// The refusal of too many deletions; nil where they are within the limit.
    func refusal(of count: Int, outOf total: Int) -> SyncError? {
        let share = total > 0 ? Double(count) / Double(total) * 100 : 0
        let limit: String
        switch self {
        case .count(let most):
            if count <= most { return nil }
            limit = "\(most)"
        case .percent(let most):
            if share <= most { return nil }
            limit = "\(most.rounded() == most ? String(Int(most)) : String(most))%"
        }
        let rounded = (share * 10).rounded() / 10
        return SyncError(
            .limitReached,
            "--delete would remove \(count) of \(total) entries of the target (\(rounded)%), "
                + "more than --max-delete \(limit); nothing was deleted",
            hint: "look at the plan with -n --itemize, then pass a higher --max-delete, or --backup-dir to keep them"
        )
    }
}
