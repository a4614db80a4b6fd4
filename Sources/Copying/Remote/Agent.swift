internal import Filtering
package import MediaModel
internal import Pacing
package import Running
package import Storage
internal import Synchronization
internal import Wire

/// The far end of a copy between machines: serves one hello on a pair of descriptors, within what its own command line
/// allows. A key that may only run `mediasync agent --read-only --root PATH` reaches nothing else.
package struct Agent: Sendable {
    /// What is allowed, whatever the other end asks for.
    package struct Limits: Sendable {
        /// Nothing is written.
        package var isReadOnly = false
        /// Nothing outside of it is touched.
        package var root: BytePath?

        package init() {}
    }

    let connection: WireConnection
    let input: StreamEnd
    let output: StreamEnd
    let limits: Limits
    private let host: Host
    private let control: RunControl

    package init(input: StreamEnd, output: StreamEnd, limits: Limits, host: Host, control: RunControl) {
        self.input = input
        self.output = output
        connection = WireConnection(input: input, output: output)
        self.limits = limits
        self.host = host
        self.control = control
    }

    /// Serves until the other end is done.
    /// - Returns: why it could not; the other end was told.
    package func serve() async -> SyncError? {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutDown() }
        var first: Message?
        var failure: SyncError?
        do throws(SyncError) {
            first = try await nextMessage(pool)
            // It may be somebody else who writes to a connection that is handed over.
            if case .join(let join)? = first {
                try await handOver(join, pool)
                return nil
            }
        } catch { failure = error }
        return await withTaskGroup(of: Void.self) { [first, failure] group in
            group.addTask(executorPreference: pool) { connection.write() }
            let problem = await withTaskExecutorPreference(pool) { () async -> SyncError? in
                do throws(SyncError) {
                    if let failure { throw failure }
                    try await answer(first)
                    return nil
                } catch {
                    connection.send(.failure(error))
                    return error
                }
            }
            connection.finish()
            return problem
        }
    }

    func nextMessage(_ pool: WorkerPool) async throws(SyncError) -> Message? {
        let read = await withTaskExecutorPreference(pool) { () async -> Result<Message?, SyncError> in
            do throws(SyncError) {
                return .success(try connection.reader.next(while: { !control.shouldStop }))
            } catch { return .failure(error) }
        }
        return try read.get()
    }

    private func handOver(_ join: WireJoin, _ pool: WorkerPool) async throws(SyncError) {
        let done = await withTaskExecutorPreference(pool) { () async -> Result<Void, SyncError> in
            do throws(SyncError) { return .success(try handOver(join)) } catch { return .failure(error) }
        }
        try done.get()
    }

    private func answer(_ first: Message?) async throws(SyncError) {
        guard let first else { return }
        guard case .hello(let hello) = first else {
            throw FrameReader.problem(WireFault("it does not begin with a hello"))
        }
        try checkVersion(hello.version)
        var options = try CopyOptions(hello.options)
        if hello.options.flags.contains(.filesFrom) { options.fileList = try fileList() }
        try await hosting(hello) { [options] (carriers) async throws(SyncError) in
            switch hello.role {
            case .send: try await send(hello, options, carriers)
            case .receive: try await receive(hello, options, carriers)
            }
        }
    }

    /// Paths of a list, those above them among them, that are kept in memory for somebody else.
    private static let listedMax = 4 << 20

    private func fileList() throws(SyncError) -> FileList {
        var bytes: [UInt8] = []
        while let message = try connection.reader.next(while: { !control.shouldStop }) {
            guard case .listed(let part, let isLast) = message else {
                throw FrameReader.problem(WireFault("a list of paths does not end"))
            }
            if bytes.count + part.count > WireLimit.listBytes {
                throw FrameReader.problem(WireFault("a list of paths is too long"))
            }
            bytes.append(contentsOf: part)
            if isLast { return try FileList(bytes, isNullSeparated: true, pathsMax: Self.listedMax) }
        }
        throw FrameReader.ended
    }

    private func send(_ hello: Hello, _ options: CopyOptions, _ carriers: CarrierHost?) async throws(SyncError) {
        let root = try open(hello.root)
        defer { root.close() }
        let sender = try TreeSender(
            root: root,
            options: options,
            run: hello.run,
            host: host,
            control: control,
            connection: connection,
            desk: carriers?.desk ?? CarrierDesk(carriersMax: 0),
            directories: hello.directories
        )
        connection.send(.welcome(welcome(carriers, source: TreeSender.facts(of: root))))
        let greeting = hello.session.map { _ in Greeting() }
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: pool) {
                do throws(SyncError) { try listen(for: sender, greeting) } catch { control.stop(error) }
                sender.close()
            }
            group.addTask {
                await sender.useCarriers { _, error in
                    control.stop(error)
                    connection.abandon()
                    sender.close()
                }
            }
            await sender.run()
            connection.finish()
        }
    }

    /// Hears what is wanted until the other end closes the connection.
    private func listen(for sender: TreeSender, _ greeting: Greeting?) throws(SyncError) {
        var greeting = greeting
        while let message = try connection.reader.next(while: { !control.shouldStop && !connection.isBroken }) {
            if case .greeted = message, let sent = greeting {
                connection.send(sent.answered)
                greeting = nil
                continue
            }
            do throws(WireFault) {
                if try sender.take(message) {
                    if case .done = message { return }
                    continue
                }
                throw WireFault("a message comes that nobody waits for")
            } catch { throw FrameReader.problem(error) }
        }
        throw SyncError(.interrupted, "the other end closed the connection")
    }

    private func receive(_ hello: Hello, _ options: CopyOptions, _ carriers: CarrierHost?) async throws(SyncError) {
        guard let facts = hello.source else {
            throw FrameReader.problem(WireFault("a hello does not tell about the source"))
        }
        if limits.isReadOnly, options.comparison == nil {
            throw SyncError(
                .refused,
                "this key may only read",
                why: "mediasync agent was started with --read-only",
                hint: "use another key to write there"
            )
        }
        if options.chown != nil, !host.isRoot { throw SyncError(.usage, "--chown needs root on the other machine") }
        let target = try confinedTarget(hello.root, options)
        defer { target.held?.close() }
        let connection = connection
        let engine = CopyEngine(
            source: BytePath("the other machine's source"),
            target: target.path,
            options: options,
            run: hello.run,
            host: host,
            control: control,
            sink: { event in
                switch event {
                case .stage(let name): connection.send(.stage(name))
                case .item(let item): connection.send(.item(item))
                case .notice(let notice): connection.send(.notice(notice))
                case .report: break
                }
            },
            origin: NearEnd(
                connection: connection,
                arrival: TreeArrival(facts, clock: hello.clock),
                desk: carriers?.desk ?? CarrierDesk(carriersMax: 0)
            )
        )
        connection.send(.welcome(welcome(carriers)))
        // Before anything else is begun that would seem to be the line's time.
        if hello.session != nil { try await awaitGreeting() }
        let result = await report(engine)
        // Whoever lost the connection has nothing more to say on it: then both ends know it by its end alone.
        if let error = result.error, FrameReader.isEnd(error) { return }
        connection.send(.finished(result.counts, result.error))
    }

    private func welcome(_ carriers: CarrierHost?, source: SourceFacts? = nil) -> Welcome {
        var welcome = Welcome(source: source)
        welcome.takesCarriers = carriers != nil
        welcome.clock = WireTime(Host.wallClock())
        welcome.directories = Bounds(host: host, jobs: nil).openTargets
        return welcome
    }

    /// How often the other end hears how far the work is.
    private static let reportNanoseconds: Int64 = 250_000_000

    private func report(_ engine: CopyEngine) async -> RunResult {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let isOver = Latch()
        return await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: pool) {
                while !isOver.wait(upTo: Self.reportNanoseconds) {
                    if engine.hasBegun { connection.send(.counts(engine.counts())) }
                    if connection.isBroken {
                        control.stop(SyncError(.interrupted, "the other end closed the connection"))
                    }
                }
            }
            let result = await engine.run()
            isOver.set()
            return result
        }
    }

    // MARK: Confinement

    private func open(_ path: BytePath) throws(SyncError) -> HeldDirectory {
        guard let root = limits.root else { return try TreePair.openSource(path) }
        let held = try TreePair.openSource(root)
        defer { held.close() }
        guard let rest = Self.path(path, below: root) else { throw Self.outside(path) }
        do throws(FileFault) {
            return try held.openDirectory(beneath: rest)
        } catch {
            throw SyncError(.unusable, "cannot open \(path)", why: error.reason, hint: "nothing was changed")
        }
    }

    /// The target as the engine opens it. A confined one must be there, and is held while its path is in use.
    private func confinedTarget(
        _ path: BytePath,
        _ options: CopyOptions
    ) throws(SyncError) -> (path: BytePath, held: HeldDirectory?) {
        guard limits.root != nil else { return (path, nil) }
        if options.backupDirectory != nil { throw Self.outside(path) }
        let held = try open(path)
        return (BytePath("/proc/self/fd/\(held.raw)"), held)
    }

    /// The path from a root to what is asked for; a relative one begins at the root. Nil where it leads elsewhere.
    static func path(_ path: BytePath, below root: BytePath) -> BytePath? {
        var components = path.components.filter { !$0.elementsEqual(".".utf8) }
        if path.bytes.first == UInt8(ascii: "/") {
            let above = root.components.filter { !$0.elementsEqual(".".utf8) }
            guard components.starts(with: above, by: { $0.elementsEqual($1) }) else { return nil }
            components.removeFirst(above.count)
        }
        if components.contains(where: { $0.elementsEqual("..".utf8) }) { return nil }
        return BytePath(bytes: Array(components.joined(separator: [UInt8(ascii: "/")])))
    }

    private static func outside(_ path: BytePath) -> SyncError {
        SyncError(
            .refused,
            "this key does not reach \(path)",
            why: "mediasync agent was started with --root",
            hint: "ask for a directory below that root"
        )
    }
}

/// A welcome that was just sent.
struct Greeting {
    private let sent = Host.monotonicNanoseconds()

    /// What the near end is told when its answer is here.
    var answered: Message {
        .roundTrip(microseconds: UInt32(clamping: (Host.monotonicNanoseconds() - sent) / 1000))
    }
}

/// Push, seen from the far end: the near end sends its tree.
struct NearEnd: TreeOrigin {
    let connection: WireConnection
    let arrival: TreeArrival
    let desk: CarrierDesk

    func connect(_ control: RunControl) throws(SyncError) -> TreeArrival { arrival }
    var totalCounter: (any TotalCounter)? { nil }
    func hear(_ message: Message) -> Bool { false }
    /// The near end counts them.
    var bytesTransferred: Int64 { 0 }
    func explain(_ error: SyncError) -> SyncError { error }
    func explain(_ error: SyncError, of carrier: WireConnection) -> SyncError { error }
    func serving(_ run: @Sendable () async -> RunResult) async -> RunResult { await run() }
}
