internal import Archives
internal import Checksums
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization
internal import Wire

/// Sends one tree: walks it, names what is there, and reads the files that the other end wants. Walking, reading and the
/// other end's work go on at the same time; nothing waits for an answer to one file.
final class TreeSender: Sendable {
    let root: HeldDirectory
    let walk: ReadingWalk
    let window: SendWindow
    let connection: WireConnection
    let control: RunControl
    /// Further connections, when they come.
    private let desk: CarrierDesk
    private let connections: SendingConnections
    private let host: Host
    private let options: CopyOptions
    private let readers: Int
    private let nextTransfer = Atomic<UInt32>(0)
    private let queue: WalkQueue
    private let summaries: SummaryDesk
    /// Who counts the entries ahead, once the receiver has asked.
    private let counter = Monitor(CounterState())

    private struct CounterState {
        var isAsked = false
        var isClosed = false
        var counter: EntryCounter?
    }

    /// Directories between a root and a file, with some to spare: Mastodon's are ten.
    private static let chainLength = 12

    /// - Parameters:
    ///   - desk: where further connections come.
    ///   - directories: as many as the receiver can hold open.
    init(
        root: HeldDirectory,
        options: CopyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        connection: WireConnection,
        desk: CarrierDesk,
        directories: UInt32
    ) throws(SyncError) {
        self.desk = desk
        connections = SendingConnections(connection)
        self.root = root
        self.connection = connection
        self.control = control
        self.host = host
        window = SendWindow(directories: directories)
        var options = options
        // Each thread that walks leaves a chain of directories open at the receiver.
        if directories < WireLimit.openDirectories {
            options.jobs = min(
                options.jobs ?? .max,
                Bounds(host: host, jobs: options.jobs).workersFirst,
                max(1, Int(directories) / Self.chainLength)
            )
        }
        self.options = options
        let bounds = Bounds(host: host, jobs: options.jobs)
        readers = bounds.workersFirst
        summaries = SummaryDesk(directories: bounds.openPairs / 2)
        do throws(FileFault) {
            walk = try ReadingWalk(
                source: root,
                options: options,
                run: run,
                host: host,
                control: control,
                account: Account(),
                sink: { _ in }
            )
        } catch {
            throw error.syncError("cannot look at the source")
        }
        // More come while the processors idle and the other end keeps up.
        queue = walk.makeQueue(first: options.jobs == nil ? min(bounds.workersFirst, max(2, host.processors)) : nil)
    }

    /// What guards of the other end want to know.
    static func facts(of root: HeldDirectory) -> SourceFacts {
        Guards(source: root, sourcePath: .root, target: .none).facts()
    }

