import ArgumentParser
import Copying
import Foundation
import MediaModel
import Pacing
import Pipeline
import Reporting
import Running
import Storage
import Synchronization
import UnixSignals

/// One run of a command: wires an engine to signals, the reporter and the record of runs, and turns its result into the
/// process's exit code.
struct RunSession: Sendable {
    let run: RunID
    let host: Storage.Host
    let control: RunControl
    let sink: EventSink

    /// The sink of one stage of several: the names of its own stages follow its name.
    func sink(in stage: String) -> EventSink {
        { [sink] event in
            guard case .stage(let name) = event, name != stage else { return sink(event) }
            sink(.stage("\(stage)/\(name)"))
        }
    }

    /// Runs an engine to its end and throws its exit code.
    /// - Parameter makeEngine: may throw a `SyncError` for what is wrong with the arguments.
    static func perform(
        command: String,
        output: OutputOptions,
        source: BytePath,
        target: BytePath?,
        isDryRun: Bool = false,
        itemizes: Bool = false,
        showsStats: Bool = false,
        atEnd: () -> Void = {},
        details: () -> [UInt8] = { [] },
        makeEngine: (RunSession) throws -> any Engine
    ) async throws {
        let run = RunID(secondsSince1970: wallClock(), random: UInt32.random(in: 0...UInt32.max))
        let terminal = TerminalSupport(
            isTerminal: TerminalSupport.isTerminal(2),
            color: output.color,
            environment: ProcessInfo.processInfo.environment
        )
        let engineSlot = EngineSlot()
        let reporter = Reporter(
            options: ReporterOptions(
                command: command,
                run: run,
                output: output.json ? .json : .text,
                progress: output.json ? .lines : (terminal.canRedraw ? .live : .lines),
                usesColor: terminal.usesColor,
                isQuiet: output.quiet,
                isVerbose: output.verbose,
                itemizes: itemizes,
                showsStats: showsStats
            ),
            output: LineWriter(descriptor: 1),
            errors: LineWriter(descriptor: 2),
            columns: { TerminalSupport.columns(2) },
            sample: {
                ProgressSample(
                    counts: engineSlot.counts,
                    totalEntries: engineSlot.total,
                    work: engineSlot.work,
                    activity: engineSlot.activity
                )
            }
        )
        // A closed output is an error of a write, reported like any other.
        signal(SIGPIPE, SIG_IGN)
        let host = Storage.Host.current()
        let recorder = RunRecord.open(
            RunRecord(
                id: run,
                command: command,
                arguments: RawArguments.all,
                source: source.description,
                target: target?.description,
                pid: getpid(),
                startedAt: wallClock()
            ),
            state: output.state,
            isRoot: host.isRoot,
            reporter: reporter,
            progress: { engineSlot.progress }
        )
        let stages = StageClock()
        let session = RunSession(
            run: run,
            host: host,
            control: RunControl(),
            sink: { event in
                if case .stage(let name) = event { stages.begin(name) }
                reporter.receive(event)
                recorder?.receive(event)
            }
        )
        reporter.start(arguments: RawArguments.all, version: MediasyncCommand.version)
        if let path = output.metricsFile { writeMetrics(begun: command, path, run) }
        let clock = ContinuousClock()
        let begin = clock.now
        let result: RunResult
        var check: HealthCheck?
        do {
            try checkDescriptors(host)
            check = try output.ping.map { (url) throws(SyncError) in try HealthCheck(url) }
            if let notice = await check?.begin() { session.sink(.notice(notice)) }
            let engine = try makeEngine(session)
            engineSlot.set(engine)
            let isWatched = terminal.canRedraw && !output.quiet && !output.json
            let counter = engine.totalCounter().flatMap { isWatched || $0.isFree ? $0 : nil }
            engineSlot.set(counter)
            result = await session.drive(engine, counter, reporter, recorder, clock)
        } catch let error as SyncError {
            result = RunResult(counts: Counts(), error: error)
        }
        atEnd()
        let status = session.status(of: result, reporter)
        let elapsed = begin.duration(to: clock.now)
        let time = ReportTime(elapsed: elapsed, secondsSince1970: wallClock())
        let summary = Summary(
            run: run,
            command: command,
            counts: result.counts,
            elapsed: elapsed,
            status: status,
            fatal: result.error,
            isDryRun: isDryRun,
            stages: stages.finish(),
            figures: engineSlot.figures
        )
        recorder?.finish(status: status, counts: result.counts, sections: engineSlot.sections)
        if let notice = await check?.end(status) { session.sink(.notice(notice)) }
        check?.shutDown()
        if let problem = recorder?.problem { reporter.receive(.notice(Notice(problem))) }
        reporter.finish(summary, at: time, details: details())
        if let path = output.metricsFile { writeMetrics(summary, path, time) }
        if let path = output.report { writeReport(of: run, to: path, state: output.state, host) }
        if status != .done { throw ExitCode(status.rawValue) }
    }

