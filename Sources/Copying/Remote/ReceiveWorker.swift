internal import Checksums
internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization
internal import Wire

/// One thread's hands for receiving.
final class ReceiveWorker {
    let receiver: TreeReceiver
    let context: CopyContext
    let visitor: CopyVisitor
    let worker: CopyWorker
    let digest: StreamingDigest
    /// For directories that are compared as a whole; made when first needed.
    private(set) lazy var subtrees = SubtreeReader(
        comparesOwners: context.host.isRoot,
        device: context.targetDevice
    )
    /// For blocks of older versions; made when first needed.
    private(set) lazy var copyBuffer = PieceBuffer()
    var tally: Tally { worker.tally }
    /// Jobs that this thread has taken; the last one comes next.
    private var stack: [ReceiveJob] = []
    /// Not told of yet.
    var done = DoneJobs()
    /// The last job took so long that others should help with what waits.
    private var isSlow = false

    init(receiver: TreeReceiver, visitor: CopyVisitor, index: Int) {
        self.receiver = receiver
        context = receiver.context
        self.visitor = visitor
        worker = visitor.makeWorker(index: index)
        digest = StreamingDigest(context.options.digest ?? .xxh3)
    }

    /// Does some jobs for the thread that has read them, and what becomes possible by them, as long as they are quick. Others
    /// get the rest.
    /// - Returns: whether all were: then it may as well do the next ones.
    func work(on jobs: [ReceiveJob]) -> Bool {
        stack.append(contentsOf: jobs.reversed())
        let queue = receiver.queue
        isSlow = false
        var then = Host.monotonicNanoseconds()
        while !isSlow, !queue.isClosed, let job = stack.popLast() {
            perform(job)
            if done.isEnough { tellDone() }
            let now = Host.monotonicNanoseconds()
            isSlow = now - then > Self.slowNanoseconds * job.entries
            then = now
        }
        queue.offer(stack.reversed())
        stack.removeAll()
        tellDone()
        return !isSlow
    }

    /// Does what the queue has until it has nothing more.
    func work() {
        let queue = receiver.queue
        let gauge = ThreadGauge()
        var lap: ThreadGauge.Lap?
        while true {
            stack = queue.take(done, areSlow: isSlow, lap: lap)
            done = DoneJobs()
            if stack.isEmpty { return }
            gauge.begin()
            defer { lap = gauge.lap() }
            stack.reverse()
            var then = Host.monotonicNanoseconds()
            while let job = stack.popLast() {
                // What is left undone is nobody's once the run is given up.
                if queue.isClosed { return }
                perform(job)
                if done.isEnough { tellDone() }
                let now = Host.monotonicNanoseconds()
                isSlow = now - then > Self.slowNanoseconds * job.entries
                then = now
                if stack.count >= (isSlow ? 2 : Self.quickMax), queue.idleThreads > 0 { share() }
            }
        }
    }

    /// More than what is done in memory takes for one entry, and less than the way to a disk or a server.
    private static let slowNanoseconds: Int64 = 150_000
    /// So many quick jobs are worth another thread's waking.
    private static let quickMax = 32

    /// Others get half of what waits here, the part whose turn is furthest away.
    private func share() {
        let half = stack.count / 2
        receiver.queue.offer(stack[..<half].reversed())
        stack.removeFirst(half)
    }

    func tellDone() {
        receiver.queue.settle(done)
        done = DoneJobs()
    }

    private func perform(_ job: ReceiveJob) {
        switch job {
        case .open(let directory): open(directory)
        case .bundle(let node, let bundle): fill(node, bundle.directory)
        case .batch(let directory, let batch):
            let found = compare(batch, in: directory, weight: job.weight)
            if let search = receiver.renames, found.mayBeRenamed {
                guard let index = search.index(else: .answer(found)) else { return }
                answer(found, index)
            } else {
                answer(found, nil)
            }
        case .answer(let found):
            guard let index = receiver.renames?.index(else: job) else { return }
            answer(found, index)
        case .summary(let directory, let summary): compare(summary, in: directory)
        case .end(let directory): finish(directory)
        case .file(let wanted, let file): receive(file, wanted)
        case .failed(let wanted, let error): fail(wanted, context.failure(error))
        case .transfer(let file): return assemble(file)
        case .describe(let description): return describe(description)
        }
        done.add(weight: job.weight)
    }

