internal import CLinux
internal import Glibc
package import MediaModel
internal import Synchronization

/// A program that is talked to: both ends of its standard input and output are pipes of ours. It stays in this process's
/// group, so that it can ask at the terminal (ssh asks for passwords there). Whoever starts it calls `end`.
package final class PipedProgram: Sendable {
    private struct State {
        var input: Int32
        var exitStatus: Int32?
        var isEnded = false
    }

    package let process: Int32
    /// What it writes; open until `end`.
    package let output: Int32
    /// What it says on its error output; open until `end`.
    private let errors: Int32
    private let state: Mutex<State>

    /// - Parameter call: its environment is all the program gets.
    package init(_ call: ProgramCall) throws(SyncError) {
        var pipes: [[Int32]] = []
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            let result = mds_pipe(&ends)
            if result < 0 {
                pipes.joined().forEach { _ = close($0) }
                throw SyncError(.exhausted, "cannot start \(call.path)", why: String(cString: strerror(-result)))
            }
            pipes.append(ends)
        }
        // What the user's shell has opened for it (`-F <(...)`) is left to it; of ours it inherits nothing.
        let (result, process) = call.start(
            [pipes[0][0], pipes[1][1], pipes[2][1]],
            inOwnGroup: false,
            closingOthers: false
        )
        for end in [pipes[0][0], pipes[1][1], pipes[2][1]] { _ = close(end) }
        guard result == 0 else {
            for end in [pipes[0][1], pipes[1][0], pipes[2][0]] { _ = close(end) }
            throw SyncError(.configuration, "cannot start \(call.path)", why: String(cString: strerror(result)))
        }
        self.process = process
        output = pipes[1][0]
        errors = pipes[2][0]
        state = Mutex(State(input: pipes[0][1]))
    }

    deinit {
        end()
    }

    /// What it reads; -1 after `closeInput`.
    package var input: Int32 { state.withLock { $0.input } }

    /// It gets to the end of its input. Nobody may be writing to it.
    package func closeInput() {
        state.withLock { state in
            if state.input >= 0 { _ = close(state.input) }
            state.input = -1
        }
    }

    /// Hears what it says on its error output, line by line, until it closes it.
    package func listen(line: ([UInt8]) -> Void) {
        var cutter = LineCutter()
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(errors, &buffer, buffer.count)
            if count > 0 {
                cutter.take(buffer[..<count], line: line)
            } else if count == 0 || errno != EINTR {
                return cutter.finish(line: line)
            }
        }
    }

    /// How it ended, once it has; waits a while for that. Nil while it runs, -1 where a signal ended it.
    package func exitCode(within patience: Duration) -> Int32? {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while true {
            if let status = collect() { return status & 0x7F == 0 ? (status >> 8) & 0xFF : -1 }
            if clock.now >= deadline { return nil }
            _ = poll(nil, 0, 10)
        }
    }

    private func collect() -> Int32? {
        state.withLock { state in
            if state.exitStatus != nil { return state.exitStatus }
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process { state.exitStatus = status }
            return state.exitStatus
        }
    }

    /// Ends it if it still runs: whoever reads from it or writes to it gets to the end.
    package func kill() {
        if collect() == nil { _ = Glibc.kill(process, SIGTERM) }
        if exitCode(within: .seconds(1)) == nil { _ = Glibc.kill(process, SIGKILL) }
        while collect() == nil { _ = poll(nil, 0, 10) }
    }

    /// Ends it and closes what is ours. Nobody may be reading or writing any more.
    package func end() {
        let isFirst = state.withLock { state in
            defer { state.isEnded = true }
            return !state.isEnded
        }
        guard isFirst else { return }
        kill()
        closeInput()
        _ = close(output)
        _ = close(errors)
    }
}
