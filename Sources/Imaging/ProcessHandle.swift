internal import CLinux
internal import Glibc
internal import MediaModel
internal import Programs
internal import Synchronization

/// A child process that can be killed from any thread and is waited for once.
final class ProcessHandle: Sendable {
    private struct State {
        /// Nil once it was waited for: the number may be another process's then.
        var process: pid_t?
        var exitStatus: Int32 = 0
    }

    private let state: Mutex<State>

    /// Starts a program in a process group of its own, with an environment that holds nothing of ours.
    /// - Parameter descriptors: what the child has as 0, 1, 2 and so on; everything else is closed. Nil stands for /dev/null.
    init(_ command: [BytePath], descriptors: [Int32?]) throws(ProcessingFault) {
        let (result, process) = ProgramCall(command[0], Array(command.dropFirst())).start(descriptors)
        if result != 0 {
            let reason = String(cString: strerror(result))
            throw ProcessingFault(.unavailable, "cannot start \(command[0]): \(reason)")
        }
        state = Mutex(State(process: process))
    }

    deinit {
        kill()
        _ = wait()
    }

    /// Kills it and what it started, if it still runs.
    func kill() {
        state.withLock { state in
            if let process = state.process { _ = Glibc.kill(-process, SIGKILL) }
        }
    }

    /// Waits for its end: the status as `waitpid` gives it. Whoever kills while another waits is not held up.
    func wait() -> Int32 {
        while true {
            let ended = state.withLock { state -> Int32? in
                guard let process = state.process else { return state.exitStatus }
                var status: Int32 = 0
                let result = waitpid(process, &status, WNOHANG)
                if result == 0 || (result < 0 && errno == EINTR) { return nil }
                state.process = nil
                state.exitStatus = result < 0 ? -1 : status
                return state.exitStatus
            }
            if let ended { return ended }
            // Its sockets are closed or it was killed: it ends within a moment.
            mds_sleep_ns(1_000_000)
        }
    }
}

/// How a child ended.
enum ProcessEnd {
    case exited(Int32)
    case signaled(Int32)

    init(status: Int32) {
        self = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signaled(status & 0x7F)
    }
}