    // MARK: Directories

    private func open(_ directory: ReceivedDirectory) {
        let node = directory.node
        let isOpen = open(node, directory.sent)
        if !isOpen { receiver.credits.add() }
        switch directory.sent {
        case .open: break
        // What has no contents has no end either.
        case .skipped, .failed: release(node)
        }
        let waited = directory.becomeReady(isOpen: isOpen)
        receiver.directories.becameReady(directory)
        for job in waited.reversed() { stack.append(job) }
        if let parent = node.parent { release(parent) }
    }

    /// Makes a directory with all that is in it.
    private func fill(_ node: DirectoryNode, _ directory: WireBundle.Directory) {
        if open(node, .open(directory.metadata, directory.attributes)) {
            for entry in directory.entries where !context.control.shouldStop {
                switch entry {
                case .file(let file):
                    worker.stand(at: node)
                    put(file, in: node)
                case .directory(let below):
                    node.hold()
                    let child = below.name.bytes.withUnsafeBytes { DirectoryNode(parent: node, name: $0) }
                    note(below.name, in: node)
                    fill(child, below)
                }
            }
            worker.stand(at: node)
            visitor.listed(node, worker: worker)
        } else {
            closeBelow(directory)
        }
        release(node)
        if let parent = node.parent { release(parent) }
    }

    /// Directories that were not opened, since the one above was not, are closed all the same.
    private func closeBelow(_ directory: WireBundle.Directory) {
        receiver.credits.add()
        for case .directory(let below) in directory.entries { closeBelow(below) }
    }

    private func note(_ name: BytePath, in node: DirectoryNode) {
        guard context.options.delete else { return }
        node.nameHashes.append(name.bytes.withUnsafeBytes { NameHash.of($0) })
    }

    /// Does with a file that came unasked what is done with any: it may be there all the same.
    private func put(_ file: WireBundle.File, in node: DirectoryNode) {
        note(file.name, in: node)
        let entry = WireEntry(
            name: file.name,
            kind: .file,
            state: .present(file.metadata),
            digest: context.options.checksum ? file.digest : nil,
            attributes: file.attributes
        )
        guard let wanted = file.name.withEntryName({ compare(entry, $0, in: node) }) else { return }
        node.hold()
        receiver.queue.want(1)
        let whole = WireFile(
            reference: WireReference(batch: 0, index: 0),
            metadata: file.metadata,
            attributes: file.attributes,
            content: .whole(file.bytes, file.digest)
        )
        receive(whole, wanted)
    }

    /// False where the directory was not opened; it is on the account.
    private func open(_ node: DirectoryNode, _ state: WireDirectory.State) -> Bool {
        if node.parent?.flags.contains(.failed) == true {
            node.set(.failed)
            return false
        }
        if node.depth > 0 {
            tally.seen.add()
            tally.directories.add()
        }
        if node.depth > 0, !context.selection.takesAll, context.protects(node.path(), isDirectory: true) {
            node.set(.failed)
            context.finish(.skipped(.excluded), .directory, in: node, name: nil, tally: tally)
            return false
        }
        switch state {
        case .open(let sent, let attributes):
            node.sentAttributes = attributes
            let handles = DirectoryHandles(source: .none, target: node.parent?.target ?? .none)
            guard visitor.openCounterpart(node, in: handles, Metadata(sent), worker) else { return false }
            node.countAsOpen()
            return true
        case .skipped(let reason):
            node.set(.failed)
            context.finish(.skipped(reason), .directory, in: node, name: nil, tally: tally)
            return false
        case .failed(let error):
            return visitor.give(up: node, context.failure(error), worker)
        }
    }

    private func finish(_ directory: ReceivedDirectory) {
        let node = directory.node
        if directory.isOpen {
            switch directory.end {
            case .listed:
                worker.stand(at: node)
                visitor.listed(node, worker: worker)
            case .unlisted:
                node.set(.unlisted)
                // One that the list names by itself is made without its contents.
                let isBare = context.selection.fileList != nil && !context.selection.reaches(into: node.path())
                if isBare { break }
                context.sink(
                    .item(ItemEvent(path: node.path(), kind: .directory, outcome: .skipped(.mountPoint)))
                )
            case .failed(let error):
                node.set([.unlisted, .failed])
                context.listingErrors.wrappingAdd(1, ordering: .relaxed)
                context.finish(context.failure(error), .directory, in: node, name: nil, tally: tally)
            }
        }
        release(node)
    }

