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
    private let root: HeldDirectory
    private let walk: ReadingWalk
    private let window: SendWindow
    private let connection: WireConnection
    private let control: RunControl
    private let readers: Int
    private let nextTransfer = Atomic<UInt32>(0)

    init(
        root: HeldDirectory,
        options: CopyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        connection: WireConnection
    ) throws(SyncError) {
        self.root = root
        self.connection = connection
        self.control = control
        window = SendWindow()
        readers = Bounds(host: host, jobs: options.jobs).workersFirst
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
    }

    /// What guards of the other end want to know.
    static func facts(of root: HeldDirectory) -> SourceFacts {
        Guards(source: root, sourcePath: .root, target: .none).facts()
    }

    /// Sends until the other end has all it wanted, or `close`.
    func run() async {
        let pool = WorkerPool(threads: readers)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<pool.started {
                group.addTask(executorPreference: pool) { self.serve() }
            }
            let visitor = SendVisitor(context: walk.context, window: window, connection: connection)
            await walk.run(visitor)
            // The root is held by the walk's owner.
            if !control.shouldStop { visitor.finish(walk.root, worker: visitor.makeWorker(index: 9999)) }
            connection.send(.treeEnd)
        }
        pool.shutDown()
        connection.send(.bye)
    }

    /// Takes what the other end says; false where it is nothing that a sender is told.
    func take(_ message: Message) throws(WireFault) -> Bool {
        switch message {
        case .want(let want): try window.answer(want)
        case .closed(let count): try window.close(directories: count)
        case .done: window.close()
        default: return try window.takeDelta(message)
        }
        return true
    }

    /// The other end is gone.
    func close() {
        window.close()
    }

    // MARK: Files

    /// How often a file that changes while it is read is tried.
    private static let triesMax = 2

    private func serve() {
        let reader = FileSender(context: walk.context, root: root, window: window, connection: connection)
        while let request = window.takeRequest() {
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
    let connection: WireConnection
    let digest: StreamingDigest
    private let buffer: UnsafeMutableRawBufferPointer

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
        let path = { request.batch.node.path().appending(name) }
        do throws(FileFault) {
            let file = try open(name, in: request.batch.node)
            var metadata = try file.metadata()
            if CopyContext.settle(metadata) { metadata = try file.metadata() }
            guard metadata.kind == .file else { return giveUp(request, changed(path()), isLast) }
            let attributes =
                context.options.extendedAttributes
                ? try ExtendedAttributes.read(from: file.raw, asRoot: context.host.isRoot) : []
            if attributes.isBeyondWire {
                return giveUp(request, SyncError(.item, "\(path()) has too many extended attributes to be sent"), true)
            }
            let message = { (content: WireFile.Content) -> Message in
                .file(
                    WireFile(
                        reference: request.reference,
                        metadata: WireMetadata(metadata),
                        attributes: attributes,
                        content: content
                    )
                )
            }
            if request.attributesOnly {
                connection.send(message(.attributes))
                return true
            }
            if let signature = request.signature {
                if metadata.size > 0 {
                    connection.send(message(.delta(transfer: transfer)))
                    return sendDelta(of: file.raw, metadata, signature, request, transfer, isLast: isLast, path)
                }
                window.forgetDelta(request.reference)
            }
            if metadata.size <= Int64(WireLimit.wholeFileBytes) {
                guard let (bytes, sum) = try readWhole(file, metadata) else {
                    return giveUp(request, changed(path()), isLast)
                }
                connection.send(message(.whole(bytes, sum)))
                return true
            }
            connection.send(message(.pieces(transfer: transfer)))
            return sendPieces(of: file, metadata, transfer, isLast, path)
        } catch {
            // A link where a file was listed.
            if error.kind == .wrongKind { return giveUp(request, changed(path()), isLast) }
            return giveUp(request, failure(error, path()), true)
        }
    }

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
        let path = node.path().appending(name)
        if path.bytes.count < WireLimit.pathBytes {
            return try path.withEntryName { (path) throws(FileFault) in try root.openFile(beneath: path) }
        }
        let directory = try reopen(node, from: root, context.control)
        defer { directory.close() }
        return try name.withEntryName { (name) throws(FileFault) in try directory.openFile(name) }
    }

    /// Nil where it changed.
    private func readWhole(
        _ file: borrowing OpenFile,
        _ metadata: Metadata
    ) throws(FileFault) -> ([UInt8], Digest)? {
        let size = Int(metadata.size)
        context.limiter?.spend(size, control: context.control)
        // One more byte than there should be, so that growth shows.
        let count = try file.readFully(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<(size + 1)]), at: 0)
        guard count == size, try file.metadata().sameVersion(as: metadata) else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<size])
        return (Array(bytes), digest.digest(of: bytes))
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
            if let sum = try readPieces(of: file, metadata, transfer) {
                end = .whole(sum)
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
        _ transfer: UInt32
    ) throws(FileFault) -> Digest? {
        digest.reset()
        var done: Int64 = 0
        while done < metadata.size {
            if context.control.shouldStop { return nil }
            let wanted = Int(min(metadata.size - done, Int64(buffer.count)))
            context.limiter?.spend(wanted, control: context.control)
            let count = try file.readFully(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: done)
            if count != wanted { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            digest.update(bytes)
            connection.send(.piece(transfer: transfer, Array(bytes)))
            done += Int64(count)
        }
        guard try file.metadata().sameVersion(as: metadata) else { return nil }
        return digest.finish()
    }
}