    /// Engines keep within the limit and leave room beside them (`Bounds`), but not within any: the parts of the runtime that
    /// wait for signals and clocks trap where they get no descriptor.
    private static let descriptorsMin = 64

    private static func checkDescriptors(_ host: Storage.Host) throws(SyncError) {
        if host.descriptorLimit >= descriptorsMin { return }
        throw SyncError(
            .exhausted,
            "too few files may be open at once: \(host.descriptorLimit), and \(descriptorsMin) are needed",
            why: "the limit of this process (EMFILE, RLIMIT_NOFILE)",
            hint: "raise it: ulimit -n 1024, or LimitNOFILE= in a systemd unit; nothing was changed"
        )
    }

    private static func wallClock() -> Int64 { Storage.Host.wallClock().seconds }

    /// The engine once it exists, for the reporter that was made before it.
    private final class EngineSlot: Sendable {
        private let slot = Mutex<(any Engine)?>(nil)
        var counts: Counts { slot.withLock { $0 }?.counts() ?? Counts() }
        var activity: [String] { slot.withLock { $0 }?.activity() ?? [] }
        var work: WorkProgress? { slot.withLock { $0 }?.work() }
        var figures: [Figure] { slot.withLock { $0 }?.figures() ?? [] }
        var sections: [ReportSection] { slot.withLock { $0 }?.sections() ?? [] }

        /// For the record: what the reporter shows, as numbers.
        var progress: RunProgress {
            let counts = counts
            if let work {
                let part = work.total > 0 ? Double(work.done) / Double(work.total) : nil
                return RunProgress(counts: counts, share: work.share ?? part)
            }
            guard let total, total > 0 else { return RunProgress(counts: counts) }
            return RunProgress(counts: counts, share: min(1, Double(counts.finished) / Double(total)))
        }

        func set(_ engine: any Engine) { slot.withLock { $0 = engine } }

        private let counter = Mutex<(any TotalCounter)?>(nil)
        /// Entries in all, once they are counted.
        var total: Int? { counter.withLock { $0 }?.total }
        func set(_ counter: (any TotalCounter)?) { self.counter.withLock { $0 = counter } }
    }