    func release(_ node: DirectoryNode) {
        guard node.release() else { return }
        visitor.finish(node, worker: worker)
    }

    // MARK: Entries

    /// Compares a batch's entries. The files that are wanted are not asked for yet.
    private func compare(_ batch: WireBatch, in directory: ReceivedDirectory, weight: Int) -> FoundFiles {
        let node = directory.node
        var found = FoundFiles(node: node, batch: batch.id, weight: weight)
        guard directory.isOpen else { return found }
        worker.stand(at: node)
        for (index, entry) in batch.entries.enumerated() where !context.control.shouldStop {
            guard var wanted = entry.name.withEntryName({ compare(entry, $0, in: node) }) else { continue }
            findPartial(of: &wanted, entry)
            found.files.append(.init(wanted: wanted, entry: entry, index: UInt32(index)))
        }
        return found
    }

    /// Answers a batch: asks for the files that are wanted of it, and has older versions of them described.
    private func answer(_ found: FoundFiles, _ renames: RenameIndex?) {
        var items: [Want.Item] = []
        var descriptions: [DeltaDescription] = []
        var wanted: [(WireReference, WantedFile)] = []
        for file in found.files {
            let reference = WireReference(batch: found.batch, index: file.index)
            var item = Want.Item(index: file.index, attributesOnly: file.wanted.attributesOnly)
            if let description = description(of: file.wanted, file.entry, reference, renames) {
                found.node.hold()
                descriptions.append(description)
                item.hasBasis = true
            }
            wanted.append((reference, file.wanted))
            items.append(item)
        }
        want(wanted)
        receiver.connection.send(.want(Want(batch: found.batch, items: items)))
        if !descriptions.isEmpty { receiver.describe(receiver.deltas.exchange(descriptions)) }
        release(found.node)
    }

    /// Looks for what a dead run left of a large file.
    private func findPartial(of wanted: inout WantedFile, _ entry: WireEntry) {
        guard !context.deadRuns.isEmpty, !wanted.attributesOnly, !wanted.isUndecided,
            case .present(let sent) = entry.state,
            sent.size >= PartialFile.fileBytesMin
        else { return }
        wanted.partial = PartialFile.find(of: wanted.name, in: wanted.node.target, context.marker.deadRuns)
    }

    func want(_ files: [(WireReference, WantedFile)]) {
        if files.isEmpty { return }
        for (_, file) in files { file.node.hold() }
        receiver.queue.want(files.count)
        receiver.wanted.withLock { for (reference, file) in files { $0[reference] = file } }
    }

    /// Looks at one entry. What must be fetched first is returned, everything else is done and on the account.
    private func compare(_ entry: WireEntry, _ name: EntryName, in node: DirectoryNode) -> WantedFile? {
        tally.seen.add()
        let isDirectory = entry.kind == .directory
        if isDirectory {
            tally.directories.add()
        } else if entry.kind == .file {
            tally.files.add()
        } else {
            tally.others.add()
        }
        return judge(entry, name, in: node)
    }

    /// The same for an entry that is counted already.
    func judge(_ entry: WireEntry, _ name: EntryName, in node: DirectoryNode) -> WantedFile? {
        let account = { (outcome: Outcome) in
            self.context.finish(outcome, entry.kind, in: node, name: name, tally: self.tally)
        }
        let sent: WireMetadata
        switch entry.state {
        case .present(let metadata): sent = metadata
        case .skipped(let reason):
            account(.skipped(reason))
            return nil
        case .failed(let error):
            account(context.failure(error))
            return nil
        }
        let isOwn = entry.name.bytes.withUnsafeBytes { TemporaryName.isOwn($0) }
        // An honest sender leaves both out.
        if isOwn || entry.name.bytes.withUnsafeBytes({ worker.excludes($0, isDirectory: false) }) {
            account(.skipped(isOwn ? .temporary : .excluded))
            return nil
        }
        guard entry.kind == .file else {
            visitor.copySpecial(name, entry.kind, Metadata(sent), entry.text, in: node, worker)
            return nil
        }
        return compareFile(entry.name, name, Metadata(sent), entry.digest, entry.attributes, in: node)
    }

