internal import Glibc
internal import MediaModel
internal import Storage

/// A program that is run for the restore: in a process group of its own, with an environment that is told, its words kept
/// up to a bound. Blocks; for threads of our own.
struct ChildProcess {
    var arguments: [String]
    var environment: [String: String]
    /// Asked again and again while it runs: true ends it.
    var shouldStop: () -> Bool

    struct Ending {
        /// Nil where a signal ended it.
        var exitCode: Int32?
        /// The end of what it wrote to both outputs, escaped, line by line.
        var words: [String]
    }

    /// The most that is kept of what it says.
    private static let wordsBytesMax = 16 << 10

    func run() throws(SyncError) -> Ending {
        var pipe: [Int32] = [-1, -1]
        // Closed in children that other threads start meanwhile.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pipe) == 0 else {
            throw failure(errno)
        }
        defer { close(pipe[0]) }
        let process: pid_t
        do throws(SyncError) {
            process = try start(output: pipe[1])
            close(pipe[1])
        } catch {
            close(pipe[1])
            throw error
        }
        var words: [UInt8] = []
        listen(to: pipe[0], process, &words)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let lines = words.split(separator: UInt8(ascii: "\n")).map { BytePath.escaped(Array($0)) }
        return Ending(exitCode: status & 0x7F == 0 ? (status >> 8) & 0xFF : nil, words: lines)
    }

    private func start(output: Int32) throws(SyncError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, arguments[0], &actions, &attributes, &argumentPointers, &environmentPointers)
        guard result == 0 else { throw failure(result) }
        return process
    }

    private func failure(_ number: Int32) -> SyncError {
        let text = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        return SyncError(.unexpected, "cannot start \(shown(arguments[0]))", why: text)
    }

    /// Keeps the last of what it says until it closes its outputs; a stop ends its whole group.
    private func listen(to descriptor: Int32, _ process: pid_t, _ words: inout [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var isKilled = false
        while true {
            if !isKilled, shouldStop() {
                kill(-process, SIGTERM)
                isKilled = true
            }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = Glibc.poll(&poll, 1, 100)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            words += buffer[..<count]
            if words.count > Self.wordsBytesMax { words.removeFirst(words.count - Self.wordsBytesMax) }
        }
    }
}
