internal import Glibc
internal import MediaModel

/// A program under way. Its process group is killed when the value goes before it ended.
package final class RunningProgram {
    /// The process that was started: the wrapper where there is one.
    package let process: Int32
    private let files: CaughtOutput
    private let begin: Double
    private var status: Int32?

    init(process: Int32, files: CaughtOutput) {
        self.process = process
        self.files = files
        begin = Self.now()
    }

    deinit {
        guard status == nil else { return }
        kill(-process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// Monotonic seconds.
    package static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// What it has written to standard error so far.
    package var errorsSoFar: String { String(decoding: CaughtOutput.contents(of: files.errors), as: UTF8.self) }

    /// What it has written to standard output so far.
    package var outputSoFar: String { String(decoding: CaughtOutput.contents(of: files.output), as: UTF8.self) }

    package var isRunning: Bool { !poll() }

    /// Whether a signal halted it (SIGSTOP), and nobody continued it yet.
    package var isStopped: Bool {
        guard let text = try? Disk.text(BytePath("/proc/\(process)/status")) else { return false }
        return text.split(separator: "\n").contains { $0.hasPrefix("State:") && $0.contains("T (stopped)") }
    }

    /// The most memory it has had so far (`VmHWM`); 0 once it has ended.
    package var peakBytes: Int {
        guard let text = try? Disk.text(BytePath("/proc/\(process)/status")) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    /// True once it has ended.
    private func poll() -> Bool {
        if status != nil { return true }
        var found: Int32 = 0
        guard waitpid(process, &found, WNOHANG) == process else { return false }
        status = found
        return true
    }

    /// Sends a signal to the process alone.
    package func send(_ signal: Int32) {
        if !poll() { kill(process, signal) }
    }

    /// Kills the whole group at once, as the kernel does when memory is short.
    package func killGroup() {
        if !poll() { kill(-process, SIGKILL) }
    }

    /// Waits for its end, at most so many seconds; then it is killed.
    package func wait(timeout: Double = 60) -> Program.Result {
        let deadline = Self.now() + timeout
        var timedOut = false
        var nap: UInt32 = 500
        while !poll() {
            if Self.now() > deadline, !timedOut {
                timedOut = true
                kill(-process, SIGKILL)
            }
            usleep(nap)
            nap = min(nap * 2, 10_000)
        }
        let status = status ?? 0
        let signal = status & 0x7F
        return Program.Result(
            exitCode: signal == 0 ? (status >> 8) & 0xFF : nil,
            signal: signal == 0 ? nil : signal,
            output: CaughtOutput.contents(of: files.output),
            errors: CaughtOutput.contents(of: files.errors),
            seconds: Self.now() - begin,
            timedOut: timedOut
        )
    }

    /// Waits until a condition holds, looking again and again; false where it never did.
    package static func eventually(within seconds: Double = 20, _ condition: () -> Bool) -> Bool {
        let deadline = now() + seconds
        while now() < deadline {
            if condition() { return true }
            usleep(1000)
        }
        return condition()
    }
}

extension RunningProgram {
    /// Sleeps: for tests whose subject is a moment in another process.
    package static func pause(milliseconds: Int) {
        usleep(UInt32(milliseconds) * 1000)
    }
}
