internal import CLinux
internal import Glibc
internal import MediaModel
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
        var process: pid_t = 0
        let result = Self.spawn(&process, command, descriptors)
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

    /// Above everything that a child is given.
    private static let highDescriptor: Int32 = 64

    private static func spawn(_ process: inout pid_t, _ command: [BytePath], _ descriptors: [Int32?]) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Copies high up, so that no number that is taken is one that is still needed.
        var copies: [Int32] = []
        defer { copies.forEach { _ = close($0) } }
        for (number, descriptor) in descriptors.enumerated() {
            guard let descriptor else {
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
                continue
            }
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, highDescriptor)
            if copy < 0 { return errno }
            copies.append(copy)
            posix_spawn_file_actions_adddup2(&actions, copy, Int32(number))
        }
        // What somebody left open in this process or its parent. Not later, in the child: by then its runtime has files of
        // its own.
        _ = mds_spawn_close_from(&actions, Int32(descriptors.count))
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        )
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        let environment = [BytePath("PATH=/usr/bin:/bin"), BytePath("LC_ALL=C"), BytePath("TZ=UTC")]
        return withCStrings(command) { argv in
            withCStrings(environment) { envp in
                argv[0].map { posix_spawn(&process, $0, &actions, &attributes, argv, envp) } ?? EINVAL
            }
        }
    }

    static func withCStrings<Result>(
        _ strings: [BytePath],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            pointers[index] = (string.bytes + [0]).withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { text in text.baseAddress.flatMap { strdup($0) } }
            }
        }
        pointers[strings.count] = nil
        defer {
            for index in strings.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
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
