internal import Glibc
internal import MediaModel
internal import Synchronization

/// Runs a server under a shell that waits for a pipe from this process. When the pipe closes, because the test is over or
/// because its process died, the shell ends the server and removes what it left.
final class Supervisor: Sendable {
    private struct State {
        var process: pid_t = 0
        /// The pipe's end that keeps the server alive.
        var lifeline: Int32 = -1
    }

    private let state = Mutex(State())
    private let litter: [String]
    /// What ends the server at once. A shell's background process begins with QUIT ignored.
    private let signal: String

    init(litter: [String], signal: String = "QUIT") {
        self.litter = litter
        self.signal = signal
    }

    deinit {
        release()
        for path in litter { Disk.removeTree(BytePath(path)) }
    }

    /// `"$@"` is the server. It ends by itself (then the shell does), or the pipe closes first. The server and the shell
    /// that waits for the pipe are ended by the numbers they were started with.
    private static let script = """
        log=$1; keep=$2; signal=$3; shift 3
        "$@" >>"$log" 2>&1 </dev/null &
        server=$!
        ( while read -r line; do :; done; kill -"$signal" "$server" 2>/dev/null ) <&3 &
        watcher=$!
        exec 3<&-
        wait "$server"
        if kill "$watcher" 2>/dev/null; then exit 0; fi
        IFS=:
        for path in $keep; do rm -rf -- "$path"; done
        """

    func start(_ command: [String], log: BytePath) throws {
        var ends: [Int32] = [-1, -1]
        // A pipe that no other child inherits from its first moment on; Swift does not see pipe2.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw TestFault("no pipe") }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[0], 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: a Ctrl-C for the test is none for the server, which ends in order.
        // Signals that the calling thread blocks would stay blocked: the shell would never hear of the server's end.
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        var defaults = sigset_t()
        sigfillset(&defaults)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        let arguments = ["sh", "-c", Self.script, "supervisor", log.description, litter.joined(separator: ":"), signal]
        var pointers = (arguments + command).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, "/bin/sh", &actions, &attributes, &pointers, environ)
        guard result == 0 else {
            close(ends[1])
            throw TestFault("cannot start \(command): \(String(cString: strerror(result)))")
        }
        state.withLock { $0 = State(process: process, lifeline: ends[1]) }
    }

    /// Waits until the server has ended.
    func waitForEnd() {
        state.withLock { state in
            guard state.process > 0 else { return }
            var status: Int32 = 0
            waitpid(state.process, &status, 0)
            close(state.lifeline)
            state = State()
        }
    }

    /// Ends the server now.
    private func release() {
        state.withLock { state in
            guard state.process > 0 else { return }
            close(state.lifeline)
            state.lifeline = -1
        }
        state.withLock { state in
            guard state.process > 0 else { return }
            var status: Int32 = 0
            waitpid(state.process, &status, 0)
            state.process = 0
        }
    }
}