    /// Runs the engine beside the reporter's clock, the recorder and the signals. What writes to terminals and files has
    /// threads of its own.
    private func drive(
        _ engine: any Engine,
        _ counter: (any TotalCounter)?,
        _ reporter: Reporter,
        _ recorder: RunRecorder?,
        _ clock: ContinuousClock
    ) async -> RunResult {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup, .sigusr1)
        let pool = WorkerPool(threads: 2)
        defer { pool.shutDown() }
        return await withTaskGroup(of: RunResult?.self) { group in
            group.addTask { await engine.run() }
            if let counter {
                group.addTask {
                    await counter.run()
                    return nil
                }
            }
            group.addTask(executorPreference: pool) {
                await reporter.run(clock: clock) { Self.wallClock() }
                return nil
            }
            if let recorder {
                group.addTask(executorPreference: pool) {
                    await recorder.run(clock: clock)
                    return nil
                }
            }
            group.addTask {
                for await signal in signals { await self.heard(signal, engine, reporter, recorder, clock) }
                return nil
            }
            var result: RunResult?
            while let next = await group.next() {
                guard let next else { continue }
                result = next
                counter?.stop()
                group.cancelAll()
            }
            return result ?? RunResult(counts: engine.counts(), error: SyncError(.unexpected, "the run was lost"))
        }
    }

    private func heard(
        _ signal: UnixSignal,
        _ engine: any Engine,
        _ reporter: Reporter,
        _ recorder: RunRecorder?,
        _ clock: ContinuousClock
    ) async {
        if signal == .sigusr1 { return reporter.printNow() }
        let code: SyncError.Code = signal == .sigint ? .interrupted : .terminated
        control.stop(
            SyncError(
                code,
                "stopped by \(signal == .sigint ? "SIGINT" : signal == .sighup ? "SIGHUP" : "SIGTERM")",
                hint: "run the same command again to go on"
            )
        )
        try? await clock.sleep(for: engine.stopPatience)
        // The engine has not come back: a call hangs on the disk. Nothing half-written has a name; leave.
        guard !Task.isCancelled else { return }
        engine.abandon()
        recorder?.finish(status: code.exitStatus, counts: engine.counts())
        reporter.receive(.notice(Notice(.warning, "the disk does not answer; ended without waiting for it")))
        reporter.tick(at: ReportTime(elapsed: .zero, secondsSince1970: Self.wallClock()))
        _exit(code.exitStatus.rawValue)
    }

    private func status(of result: RunResult, _ reporter: Reporter) -> ExitStatus {
        if result.exitStatus == .done, let failure = reporter.outputFailure { return failure.code.exitStatus }
        return result.exitStatus
    }

    /// Before anything else: whoever watches sees that a run began, and that it did not end.
    private static func writeMetrics(begun command: String, _ path: String, _ run: RunID) {
        let text = MetricsText.begun(command, at: wallClock(), before: MetricsFile.read(path))
        do throws(SyncError) {
            try MetricsFile.write(text, to: path, unique: run.text)
        } catch {
            LineWriter(descriptor: 2).write(ErrorText.warning(error))
        }
    }

    private static func writeReport(of run: RunID, to path: String, state: String?, _ host: Storage.Host) {
        do throws(SyncError) {
            let directory = try StateLocation.resolve(
                flag: state,
                environment: ProcessInfo.processInfo.environment,
                isRoot: host.isRoot
            )
            guard let store = try RunStore.openExisting(directory: directory) else { return }
            try store.writeReport(of: run, to: path, now: wallClock())
        } catch {
            LineWriter(descriptor: 2).write(ErrorText.warning(error))
        }
    }

    private static func writeMetrics(_ summary: Summary, _ path: String, _ time: ReportTime) {
        let before = MetricsFile.read(path).flatMap { MetricsText.lastSuccess(of: summary.command, in: $0) }
        let text = MetricsText.text(summary, endedAt: time.secondsSince1970, lastSuccess: before)
        do throws(SyncError) {
            try MetricsFile.write(text, to: path, unique: summary.run.text)
        } catch {
            LineWriter(descriptor: 2).write(ErrorText.warning(error))
        }
    }
}

extension Notice {
    /// An error that a run survives.
    init(_ problem: SyncError) {
        self.init(.warning, "\(problem)", hint: problem.hint)
    }
}

extension RunRecord {
    /// Begins the record of a run; nil, after a warning, where it cannot be kept: the run is worth more than its history.
    static func open(
        _ record: RunRecord,
        state: String?,
        isRoot: Bool,
        reporter: Reporter,
        progress: @escaping @Sendable () -> RunProgress
    ) -> RunRecorder? {
        do throws(SyncError) {
            let directory = try StateLocation.resolve(
                flag: state,
                environment: ProcessInfo.processInfo.environment,
                isRoot: isRoot
            )
            let store = try RunStore(directory: directory)
            try store.begin(record)
            return RunRecorder(
                store: store,
                run: record.id,
                wallClock: { Storage.Host.wallClock().seconds },
                progress: progress
            )
        } catch {
            reporter.receive(.notice(Notice(error)))
            return nil
        }
    }
}
