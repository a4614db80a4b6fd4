package import Filtering
package import MediaModel
internal import Pacing
internal import Programs
package import Running
internal import Storage
internal import Synchronization
package import Wire

/// `mediasync agent` on another machine, started through the user's own ssh, which knows its hosts, keys, agents and jump
/// hosts.
package final class FarEnd: Sendable {
    /// How to get there.
    package struct Way: Sendable {
        /// `ssh` and what it is told before the host.
        package var shell: [BytePath]
        /// mediasync's name there, as a shell takes it.
        package var program: String
        package var environment: [String: String]

        /// What a further connection is told besides, where it is OpenSSH's: it asks nobody, since the first one did, and
        /// goes over a connection of its own, since sharing one is what it is not for.
        private static let carrierWords = ["-o", "BatchMode=yes", "-o", "ControlPath=none"]

        /// ssh's buffers grow and shrink by megabytes with each packet. glibc's malloc gives such memory back to the kernel
        /// at once and asks for it again, which takes a third of ssh's time; up to this many bytes it keeps
        /// (mallopt(3); any other C library takes no notice).
        private static let allocation = ["MALLOC_MMAP_THRESHOLD_": "16777216", "MALLOC_TRIM_THRESHOLD_": "16777216"]

        /// - Parameter environment: the user's; what it says of the same names holds.
        package init(shell: [BytePath], program: String, environment: [String: String]) {
            self.shell = shell
            self.program = program
            self.environment = environment.merging(Self.allocation) { given, _ in given }
        }

        /// What starts the agent.
        func call(to place: RemotePlace, isCarrier: Bool = false) -> ProgramCall {
            var words = Array(shell.dropFirst())
            if isCarrier, shell[0].components.last.map({ $0.elementsEqual("ssh".utf8) }) == true {
                words += Self.carrierWords.map { BytePath($0) }
            }
            words += place.destination.map { BytePath($0) } + [BytePath("\(program) agent")]
            return ProgramCall(shell[0], words, environment: environment)
        }
    }

    let place: RemotePlace
    private let way: Way
    private let hello: Hello
    /// The list of paths that the copy is about.
    private let fileList: FileList?
    private let counter: FarCounter?
    private let first = FarProgram()
    let carriers: FarCarriers
    /// Of the run that it was started for.
    private let control = Mutex<RunControl?>(nil)
    /// It has answered: what ends the connection from here on is no mistake of the user's.
    private let isWelcome = Latch()

    /// - Parameters:
    ///   - counter: asks how many entries come; of a pull.
    ///   - connections: how many there are to be; nil for one.
    package init(
        _ place: RemotePlace,
        _ way: Way,
        _ hello: Hello,
        fileList: FileList?,
        counter: FarCounter? = nil,
        connections: FarConnections? = nil
    ) {
        self.place = place
        self.way = way
        self.hello = hello
        self.fileList = fileList
        self.counter = counter
        // Where nothing is copied there is nothing to carry.
        carriers = FarCarriers(hello.options.flags.isDisjoint(with: [.dryRun, .compare]) ? connections : nil)
    }

    package var connection: WireConnection {
        guard let connection = first.connection else { preconditionFailure("not connected") }
        return connection
    }

    package var bytesTransferred: Int64 { (first.connection?.bytes ?? 0) + carriers.desk.bytes }

    /// Starts the far end and says hello.
    package func start(_ control: RunControl) throws(SyncError) -> Welcome {
        self.control.withLock { $0 = control }
        let connection = try first.start(way.call(to: place))
        var hello = hello
        hello.clock = WireTime(Host.wallClock())
        hello.directories = Bounds(host: .current(), jobs: nil).openTargets
        hello.session = carriers.asked
        connection.send(.hello(hello))
        if let fileList { send(fileList, connection) }
        do throws(SyncError) {
            let welcome = try welcome(connection, control)
            if hello.session != nil { connection.send(.greeted) }
            counter?.reach(connection)
            if hello.session != nil { carriers.open(welcome.takesCarriers, beside: connection, to: place) }
            return welcome
        } catch {
            throw explain(error)
        }
    }

    private func send(_ list: FileList, _ connection: WireConnection) {
        let bytes = list.encoded()
        var start = 0
        repeat {
            let end = min(bytes.count, start + WireLimit.pieceBytes)
            connection.send(.listed(Array(bytes[start..<end]), isLast: end == bytes.count))
            start = end
        } while start < bytes.count
    }

    private func welcome(_ connection: WireConnection, _ control: RunControl) throws(SyncError) -> Welcome {
        let first = try connection.reader.next { !control.shouldStop }
        switch first {
        case .welcome(let welcome):
            if welcome.version == WireLimit.version {
                isWelcome.set()
                return welcome
            }
            throw SyncError(
                .unusable,
                "mediasync on \(place.host) speaks another version of the protocol (\(welcome.version))",
                hint: "install the same version on both machines, or have this one brought there: --bootstrap"
            )
        case .failure(let error): throw error
        case .some: throw FrameReader.problem(WireFault("it does not begin with a welcome"))
        case nil:
            throw control.stopReason
                ?? FrameReader.ended
        }
    }

    /// What ssh and the far end's status say about a connection that ended early.
    package func explain(_ error: SyncError) -> SyncError { explain(error, first) }

    /// The same about a carrier.
    package func explain(_ error: SyncError, of carrier: WireConnection) -> SyncError {
        explain(error, carriers.program(of: carrier) ?? first)
    }

    private func explain(_ error: SyncError, _ program: FarProgram) -> SyncError {
        guard FrameReader.isEnd(error), let (status, said) = program.lastWords() else { return error }
        let retry: SyncError.Retry = isWelcome.isSet ? .backOff : .never
        let host = BytePath.escaped(Array(place.host.utf8))
        switch status {
        case 126, 127:
            return SyncError(
                .unusable,
                "mediasync was not found on \(host)",
                why: said.isEmpty ? nil : said,
                hint:
                    "install it there, say where it is (--remote-path /path/to/mediasync), or have it brought: --bootstrap"
            )
        case 255:
            waitForInterruption()
            return Self.unreachable(host, said, retry: retry)
        default:
            return SyncError(
                error.code,
                error.what,
                why: said.isEmpty ? error.why : said,
                hint: error.hint,
                retry: retry
            )
        }
    }

    /// ssh is in this process's group: what interrupts the run from a terminal ends ssh as well, and that may be seen first.
    private func waitForInterruption() {
        let end = Host.monotonicNanoseconds() + Self.interruptionNanoseconds
        while control.withLock({ $0?.shouldStop }) == false, Host.monotonicNanoseconds() < end {
            Host.sleep(nanoseconds: 5_000_000)
        }
    }

    private static let interruptionNanoseconds: Int64 = 300_000_000

    /// - Parameters:
    ///   - host: as it is shown.
    ///   - said: what ssh said last.
    static func unreachable(_ host: String, _ said: String, retry: SyncError.Retry) -> SyncError {
        SyncError(
            .unusable,
            "cannot reach \(host) by ssh",
            why: said.isEmpty ? nil : said,
            hint: "try: ssh \(host) true. What is done is done: the same command goes on where it was",
            retry: retry
        )
    }

    /// Runs something that uses the connection, with threads that write to it and hear what ssh says; ends it afterwards.
    package func serving<Result: Sendable>(_ run: @Sendable () async -> Result) async -> Result {
        // One writes, one listens, one ends them both.
        let pool = WorkerPool(threads: 3 + carriers.threads)
        defer { pool.shutDown() }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: pool) { self.first.write() }
            group.addTask(executorPreference: pool) { self.first.listen() }
            carriers.addTasks(to: &group, on: pool, place) { self.way.call(to: self.place, isCarrier: true) }
            let result = await run()
            await withTaskExecutorPreference(pool) { self.end() }
            await group.waitForAll()
            first.close()
            carriers.close()
            return result
        }
    }

    /// Nothing more is said; the far end has a moment to end by itself.
    private func end() {
        carriers.finish()
        first.finish()
        let deadline = FarProgram.deadline()
        first.end(by: deadline)
        carriers.end(by: deadline)
    }

    /// A far end that does not answer is ended at once.
    package func abandon() {
        first.kill()
        carriers.kill()
    }
}

/// Pull: the far end sends its tree.
extension FarEnd: TreeOrigin {
    package func connect(_ control: RunControl) throws(SyncError) -> TreeArrival {
        let welcome = try start(control)
        guard let facts = welcome.source else {
            throw FrameReader.problem(WireFault("a welcome does not tell about the source"))
        }
        return TreeArrival(facts, clock: welcome.clock)
    }

    package var desk: CarrierDesk { carriers.desk }
    package var totalCounter: (any TotalCounter)? { counter }

    package func hear(_ message: Message) -> Bool {
        switch message {
        case .total(let total):
            guard let counter else { return false }
            counter.hear(Int(total))
            return true
        case .roundTrip(let microseconds): return carriers.hear(roundTrip: microseconds)
        default: return false
        }
    }
}

extension Hello {
    /// What a copy asks of the end that is not here.
    package init(
        _ role: Role,
        _ place: RemotePlace,
        _ options: CopyOptions,
        run: RunID,
        source: SourceFacts? = nil
    ) throws(SyncError) {
        self.init(role: role, root: place.path, run: run, options: try options.onWire(), source: source)
    }
}
