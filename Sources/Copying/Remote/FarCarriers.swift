internal import MediaModel
internal import Pacing
internal import Programs
internal import Storage
internal import Wire

/// The further connections of a run, seen from the near end: each is one more ssh, whose agent hands it over to the first
/// one's. They are made while the run goes on; what cannot be made is told, and the run has fewer. Where nobody has said how
/// many there are to be, they are made once the line has shown that it is long and that there is something to carry.
final class FarCarriers: Sendable {
    private struct State {
        /// How many more may be logging in.
        var free = FarCarriers.startsMax
        var isOpen: Bool?
        /// The connection that stands.
        var first: WireConnection?
        /// Microseconds that a frame takes there and back.
        var roundTrip: UInt32?
        var made = 0
        var outcomes = 0
        var problem: String?
    }

    /// Connections that log in at the same time: from ten on sshd refuses some by itself (MaxStartups).
    private static let startsMax = 4
    /// From here on one connection's window (2 MiB of ssh's) is less than what a gigabit carries meanwhile.
    private static let longMicroseconds: UInt32 = 20_000
    /// What is worth the logins, one window: a run that moves less ends about as soon without them, and from then on one connection
    /// waits for the line.
    private static let worthwhileBytes: Int64 = 2 << 20
    private static let lookNanoseconds: Int64 = 20_000_000

    let desk: CarrierDesk
    private let programs: [FarProgram]
    private let session: WireSession?
    private let connections: FarConnections?
    private let state = Monitor(State())

    /// - Parameter connections: nil for a run with one.
    init(_ connections: FarConnections?) {
        let count = connections?.count ?? 1
        self.connections = count > 1 ? connections : nil
        programs = (1..<max(count, 1)).map { _ in FarProgram() }
        desk = CarrierDesk(carriersMax: programs.count)
        let bytes = { (count: Int) in (0..<count).map { _ in UInt8.random(in: 0...255) } }
        session =
            count > 1
            ? WireSession(
                id: bytes(WireLimit.sessionIDBytes),
                secret: bytes(WireLimit.secretBytes),
                connections: UInt32(count)
            ) : nil
    }

    /// What the hello says of them.
    var asked: WireSession? { session }

    /// Threads that `addTasks` needs.
    var threads: Int { programs.count * 3 }

    /// The first connection stands, and its far end can or cannot be found by others.
    func open(_ takesCarriers: Bool, beside first: WireConnection, to place: RemotePlace) {
        state.withLock { state in
            state.isOpen = takesCarriers
            state.first = first
        }
        state.wakeAll()
        if !takesCarriers, let connections, !connections.isAutomatic {
            connections.tell(made: 1, to: place, why: "the far end cannot be joined")
        }
    }

    /// The far end knows how long the line is; false where nobody waits for it.
    func hear(roundTrip: UInt32) -> Bool {
        let isAwaited = state.withLock { state in
            guard session != nil, state.isOpen != nil, state.roundTrip == nil else { return false }
            state.roundTrip = roundTrip
            return true
        }
        state.wakeAll()
        return isAwaited
    }

    /// Makes them, and does their work.
    func addTasks(
        to group: inout TaskGroup<Void>,
        on pool: WorkerPool,
        _ place: RemotePlace,
        _ call: @escaping @Sendable () -> ProgramCall
    ) {
        for (index, program) in programs.enumerated() {
            group.addTask(executorPreference: pool) { program.write() }
            group.addTask(executorPreference: pool) { program.listen() }
            group.addTask(executorPreference: pool) {
                if self.mayStart(program) { self.start(program, UInt32(index + 1), place, call()) }
            }
        }
    }

    private func mayStart(_ program: FarProgram) -> Bool {
        if connections?.isAutomatic == true, !pays(program) { return false }
        return state.wait { state -> Bool? in
            if program.isOver || state.isOpen == false { return false }
            guard state.isOpen == true, state.free > 0 else { return nil }
            state.free -= 1
            return true
        }
    }

    /// Waits until further connections would pay; false where they will not.
    private func pays(_ program: FarProgram) -> Bool {
        let first = state.wait { state -> WireConnection?? in
            if program.isOver || state.isOpen == false { return .some(nil) }
            guard let first = state.first, let roundTrip = state.roundTrip else { return nil }
            return .some(roundTrip >= Self.longMicroseconds ? first : nil)
        }
        guard let first else { return false }
        while first.bytes < Self.worthwhileBytes {
            let end = Host.monotonicNanoseconds() + Self.lookNanoseconds
            if state.wait(until: end, { _ in program.isOver ? true : nil }) != nil { return false }
        }
        return true
    }

    private func start(_ program: FarProgram, _ number: UInt32, _ place: RemotePlace, _ call: ProgramCall) {
        var problem: String?
        do throws(SyncError) {
            try join(program, number, call)
        } catch {
            let words = FrameReader.isEnd(error) ? program.lastWords()?.said : nil
            problem = words.flatMap { $0.isEmpty ? nil : $0 } ?? "\(error.what)\(error.why.map { ": \($0)" } ?? "")"
            // Its writer ends, and so does ssh.
            program.finish()
            program.kill()
        }
        // One that came to its end with the run is no problem.
        if problem != nil, desk.isClosed { return }
        let told = state.withLock { state -> (Int, String)? in
            state.free += 1
            state.outcomes += 1
            if problem == nil { state.made += 1 }
            state.problem = state.problem ?? problem
            return state.outcomes == programs.count ? state.problem.map { (state.made + 1, $0) } : nil
        }
        state.wakeAll()
        if let (made, why) = told { connections?.tell(made: made, to: place, why: why) }
    }

    private func join(_ program: FarProgram, _ number: UInt32, _ call: ProgramCall) throws(SyncError) {
        guard let session else { return }
        let connection = try program.start(call)
        connection.send(.join(WireJoin(id: session.id, secret: session.secret, number: number)))
        switch try connection.reader.next(while: { !program.isOver }) {
        case .joined: if !desk.arrive(connection) { throw FrameReader.ended }
        case .failure(let error): throw error
        case .some: throw FrameReader.problem(WireFault("a further connection is not answered as one"))
        case nil: throw FrameReader.ended
        }
    }

    /// Why a carrier ended early, as far as its ssh knows.
    func program(of carrier: WireConnection) -> FarProgram? {
        programs.first { $0.connection === carrier }
    }

    /// No more are made, and nothing is said to those that are there.
    func finish() {
        desk.close()
        for program in programs { program.finish() }
        state.withLock { state in if state.isOpen == nil { state.isOpen = false } }
        state.wakeAll()
    }

    /// After `finish`: they have a moment to end by themselves.
    func end(by deadline: Int64) {
        for program in programs { program.end(by: deadline) }
    }

    /// They are ended at once.
    func kill() {
        for program in programs { program.kill() }
    }

    /// Nobody reads or writes any more.
    func close() {
        for program in programs { program.close() }
    }
}