    /// Sends until the other end has all it wanted, or `close`.
    func run() async {
        let pool = WorkerPool(threads: readers)
        let counting = WorkerPool(threads: 1)
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: counting) { await self.countAhead() }
            for _ in 0..<pool.started {
                group.addTask(executorPreference: pool) { self.serve() }
            }
            let visitor = SendVisitor(
                context: walk.context,
                window: window,
                summaries: summaries,
                queue: queue,
                connection: connection,
                connections: connections
            )
            await walk.run(visitor, queue: queue) {
                self.window.isHalfFull || self.connections.areBehind
            }
            // The root is held by the walk's owner.
            if !control.shouldStop {
                let worker = visitor.makeWorker(index: 9999)
                visitor.finish(walk.root, worker: worker)
                visitor.handOver(worker: worker)
            }
            connection.send(.treeEnd)
        }
        pool.shutDown()
        counting.shutDown()
        connection.send(.bye)
    }

    /// Has files go by the further connections that come, and watches them: nothing is said on them from over there.
    /// - Parameter lost: one of them has ended before the run did, or the other end said something by it.
    func useCarriers(_ lost: @escaping @Sendable (WireConnection, SyncError) -> Void) async {
        guard desk.carriersMax > 0 else { return }
        let pool = WorkerPool(threads: desk.carriersMax)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<pool.started {
                group.addTask(executorPreference: pool) {
                    while let carrier = self.desk.next() {
                        self.connections.add(carrier)
                        if let error = self.watch(carrier) { lost(carrier, error) }
                    }
                }
            }
        }
        pool.shutDown()
    }

    /// Why a carrier ended before the run did.
    private func watch(_ carrier: WireConnection) -> SyncError? {
        do throws(SyncError) {
            let message = try carrier.reader.next { !self.window.isClosed && !carrier.isBroken }
            if window.isClosed { return nil }
            if message == nil { return FrameReader.ended }
            return FrameReader.problem(WireFault("a message comes that nobody waits for"))
        } catch { return window.isClosed ? nil : error }
    }

    /// Takes what the other end says; false where it is nothing that a sender is told.
    func take(_ message: Message) throws(WireFault) -> Bool {
        switch message {
        case .want(let want): try window.answer(want)
        case .closed(let count): try window.close(directories: count)
        case .bundles: window.takeBundles()
        case .summarize(let terms): summaries.ask(terms)
        case .summaryAnswer(let id, let isSame): queue.comeBack(try summaries.answer(id, isSame: isSame))
        case .ask(let ask): try window.ask(.names(ask))
        case .askEntry(let ask): try window.ask(.entry(ask))
        case .count:
            counter.withLock { $0.isAsked = true }
            counter.wakeAll()
        case .done: close()
        default: return try window.takeDelta(message)
        }
        return true
    }

    /// The other end has all, or is gone.
    func close() {
        window.close()
        summaries.close()
        // What is away does not come back.
        queue.abandon()
        desk.close()
        counter.withLock {
            $0.isClosed = true
            $0.counter?.stop()
        }
        counter.wakeAll()
    }

    /// Counts the entries where the receiver has asked how many come, once.
    private func countAhead() async {
        let counter = self.counter.wait { state -> EntryCounter?? in
            if state.isClosed { return .some(nil) }
            guard state.isAsked else { return nil }
            let counter = EntryCounter(root: BytePath("/proc/self/fd/\(root.raw)"), options: options, host: host)
            state.counter = counter
            return counter
        }
        guard let counter else { return }
        await counter.run()
        if let total = counter.total { connection.send(.total(Int64(total))) }
    }

    // MARK: Files

    /// How often a file that changes while it is read is tried.
    private static let triesMax = 2

    private func serve() {
        let reader = FileSender(context: walk.context, root: root, window: window, connection: connection)
        while let work = window.takeRequest() {
            let request: FileRequest
            switch work {
            case .file(let wanted): request = wanted
            case .names(let ask):
                window.settleQuestion()
                connection.send(.answer(AskAnswer(id: ask.id, areGone: areGone(ask.names))))
                continue
            case .entry(let ask):
                window.settleQuestion()
                sendEntry(ask)
                continue
            }
            reader.connection = connections.next()
            for attempt in 1...Self.triesMax where !control.shouldStop {
                let number = nextTransfer.wrappingAdd(1, ordering: .relaxed).oldValue
                // What changes under our eyes comes whole the second time.
                let asked = attempt == 1 ? request : request.whole
                if reader.send(asked, transfer: number, isLast: attempt == Self.triesMax) { break }
            }
        }
    }
}

/// Reads wanted files for one thread, one after the other.
final class FileSender {
    let context: CopyContext
    private let root: HeldDirectory
    let window: SendWindow
    /// By which the file at hand goes, all of it.
    var connection: WireConnection
    let digest: StreamingDigest
    private let buffer: UnsafeMutableRawBufferPointer
    private let packer = BlockPacker()
    private var policy = PackingPolicy()

    init(context: CopyContext, root: HeldDirectory, window: SendWindow, connection: WireConnection) {
        self.context = context
        self.root = root
        self.window = window
        self.connection = connection
        digest = StreamingDigest(context.options.digest ?? .xxh3)
        buffer = .allocate(byteCount: WireLimit.pieceBytes, alignment: 4096)
    }

    deinit {
        buffer.deallocate()
    }

    /// Sends one file. False where it changed while it was read and should be tried again.
    func send(_ request: FileRequest, transfer: UInt32, isLast: Bool) -> Bool {
        let name = request.batch.names[Int(request.reference.index)]
        let path = { request.batch.node.path(of: name) }
        do throws(FileFault) {
            let source = try open(name, in: request.batch.node)
            var metadata = try source.metadata()
            if CopyContext.settle(metadata) { metadata = try source.metadata() }
            guard metadata.kind == .file else { return giveUp(request, changed(path()), isLast) }
            let attributes =
                context.options.extendedAttributes
                ? try ExtendedAttributes.read(from: source.raw, asRoot: context.host.isRoot) : []
            if attributes.isBeyondWire {
                return giveUp(request, SyncError(.item, "\(path()) has too many extended attributes to be sent"), true)
            }
            let file = { (content: WireFile.Content) -> WireFile in
                WireFile(
                    reference: request.reference,
                    metadata: WireMetadata(metadata),
                    attributes: attributes,
                    content: content
                )
            }
            let message = { (content: WireFile.Content) -> Message in .file(file(content)) }
            if request.attributesOnly {
                connection.send(message(.attributes))
                return true
            }
            if let signature = request.signature {
                if metadata.size > 0 {
                    connection.send(message(.delta(transfer: transfer)))
                    return sendDelta(of: source.raw, metadata, signature, request, transfer, isLast: isLast, path)
                }
                window.forgetDelta(request.reference)
            }
            if metadata.size <= Int64(WireLimit.wholeFileBytes) {
                guard let frame = try frame(of: source, file(.attributes), metadata) else {
                    return giveUp(request, changed(path()), isLast)
                }
                send(frame: frame, PackingPolicy.Ending(of: name.bytes))
                return true
            }
            connection.send(message(.pieces(transfer: transfer)))
            return sendPieces(of: source, metadata, transfer, isLast, path)
        } catch {
            // A link where a file was listed.
            if error.kind == .wrongKind { return giveUp(request, changed(path()), isLast) }
            return giveUp(request, failure(error, path()), true)
        }
    }