    /// - Parameter attributes: nil where they were not sent yet.
    private func compareFile(
        _ path: BytePath,
        _ name: EntryName,
        _ source: Metadata,
        _ sum: Digest?,
        _ attributes: [ExtendedAttribute]?,
        in node: DirectoryNode
    ) -> WantedFile? {
        var wanted = WantedFile(node: node, name: path, digest: sum)
        if !node.flags.contains(.fresh) {
            let verdict = visitor.compareFile(name, in: node, worker) { existing in
                wanted.replaces = existing
                return visitor.compareFile(
                    name,
                    source,
                    existing,
                    side(name, sum, attributes, in: node),
                    in: node,
                    worker
                )
            }
            switch verdict {
            case .finished: return nil
            case .attributesNeeded:
                // Attributes are never written through a second name: then all of it may have to be written again.
                wanted.attributesOnly = wanted.replaces.map { $0.linkCount == 1 } ?? true
                wanted.isUndecided = true
                return wanted
            case .copy(let existing, let changes):
                wanted.replaces = existing
                wanted.changes = changes
            }
        }
        if context.options.dryRun {
            visitor.copyFileDry(name, source, in: node, changes: wanted.changes, worker)
            return nil
        }
        guard source.linkCount > 1, let links = context.hardLinks else { return wanted }
        switch links.claim(source) {
        case .first:
            wanted.hardLink = source.identity
            return wanted
        case .pending: visitor.deferLink(name, source, in: node)
        case .published(let place): visitor.link(name, to: place, in: node, existing: wanted.replaces, tally: tally)
        }
        return nil
    }

    private func side(
        _ name: EntryName,
        _ sum: Digest?,
        _ attributes: [ExtendedAttribute]?,
        in node: DirectoryNode
    ) -> CopyVisitor.FileSource {
        CopyVisitor.FileSource(
            contentsEqual: { source in
                guard let sum else { return .success(false) }
                return self.visitor.content(of: name, in: node, is: sum, source.size, self.worker)
            },
            attributesEqual: {
                guard let attributes else { return nil }
                guard let file = try? node.target.openFile(name) else { return true }
                return (try? AttributeSource.sent(attributes).equals(file.raw, asRoot: self.context.host.isRoot))
                    ?? true
            },
            attributes: attributes.map { .sent($0) }
        )
    }

    // MARK: Files that were asked for

    func fail(_ wanted: WantedFile, _ outcome: Outcome) {
        visitor.settleFailed(wanted.hardLink)
        wanted.name.withEntryName {
            context.finish(outcome, .file, in: wanted.node, name: $0, tally: tally)
        }
        settle(wanted)
    }

    /// The file is done, or with the publisher.
    func settle(_ wanted: WantedFile) {
        release(wanted.node)
        receiver.queue.settleWanted()
    }

    private func receive(_ file: WireFile, _ wanted: WantedFile) {
        if context.control.shouldStop { return settle(wanted) }
        guard let wanted = decide(wanted, file) else { return }
        guard case .whole(let bytes, let sum) = file.content else { return settle(wanted) }
        guard bytes.withUnsafeBytes({ digest.digest(of: $0) }) == sum else { return fail(wanted, damaged(wanted)) }
        guard let assembly = begin(file, wanted) else { return }
        do throws(FileFault) {
            try assembly.fill(bytes)
        } catch {
            assembly.discard()
            return fail(wanted, context.failure(error, "could not write \(path(wanted))"))
        }
        publish(assembly, wanted, sum)
    }

    /// The attributes that were needed for a decision are there. Nil where the file is done.
    func decide(_ wanted: WantedFile, _ file: WireFile) -> WantedFile? {
        guard wanted.isUndecided else { return wanted }
        worker.stand(at: wanted.node)
        let decided = wanted.name.withEntryName {
            compareFile(wanted.name, $0, Metadata(file.metadata), wanted.digest, file.attributes, in: wanted.node)
        }
        guard let decided else {
            settle(wanted)
            return nil
        }
        if !wanted.attributesOnly { return decided }
        // Something else changed since; the sender does not keep what it sent.
        let error = SyncError(
            .sourceChanged,
            "\(path(wanted)) changed while it was compared",
            hint: "run the same command again"
        )
        fail(decided, .failed(error))
        return nil
    }

