internal import CLinux
internal import Glibc
internal import MediaModel

/// Runs ffmpeg and ffprobe: confined, with a deadline, and with what they say kept within bounds.
struct MovieRunner: Sendable {
    let programs: MoviePrograms
    let stop: StopFlag

    /// What a run left.
    struct Output {
        var text: [UInt8]
        /// What it complained about, escaped.
        var complaints: String
    }

    /// More is not kept of what a program writes.
    private static let textMax = 256 << 10
    /// How often a wait looks whether the pool was shut down.
    private static let pollMilliseconds: Int64 = 200

    /// How a program names the files it was given.
    static let inputPath = "/dev/fd/\(SandboxedProgram.input)"
    static let outputPath = "/dev/fd/\(SandboxedProgram.output)"

    /// - Parameter bytes: the most that the output may grow to.
    func run(
        _ program: BytePath,
        _ arguments: [String],
        input: Int32,
        output: Int32? = nil,
        bytes: Int64 = 0
    ) throws(ProcessingFault) -> Output {
        let limits = SandboxedProgram.Limits(
            addressBytes: programs.limits.programBytes,
            // On several processors at once.
            cpuSeconds: programs.limits.movieTime.components.seconds * 4,
            fileBytes: max(bytes, 1),
            files: output == nil ? 1 : 2
        )
        let text = try Pipe()
        let complaints = try Pipe()
        let command = [programs.launcher] + SandboxedProgram.arguments(limits).map { BytePath($0) } + [program]
        let process = try ProcessHandle(
            command + arguments.map { BytePath($0) },
            descriptors: [nil, text.writing, complaints.writing, input] + (output.map { [$0] } ?? [])
        )
        text.closeWriting()
        complaints.closeWriting()
        do throws(ProcessingFault) {
            try drain(text, complaints)
        } catch {
            process.kill()
            _ = process.wait()
            throw error
        }
        let end = ProcessEnd(status: process.wait())
        let said = complaints.lines
        try judge(end, said, name: program.lastComponent)
        return Output(text: text.bytes, complaints: said)
    }

    /// Reads both until the program has closed them.
    private func drain(_ text: Pipe, _ complaints: Pipe) throws(ProcessingFault) {
        let deadline = ContinuousClock.now + programs.limits.movieTime
        while text.isOpen || complaints.isOpen {
            if stop.isRaised { throw ProcessingFault(.stopped, "the run was stopped") }
            let left = (deadline - ContinuousClock.now).milliseconds
            if left <= 0 {
                let seconds = programs.limits.movieTime.components.seconds
                throw ProcessingFault(.timedOut, "the file was not processed within \(seconds) s")
            }
            var waiting = [text, complaints].map { pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0) }
            _ = poll(&waiting, 2, Int32(min(left, Self.pollMilliseconds)))
            if waiting[0].revents != 0 { text.read(most: Self.textMax) }
            if waiting[1].revents != 0 { complaints.read(most: Self.textMax) }
        }
    }

    private func judge(_ end: ProcessEnd, _ said: String, name: BytePath) throws(ProcessingFault) {
        switch end {
        case .exited(0): return
        case .signaled(SIGXFSZ): throw ProcessingFault(.tooLarge, "\(name): the result is larger than accepted")
        case .signaled(SIGXCPU): throw ProcessingFault(.timedOut, "\(name) took too much of the processor's time")
        case .signaled(SIGKILL) where stop.isRaised: throw ProcessingFault(.stopped, "the run was stopped")
        case .signaled(let signal): throw ProcessingFault(.crashed, "\(name) died of signal \(signal)")
        case .exited(SandboxedProgram.cannotStart):
            throw ProcessingFault(.unavailable, "\(name) could not be started without its rights")
        case .exited(let status):
            let kind: ProcessingFault.Kind =
                if said.contains("No space left on device") || said.contains("Disk quota exceeded") {
                    .noSpace
                } else if said.contains("Cannot allocate memory") {
                    .outOfMemory
                } else if said.contains("File too large") {
                    .tooLarge
                } else { .undecodable }
            throw ProcessingFault(kind, "\(name): \(said.isEmpty ? "it ended with status \(status)" : said)")
        }
    }
}

/// What a program writes, read from the other end. One owner, one thread.
private final class Pipe {
    private(set) var reading: Int32
    private(set) var writing: Int32
    private(set) var bytes: [UInt8] = []

    init() throws(ProcessingFault) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw ProcessingFault(.unavailable, "no pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        if reading >= 0 { _ = close(reading) }
        closeWriting()
    }

    var isOpen: Bool { reading >= 0 }

    func closeWriting() {
        if writing >= 0 { _ = close(writing) }
        writing = -1
    }

    /// Takes what is there; what is beyond `most` is read and forgotten, so that the program does not wait for us.
    func read(most: Int) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = Glibc.read(reading, &buffer, buffer.count)
        if count > 0 {
            bytes.append(contentsOf: buffer.prefix(min(count, max(0, most - bytes.count))))
        } else if count == 0 || errno != EINTR {
            _ = close(reading)
            reading = -1
        }
    }

    /// The last lines, for a message.
    var lines: String {
        bytes.split(separator: 0x0A).suffix(3).map { BytePath.escaped(Array($0.prefix(200))) }.joined(separator: "; ")
    }
}
