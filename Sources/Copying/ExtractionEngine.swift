internal import Archives
package import MediaModel
internal import Pacing
package import Running
package import Storage
internal import Synchronization

/// Extracts an archive of media into a media root, in parallel.
///
/// One thread decompresses and reads entries; workers make directories and files; the publisher's threads make them
/// durable and give them their names. A file that the target has is kept unless it is older, so that the same command
/// goes on where a run was killed. An archive that breaks in the middle leaves what was whole, and nothing half-written.
package final class ExtractionEngine: Engine {
    private let archivePath: BytePath
    private let targetPath: BytePath
    private let options: ExtractionOptions
    private let run: RunID
    private let host: Host
    private let control: RunControl
    private let sink: EventSink
    private let account = Account()
    private let publisher = Mutex<ExtractionPublisher?>(nil)
    private let input = Mutex<ArchiveInput?>(nil)

    /// - Parameter archive: `-` is standard input.
    package init(
        archive: BytePath,
        target: BytePath,
        options: ExtractionOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        archivePath = archive
        targetPath = target
        self.options = options
        self.run = run
        self.host = host
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { account.counts() }

    package func abandon() {
        publisher.withLock { $0 }?.abandon()
    }

    package func totalCounter() -> (any TotalCounter)? { nil }

    /// How far the archive is read; nothing where its length is not known.
    package func work() -> WorkProgress? {
        guard let input = input.withLock({ $0 }), let size = input.size else { return nil }
        return WorkProgress(done: min(input.bytesRead, size), total: size, unit: .bytes)
    }

    package func run() async -> RunResult {
        await runOnOwnThread(account, control) { () async throws(SyncError) in try await self.extract() }
    }

    private func extract() async throws(SyncError) {
        let input = try ArchiveInput(archivePath)
        self.input.withLock { $0 = input }
        let target = try TreePair.openTarget(targetPath, dryRun: options.dryRun)
        defer { target.directory.close() }
        try CopyEngine.lock(target.directory, targetPath, sink)
        let (marker, metadata) = try look(at: target.directory)
        let isComplete = try sweep(target.directory, marker)
        let durability = options.durability == .file ? DirectoryDurability(of: target.directory) : .none
        let bounds = Bounds(host: host, jobs: options.jobs, sharesCommits: durability == .journal)
        let context = ExtractionContext(
            options: options,
            run: run,
            host: host,
            control: control,
            account: account,
            sink: sink,
            root: target.directory,
            metadata: metadata,
            marker: marker,
            startsEmpty: try isEmpty(target.directory),
            directoriesKept: max(1, min(16, host.descriptorLimit / 16 / workers(bounds)))
        )
        sink(.stage("extract"))
        do throws(SyncError) {
            try await work(input, context, bounds, durability)
            try input.checkUnchanged()
        } catch {
            try? finish(target.directory, marker, isComplete: isComplete, durability)
            throw error
        }
        try finish(target.directory, marker, isComplete: isComplete, durability)
    }

    // MARK: Before

    private func look(at target: HeldDirectory) throws(SyncError) -> (RunMarker, Metadata?) {
        do throws(FileFault) {
            let marker = try RunMarker(in: target, run: run, isDurable: options.durability != .none)
            return (marker, target.isOpen ? try target.metadata() : nil)
        } catch {
            var problem = error.syncError("cannot read the target \(targetPath)")
            if problem.code == .item { problem.code = .unusable }
            throw problem
        }
    }

    /// Clears up after runs that died here: this run comes to the directories of its archive only.
    private func sweep(_ target: HeldDirectory, _ marker: RunMarker) throws(SyncError) -> Bool {
        if marker.deadRuns.isEmpty || options.dryRun { return true }
        do throws(FileFault) {
            return try TemporarySweep.run(target, Set(marker.deadRuns), control)
        } catch {
            throw error.syncError("cannot clear up after a run that died in \(targetPath)")
        }
    }

    /// Whether there is nothing that files of the archive could meet.
    private func isEmpty(_ target: HeldDirectory) throws(SyncError) -> Bool {
        guard target.isOpen else { return true }
        do throws(FileFault) {
            defer { try? target.rewind() }
            try target.rewind()
            let listing = ListingBuffer()
            while try target.list(into: listing) > 0 {
                var cursor = 0
                while let entry = listing.next(&cursor) {
                    let name = BytePath(name: entry.name)
                    let isOwn = name.bytes.withUnsafeBytes { TemporaryName.isOwn($0) }
                    if !isOwn && name != Self.lostAndFound { return false }
                }
            }
            return true
        } catch {
            throw error.syncError("cannot read the target \(targetPath)")
        }
    }

    /// What mke2fs puts into the root of a new file system.
    private static let lostAndFound = BytePath("lost+found")

    // MARK: The work

    /// What a thread comes back with.
    private enum Ended: Sendable {
        case worker
        case reader(SyncError?, [ExtractionReader.Link])
    }

    private func work(
        _ input: ArchiveInput,
        _ context: ExtractionContext,
        _ bounds: Bounds,
        _ durability: DirectoryDurability
    ) async throws(SyncError) {
        let isDurable = !options.dryRun && options.durability == .file
        let publisher =
            isDurable ? ExtractionPublisher(context: context, bounds, sharesCommits: durability == .journal) : nil
        self.publisher.withLock { $0 = publisher }
        let (failure, links) = await withTaskGroup(of: Void.self) { group in
            if let publisher { group.addTask { await publisher.run() } }
            let result = await read(input, context, publisher, threads: workers(bounds))
            publisher?.finish()
            return result
        }
        self.publisher.withLock { $0 = nil }
        if let failure { throw failure }
        let worker = ExtractionWorker(context: context, index: 9999, publisher: nil)
        for link in links where !control.shouldStop { worker.link(link.path, to: link.original) }
        worker.close()
    }

    /// Nothing is read from a disk here, and whoever makes directories in one directory waits for the others: eight workers on
    /// two processors took three times the processor time of two.
    private func workers(_ bounds: Bounds) -> Int {
        options.jobs == nil ? min(bounds.workersFirst, max(2, host.processors)) : bounds.workersFirst
    }

    /// Reads the archive on one thread while the workers take what it hands them.
    private func read(
        _ input: ArchiveInput,
        _ context: ExtractionContext,
        _ publisher: ExtractionPublisher?,
        threads: Int
    ) async -> (SyncError?, [ExtractionReader.Link]) {
        let pool = WorkerPool(threads: threads + 1)
        defer { pool.shutDown() }
        let workers = pool.started - 1
        guard workers > 0 else {
            return (SyncError(.exhausted, "no threads can be started", retry: .abortStage), [])
        }
        let queues = (0..<workers).map { _ in
            BoundedQueue<[ExtractionPiece]>(capacity: ExtractionLimits.batchesWaiting(workers: workers))
        }
        return await withTaskGroup(of: Ended.self) { group in
            for (index, queue) in queues.enumerated() {
                group.addTask(executorPreference: pool) {
                    let worker = ExtractionWorker(context: context, index: index, publisher: publisher)
                    while let batch = queue.take() {
                        for piece in batch where !context.control.shouldStop { worker.take(piece) }
                    }
                    worker.close()
                    return .worker
                }
            }
            group.addTask(executorPreference: pool) {
                defer { for queue in queues { queue.close() } }
                var reader: ExtractionReader?
                do throws(SyncError) {
                    let tar = try TarReader(try input.decompressed())
                    let opened = ExtractionReader(tar, context, queues: queues)
                    reader = opened
                    try opened.run()
                    return .reader(nil, opened.links)
                } catch { return .reader(error, reader?.links ?? []) }
            }
            var result: (SyncError?, [ExtractionReader.Link]) = (nil, [])
            for await ended in group {
                if case .reader(let failure, let links) = ended { result = (failure, links) }
            }
            return result
        }
    }

    // MARK: After

    /// Removes the marker and makes directories durable: the root's last change is behind all others.
    private func finish(
        _ target: HeldDirectory,
        _ marker: RunMarker,
        isComplete: Bool,
        _ durability: DirectoryDurability
    ) throws(SyncError) {
        guard target.isOpen, !options.dryRun else { return }
        let wasMarked = marker.groupOfNewFiles != nil
        _ = marker.remove(swept: isComplete && !control.shouldStop)
        guard wasMarked, options.durability != .none else { return }
        do throws(FileFault) {
            if durability == .journal { try target.synchronize() } else { try target.synchronizeFileSystem() }
        } catch {
            throw error.syncError("could not write the target \(targetPath) to the disk")
        }
    }
}
