internal import CLinux
internal import Glibc
package import MediaModel

/// A program under way, in a process group of its own. Either its output is read (`read`, `failure`), or it is listened to
/// line by line (`listen`). Whoever starts it calls `end`, which leaves nothing running. Everything here blocks: it is for
/// threads of our own.
///
/// It has one owner and is used on one thread.
package final class ChildProgram {
    /// Where its standard output goes.
    package enum Output {
        /// Into a pipe of its own, for `read`.
        case piped
        /// To its error output, for `listen`.
        case withErrors
    }

    /// The most that is kept of what it says on its error output while its output is read.
    private static let messageMax = 4096
    /// F_SETPIPE_SZ, which Swift does not see, and the size asked for.
    private static let setPipeBytes: Int32 = 1031
    private static let pipeBytes: Int32 = 1 << 20
    /// How often a wait looks whether the task was cancelled.
    private static let pollMilliseconds: Int32 = 200
    /// A program that has closed its output ends at once.
    private static let endPollMilliseconds: Int32 = 10

    package let process: Int32
    private let name: BytePath
    /// -1 where there is none, or none any more.
    private var output: Int32
    private(set) var errors: Int32
    private var message: [UInt8] = []
    private var exitStatus: Int32?

    package init(_ call: ProgramCall, output kind: Output = .piped) throws(SyncError) {
        name = call.path
        let errorPipe = try Self.makePipe(call.path)
        var outputPipe: [Int32] = []
        if kind == .piped {
            do throws(SyncError) { outputPipe = try Self.makePipe(call.path) } catch {
                errorPipe.forEach { _ = close($0) }
                throw error
            }
            // Fewer and larger reads; a limit that forbids it does no harm.
            _ = fcntl(outputPipe[0], Self.setPipeBytes, Self.pipeBytes)
        }
        let (result, process) = call.start([nil, outputPipe.last ?? errorPipe[1], errorPipe[1]])
        if let writer = outputPipe.last { _ = close(writer) }
        _ = close(errorPipe[1])
        guard result == 0 else {
            if let reader = outputPipe.first { _ = close(reader) }
            _ = close(errorPipe[0])
            throw Self.cannotStart(call.path, result)
        }
        self.process = process
        output = outputPipe.first ?? -1
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
        let result = mds_pipe(&ends)
        if result < 0 { throw cannotStart(path, -result) }
        return ends
    }

    // MARK: Reading its output

    /// Waits for output; the count read, 0 when the program has closed it. Stops when its task is cancelled.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        while true {
            if Task.isCancelled { throw stopped }
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

    private var stopped: SyncError { SyncError(.interrupted, "reading from \(name) was stopped") }

    /// Takes what is there of the error output, and forgets what is beyond the limit: the program must not wait for us.
    private func keepMessage() {
        guard errors >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(errors, &buffer, buffer.count)
        if count > 0 {
            message.append(contentsOf: buffer.prefix(min(count, max(0, Self.messageMax - message.count))))
        } else if count == 0 || errno != EINTR {
            closeErrors()
        }
    }

    /// Nothing more comes from there; poll passes over it from here on.
    func closeErrors() {
        if errors >= 0 { _ = close(errors) }
        errors = -1
    }

    /// Waits for the program's end after its output was closed. Nil where it went well, else what it said. Stops when its
    /// task is cancelled.
    package func failure() throws(SyncError) -> String? {
        while !hasEnded {
            if Task.isCancelled { throw stopped }
            if hasMessage(within: Self.endPollMilliseconds) { keepMessage() }
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

    /// All output of a program that writes little.
    /// - Parameter limit: more bytes are an error.
    package static func run(
        _ call: ProgramCall,
        limit: Int
    ) throws(SyncError) -> (output: [UInt8], failure: String?) {
        let program = try ChildProgram(call)
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
                    "\(call.path) wrote too much",
                    why: "more than \(ByteCount.describe(Int64(limit)))"
                )
            }
        }
    }

    // MARK: Its end

    /// Whether it has ended by now; does not wait.
    var hasEnded: Bool {
        if exitStatus != nil { return true }
        var status: Int32 = 0
        if waitpid(process, &status, WNOHANG) == process { exitStatus = status }
        return exitStatus != nil
    }

    /// Its exit code once it has ended; nil where a signal ended it.
    var exitCode: Int32? {
        exitStatus.flatMap { $0 & 0x7F == 0 ? ($0 >> 8) & 0xFF : nil }
    }

    /// Sends a signal to it and to what it started.
    func signal(_ number: Int32) {
        if exitStatus == nil { _ = kill(-process, number) }
    }

    /// Kills the program and what it started, if it still runs, and waits for it.
    package func end() {
        if !hasEnded {
            signal(SIGKILL)
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            exitStatus = status
        }
        if output >= 0 { _ = close(output) }
        output = -1
        closeErrors()
    }
}
