internal import MediaModel
internal import Pacing
internal import Programs
internal import Storage

/// One ssh and the agent that it runs over there: what is said to it, what it says, and what ssh says besides.
final class FarProgram: Sendable {
    private struct State {
        var program: PipedProgram?
        var connection: WireConnection?
        var lines: [String] = []
        /// Its error output has ended.
        var isHeard = false
        var isOver = false
    }

    /// How long the far end may take to end after it was told to.
    private static let patience = Duration.seconds(2)
    private static let hearingNanoseconds: Int64 = 1_000_000_000
    /// Last lines of ssh's own words that are kept for a message.
    private static let linesMax = 3

    private let state = Monitor(State())

    /// There once `start` was called.
    var connection: WireConnection? { state.withLock { $0.connection } }

    /// Starts it.
    /// - Throws: where it cannot be started, or is not wanted any more.
    func start(_ call: ProgramCall) throws(SyncError) -> WireConnection {
        let program = try PipedProgram(call)
        let connection = WireConnection(
            input: StreamEnd(raw: program.output),
            output: StreamEnd(raw: program.input)
        )
        let isOver = state.withLock { state in
            if !state.isOver {
                state.program = program
                state.connection = connection
            }
            return state.isOver
        }
        state.wakeAll()
        if isOver {
            program.end()
            throw FrameReader.ended
        }
        return connection
    }

    /// Writes what is sent to it until nothing more is. For one thread of our own.
    func write() {
        guard let (program, connection) = awaited() else { return }
        connection.write()
        program.closeInput()
    }

    /// Hears what ssh says. For one thread of our own.
    func listen() {
        awaited()?.0.listen { line in
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

    private func awaited() -> (PipedProgram, WireConnection)? {
        state.wait { state -> (PipedProgram, WireConnection)?? in
            if let program = state.program, let connection = state.connection { return .some((program, connection)) }
            return state.isOver ? .some(nil) : nil
        }
    }

    /// How it ended, where that says why a connection did: its status, and what ssh said last.
    func lastWords() -> (status: Int32, said: String)? {
        guard let program = state.withLock({ $0.program }),
            let status = program.exitCode(within: Self.patience), status != 0
        else { return nil }
        // What it said last may not be heard yet.
        let end = Host.monotonicNanoseconds() + Self.hearingNanoseconds
        _ = state.wait(until: end) { $0.isHeard ? true : nil }
        return (status, state.withLock { $0.lines }.joined(separator: "; "))
    }

    /// Nothing more is said to it.
    func finish() {
        state.withLock { state in
            state.isOver = true
            state.connection?.finish()
        }
        state.wakeAll()
    }

    /// Whether it is not wanted any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// After `finish`: it has a moment to end by itself.
    /// - Parameter deadline: monotonic nanoseconds.
    func end(by deadline: Int64) {
        guard let program = state.withLock({ $0.program }) else { return }
        let left = max(0, deadline - Host.monotonicNanoseconds())
        if program.exitCode(within: .nanoseconds(left)) == nil { program.kill() }
        connection?.abandon()
    }

    /// It is ended at once.
    func kill() { state.withLock { $0.program }?.kill() }

    /// Nobody reads or writes any more.
    func close() { state.withLock { $0.program }?.end() }

    /// When whoever is told now to end must have.
    static func deadline() -> Int64 { Host.monotonicNanoseconds() + Int64(patience.nanoseconds) }
}
