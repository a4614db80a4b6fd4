package import MediaModel
internal import Pacing
internal import Programs
package import Running
internal import Synchronization

/// A command of the user's own between two stages: stops services, starts them, tells somebody. What it says is shown and
/// kept.
package final class HookEngine: Engine {
    /// Lines that are shown; the file has more.
    private static let shownLinesMax = 20

    private let name: String
    private let call: ProgramCall
    private let keep: @Sendable ([UInt8]) -> Void
    private let control: RunControl
    private let sink: EventSink
    private let shown = Mutex(0)

    /// - Parameters:
    ///   - name: what people call it: `hook-before`.
    ///   - command: run by `sh`.
    ///   - environment: all that it gets.
    ///   - keep: takes each line of its output; called on one thread.
    package init(
        name: String,
        command: String,
        environment: [String: String],
        keep: @escaping @Sendable ([UInt8]) -> Void,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.name = name
        call = ProgramCall(
            BytePath("/bin/sh"),
            [BytePath("-c"), BytePath(command)],
            environment: environment
        )
        self.keep = keep
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { Counts() }
    package func abandon() {}
    package func totalCounter() -> (any TotalCounter)? { nil }

    /// A command that was asked to end gets its time.
    package var stopPatience: Duration { ChildProgram.patience + .seconds(2) }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        sink(.stage(name))
        let error = await withTaskExecutorPreference(pool) { () -> SyncError? in
            do throws(SyncError) {
                try listen()
                return nil
            } catch {
                return error
            }
        }
        return RunResult(counts: Counts(), error: control.stopReason ?? error)
    }

    private func listen() throws(SyncError) {
        let child = try ChildProgram(call, output: .withErrors)
        defer { child.end() }
        var last: String?
        let exitCode = child.listen(shouldStop: { control.shouldStop }) { line in
            keep(line)
            guard !line.isEmpty else { return }
            let text = BytePath.escaped(line)
            last = text
            show(text)
        }
        guard exitCode != 0 else { return }
        let end = exitCode.map { "exit \($0)" } ?? "ended by a signal"
        throw SyncError(
            .unexpected,
            "\(name) failed",
            why: end + (last.map { ": \($0)" } ?? ""),
            hint: "what was done before it stays; mend the command and run the same command again to go on"
        )
    }

    private func show(_ line: String) {
        let number = shown.withLock { count in
            count += 1
            return count
        }
        if number <= Self.shownLinesMax { sink(.notice(Notice(.notice, "\(name): \(line)"))) }
        if number == Self.shownLinesMax + 1 {
            sink(.notice(Notice(.notice, "\(name) says more, which is kept beside the run state")))
        }
    }
}
