internal import Glibc
internal import MediaModel
internal import Storage

/// A program that writes its output into a pipe: in a process group of its own, with nothing of our environment, without
/// input. Whoever starts it calls `end`, which leaves nothing running.
///
/// It has one owner and is used on one thread.
final class ChildProgram {
    /// The most that is kept of what it says on its error output.
    private static let messageMax = 4096
    /// F_SETPIPE_SZ, which Swift does not see, and the size asked for.
    private static let setPipeBytes: Int32 = 1031
    private static let pipeBytes: Int32 = 1 << 20
    /// How often a wait looks whether the task was cancelled.
    private static let pollMilliseconds: Int32 = 200
    /// A program that has closed its output ends at once.
    private static let endPollMilliseconds: Int32 = 10

    let process: pid_t
    private let name: BytePath
    private var output: Int32
    private var errors: Int32
    private var message: [UInt8] = []
    private var exitStatus: Int32?

    init(_ path: BytePath, _ arguments: [BytePath]) throws(SyncError) {
        name = path
        let outputPipe = try Self.makePipe(path)
        let errorPipe: [Int32]
        do throws(SyncError) { errorPipe = try Self.makePipe(path) } catch {
            outputPipe.forEach { _ = close($0) }
            throw error
        }
        let (result, process) = Self.spawn(path, arguments, output: outputPipe[1], errors: errorPipe[1])
        _ = close(outputPipe[1])
        _ = close(errorPipe[1])
        guard result == 0 else {
            _ = close(outputPipe[0])
            _ = close(errorPipe[0])
            throw Self.cannotStart(path, result)
        }
        self.process = process
        output = outputPipe[0]
        errors = errorPipe[0]
    }

    deinit {
        end()
    }

    private static func cannotStart(_ path: BytePath, _ number: Int32) -> SyncError {
        SyncError(.configuration, "cannot start \(path)", why: String(cString: strerror(number)))
    }

    /// A pipe that other programs do not inherit.
    private static func makePipe(_ path: BytePath) throws(SyncError) -> [Int32] {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw cannotStart(path, errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // Fewer and larger reads; a limit that forbids it does no harm.
        _ = fcntl(ends[0], setPipeBytes, pipeBytes)
        return ends
    }

    private static func spawn(
        _ path: BytePath,
        _ arguments: [BytePath],
        output: Int32,
        errors: Int32
    ) -> (Int32, pid_t) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
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
        var process: pid_t = 0
        let result = withCStrings([path] + arguments) { argv in
            withCStrings(environment) { envp in
                argv[0].map { posix_spawn(&process, $0, &actions, &attributes, argv, envp) } ?? EINVAL
            }
        }
        return (result, process)
    }

    private static func withCStrings<Result>(
        _ strings: [BytePath],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            pointers[index] = string.withEntryName { strdup($0) }
        }
        pointers[strings.count] = nil
        defer {
            for index in strings.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
    }

    /// Waits for output; the count read, 0 when the program has closed it. Stops when its task is cancelled.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        while true {
            if Task.isCancelled { throw DumpError.stopped }
            var waiting = [
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&waiting, 2, Self.pollMilliseconds)
            if waiting[1].revents != 0 { keepMessage() }
            guard waiting[0].revents != 0 else { continue }
            let count = Glibc.read(output, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR {
                throw SyncError(.unexpected, "cannot read from \(name)", why: String(cString: strerror(errno)))
            }
        }
    }

    /// Takes what is there of the error output, and forgets what is beyond the limit: the program must not wait for us.
    private func keepMessage() {
        guard errors >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(errors, &buffer, buffer.count)
        if count > 0 {
            message.append(contentsOf: buffer.prefix(min(count, max(0, Self.messageMax - message.count))))
        } else if count == 0 || errno != EINTR {
            _ = close(errors)
            // poll passes over it from here on.
            errors = -1
        }
    }

    /// Waits for the program's end after its output was closed. Nil where it went well, else what it said. Stops when its
    /// task is cancelled.
    func failure() throws(SyncError) -> String? {
        while exitStatus == nil {
            if Task.isCancelled { throw DumpError.stopped }
            if hasMessage(within: Self.endPollMilliseconds) { keepMessage() }
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process { exitStatus = status }
        }
        while hasMessage(within: 0) { keepMessage() }
        guard let exitStatus, exitStatus != 0 else { return nil }
        let lines = message.split(separator: 0x0A).prefix(3).map { BytePath.escaped(Array($0)) }
        return lines.isEmpty ? "it ended with status \(exitStatus)" : lines.joined(separator: "; ")
    }

    private func hasMessage(within milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, milliseconds) > 0 && waiting.revents != 0
    }

    /// Kills the program and what it started, if it still runs, and waits for it.
    func end() {
        if exitStatus == nil {
            _ = kill(-process, SIGKILL)
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            exitStatus = status
        }
        for descriptor in [output, errors] where descriptor >= 0 { _ = close(descriptor) }
        output = -1
        errors = -1
    }

    /// All output of a program that writes little.
    /// - Parameter limit: more bytes are an error.
    static func run(
        _ path: BytePath,
        _ arguments: [BytePath],
        limit: Int
    ) throws(SyncError) -> (output: [UInt8], failure: String?) {
        let program = try ChildProgram(path, arguments)
        defer { program.end() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        var result: [UInt8] = []
        while true {
            let count = try program.read(into: buffer)
            if count == 0 { return (result, try program.failure()) }
            result.append(contentsOf: buffer[..<count])
            if result.count > limit {
                throw SyncError(
                    .unusable,
                    "\(path) wrote too much",
                    why: "more than \(ByteCount.describe(Int64(limit)))"
                )
            }
        }
    }
}