    /// Sends bytes of a file, packed where that makes them fewer.
    func send(_ message: Message, _ ending: PackingPolicy.Ending) { send(frame: message.encoded(), ending) }

    private func send(frame: [UInt8], _ ending: PackingPolicy.Ending) {
        guard frame.count >= Self.packedMin, frame.count <= WireLimit.packedBytes, policy.isWorthTrying(ending) else {
            return connection.send(frame: frame)
        }
        let packed = frame.withUnsafeBytes { packer.pack($0) }
        policy.learn(ending, isSmaller: packed != nil)
        guard let packed else { return connection.send(frame: frame) }
        connection.send(.packed(bytes: frame.count, packed))
    }

    private static let packedMin = 1024

    private func giveUp(_ request: FileRequest, _ error: SyncError, _ isLast: Bool) -> Bool {
        if request.signature != nil { window.forgetDelta(request.reference) }
        if isLast { connection.send(.fileFailed(request.reference, error)) }
        return isLast
    }

    func failure(_ fault: FileFault, _ path: BytePath) -> SyncError {
        var error = fault.syncError("could not read \(path)")
        if fault.kind == .missing {
            error.code = .sourceVanished
            error.hint = "it went away after it was listed: run the same command again"
        }
        return error
    }

    func changed(_ path: BytePath) -> SyncError {
        SyncError(
            .sourceChanged,
            "\(path) changed while it was read",
            why: "twice; nothing was written under its name",
            hint: "run the same command again when the source is quiet"
        )
    }

    /// In one call where the way is short enough, else step by step; through no link in either case.
    private func open(_ name: BytePath, in node: DirectoryNode) throws(FileFault) -> OpenFile {
        let path = node.path(of: name)
        if path.bytes.count < WireLimit.pathBytes {
            return try path.withEntryName { (path) throws(FileFault) in try root.openFile(beneath: path) }
        }
        let directory = try reopen(node, from: root, context.control)
        defer { directory.close() }
        return try name.withEntryName { (name) throws(FileFault) in try directory.openFile(name) }
    }

    /// The frame with all of a file; nil where it changed.
    private func frame(
        of source: borrowing OpenFile,
        _ file: WireFile,
        _ metadata: Metadata
    ) throws(FileFault) -> [UInt8]? {
        let size = Int(metadata.size)
        context.limiter?.spend(size, control: context.control)
        let raw = source.raw
        var fault: FileFault?
        let frame = WireWriter.frame(of: file, bytes: size) { room in
            do throws(FileFault) {
                // One more byte than there should be, so that growth shows.
                guard try OpenFile.read(descriptor: raw, into: room, at: 0) == size else { return nil }
                return digest.digest(of: UnsafeRawBufferPointer(rebasing: room[..<size]))
            } catch {
                fault = error
                return nil
            }
        }
        if let fault { throw fault }
        return try source.metadata().sameVersion(as: metadata) ? frame : nil
    }

    private func sendPieces(
        of file: borrowing OpenFile,
        _ metadata: Metadata,
        _ transfer: UInt32,
        _ isLast: Bool,
        _ path: () -> BytePath
    ) -> Bool {
        let end: FileEnd
        do throws(FileFault) {
            if let sum = try readPieces(of: file, metadata, transfer, path) {
                end = .whole(sum)
            } else if context.control.shouldStop {
                // What is there of it is good: the other end keeps it.
                return true
            } else {
                end = isLast ? .failed(changed(path())) : .again
            }
        } catch {
            end = .failed(failure(error, path()))
        }
        connection.send(.fileEnd(transfer: transfer, end))
        return end != .again
    }

    private func readPieces(
        of file: borrowing OpenFile,
        _ metadata: Metadata,
        _ transfer: UInt32,
        _ path: () -> BytePath
    ) throws(FileFault) -> Digest? {
        digest.reset()
        let ending = PackingPolicy.Ending(of: path().bytes)
        var done: Int64 = 0
        while done < metadata.size {
            if context.control.shouldStop { return nil }
            let wanted = Int(min(metadata.size - done, Int64(buffer.count)))
            context.limiter?.spend(wanted, control: context.control)
            let count = try file.readFully(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: done)
            if count != wanted { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            digest.update(bytes)
            send(.piece(transfer: transfer, Array(bytes)), ending)
            done += Int64(count)
        }
        guard try file.metadata().sameVersion(as: metadata) else { return nil }
        return digest.finish()
    }
}
