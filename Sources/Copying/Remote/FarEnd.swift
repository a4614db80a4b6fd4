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

        package init(shell: [BytePath], program: String, environment: [String: String]) {
            self.shell = shell
            self.program = program
            self.environment = environment
        }
    }

    private struct State {
        var program: PipedProgram?
        var connection: WireConnection?
        var lines: [String] = []
        /// It has answered: what ends the connection from here on is no mistake of the user's.
        var isWelcome = false
        /// Its error output has ended.
        var isHeard = false
        var isOver = false
    }

    /// How long the far end may take to end after it was told to.
    private static let patience = Duration.seconds(2)
    private static let hearingNanoseconds: Int64 = 1_000_000_000
    /// Last lines of ssh's own words that are kept for a message.
    private static let linesMax = 3

    let place: RemotePlace
    private let way: Way
    private let hello: Hello
    /// The list of paths that the copy is about.
    private let fileList: FileList?
    private let counter: FarCounter?
    private let state = Monitor(State())

    /// - Parameter counter: asks how many entries come; of a pull.
    package init(_ place: RemotePlace, _ way: Way, _ hello: Hello, fileList: FileList?, counter: FarCounter? = nil) {
        self.place = place
        self.way = way
        self.hello = hello
        self.fileList = fileList
        self.counter = counter
    }

    package var connection: WireConnection {
        guard let connection = state.withLock({ $0.connection }) else { preconditionFailure("not connected") }
        return connection
    }

    package var bytesTransferred: Int64 { state.withLock { $0.connection }?.bytes ?? 0 }

    /// Starts the far end and says hello.
    package func start(_ control: RunControl) throws(SyncError) -> Welcome {
        let command =
            way.shell.dropFirst() + place.destination.map { BytePath($0) } + [BytePath("\(way.program) agent")]
        let program = try PipedProgram(ProgramCall(way.shell[0], Array(command), environment: way.environment))
        let connection = WireConnection(
            input: StreamEnd(raw: program.output),
            output: StreamEnd(raw: program.input)
        )
        state.withLock {
            $0.program = program
            $0.connection = connection
        }
        state.wakeAll()
        var hello = hello
        hello.clock = WireTime(Host.wallClock())
        hello.directories = Bounds(host: .current(), jobs: nil).openTargets
        connection.send(.hello(hello))
        if let fileList { send(fileList, connection) }
        do throws(SyncError) {
            let welcome = try welcome(connection, control)
            counter?.reach(connection)
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
                state.withLock { $0.isWelcome = true }
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
    package func explain(_ error: SyncError) -> SyncError {
        guard FrameReader.isEnd(error), let program = state.withLock({ $0.program }),
            let status = program.exitCode(within: Self.patience), status != 0
        else { return error }
        let retry: SyncError.Retry = state.withLock { $0.isWelcome } ? .backOff : .never
        // What it said last may not be heard yet.
        let end = Host.monotonicNanoseconds() + Self.hearingNanoseconds
        _ = state.wait(until: end) { $0.isHeard ? true : nil }
        let said = state.withLock { $0.lines }.joined(separator: "; ")
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
        let pool = WorkerPool(threads: 3)
        defer { pool.shutDown() }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: pool) { self.write() }
            group.addTask(executorPreference: pool) { self.listen() }
            let result = await run()
            await withTaskExecutorPreference(pool) { self.end() }
            await group.waitForAll()
            state.withLock { $0.program }?.end()
            return result
        }
    }

    private func write() {
        let pair = state.wait { state -> (WireConnection, PipedProgram)?? in
            if let connection = state.connection, let program = state.program { return .some((connection, program)) }
            return state.isOver ? .some(nil) : nil
        }
        guard let (connection, program) = pair else { return }
        connection.write()
        program.closeInput()
    }

    private func listen() {
        let program = state.wait { state -> PipedProgram?? in
            if let program = state.program { return .some(program) }
            return state.isOver ? .some(nil) : nil
        }
        program?.listen { line in
            // ssh ends its lines for a terminal.
            let text = BytePath.escaped(line.last == 0x0D ? Array(line.dropLast()) : line)
            state.withLock {
                if $0.lines.count == Self.linesMax { $0.lines.removeFirst() }
                $0.lines.append(text)
            }
        }
        state.withLock { $0.isHeard = true }
        state.wakeAll()
    }

    /// Nothing more is said; the far end has a moment to end by itself.
    private func end() {
        let program = state.withLock { state -> PipedProgram? in
            state.isOver = true
            state.connection?.finish()
            return state.program
        }
        state.wakeAll()
        guard let program else { return }
        if program.exitCode(within: Self.patience) == nil { program.kill() }
        state.withLock { $0.connection }?.abandon()
    }

    /// A far end that does not answer is ended at once.
    package func abandon() {
        state.withLock { $0.program }?.kill()
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

    package var totalCounter: (any TotalCounter)? { counter }
    package func hear(total: Int) { counter?.hear(total) }
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