    func path(_ wanted: WantedFile) -> BytePath { wanted.node.path(of: wanted.name) }

    func damaged(_ wanted: WantedFile) -> Outcome {
        .failed(
            SyncError(
                .item,
                "\(path(wanted)) did not arrive as it was sent",
                why: "its digest differs",
                hint: "run the same command again; if it happens again, check the memory of both machines"
            )
        )
    }

    /// Whether a run that finds a part of the file can go on with it. What is built from an older version is built again.
    private func isResumable(_ file: WireFile, _ wanted: WantedFile) -> Bool {
        guard file.metadata.size >= PartialFile.fileBytesMin, !file.metadata.isSparse else { return false }
        switch file.content {
        case .pieces: return true
        case .delta: return wanted.partial != nil
        case .whole, .attributes: return false
        }
    }

    /// A file under the name that the next run looks for; nil where something else has that name.
    private func createResumable(_ wanted: WantedFile, _ temporary: inout BytePath?) throws(FileFault) -> OpenFile? {
        let name = PartialFile.name(of: wanted.name, run: context.run)
        do throws(FileFault) {
            let file = try withPatience(context.control) { () throws(FileFault) in
                try name.withEntryName { (name) throws(FileFault) in
                    try wanted.node.target.createFile(name, mode: 0o600)
                }
            }
            temporary = name
            return file
        } catch  where error.kind == .exists {
            return nil
        }
    }

    private func createTarget(
        for file: WireFile,
        _ wanted: WantedFile,
        mode: UInt32,
        _ temporary: inout BytePath?
    ) throws(FileFault) -> OpenFile {
        if isResumable(file, wanted) {
            let resumable = try createResumable(wanted, &temporary)
            if let resumable { return resumable }
        }
        return try visitor.createTarget(
            mode: mode,
            in: wanted.node,
            isNew: wanted.replaces == nil,
            &temporary,
            worker
        )
    }

    func begin(_ file: WireFile, _ wanted: WantedFile) -> FileAssembly? {
        let metadata = Metadata(file.metadata)
        let attributes = context.attributeRules.wanted(metadata, kind: .file)
        let inherits = context.inherits(wanted.node)
        var temporary: BytePath?
        do throws(FileFault) {
            try context.willChange()
            let mode = inherits ? 0o600 : attributes.permissions & 0o777
            let target = try createTarget(for: file, wanted, mode: mode, &temporary)
            let isKept = temporary?.bytes.withUnsafeBytes { TemporaryName.isPartial($0) } ?? false
            let keeper = isKept ? PartialKeeper(context: context, older: wanted.partial) : nil
            try FileAssembly.prepare(target, for: metadata)
            return FileAssembly(
                file,
                wanted: attributes,
                inherits: inherits,
                node: wanted.node,
                target: target,
                temporary: temporary,
                keeper: keeper,
                digest: context.options.digest ?? .xxh3
            )
        } catch {
            temporary?.withEntryName { try? wanted.node.target.removeFile($0) }
            fail(wanted, context.failure(error, "could not create a file for \(path(wanted))"))
            return nil
        }
    }

    func publish(_ assembly: FileAssembly, _ wanted: WantedFile, _ sum: Digest) {
        let temporary = assembly.temporary
        let target = assembly.detach()
        do throws(FileFault) {
            try visitor.finishAttributes(
                from: .sent(assembly.file.attributes),
                to: target,
                assembly.wanted,
                inherits: assembly.inherits,
                setsMode: assembly.keeper != nil,
                path: path(wanted)
            )
        } catch {
            temporary?.withEntryName { try? wanted.node.target.removeFile($0) }
            return fail(wanted, context.failure(error, "could not write \(path(wanted))"))
        }
        tally.bytesSeen.add(Int(assembly.metadata.size))
        visitor.publish(
            target,
            temporary: temporary,
            name: wanted.name,
            in: wanted.node,
            replaces: wanted.replaces,
            changes: wanted.changes,
            metadata: assembly.metadata,
            digest: context.options.digest == nil ? nil : sum,
            hardLink: wanted.hardLink,
            worker
        )
        wanted.partial?.remove(from: wanted.node.target)
        settle(wanted)
    }
}
