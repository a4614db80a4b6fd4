package import MediaModel
internal import Synchronization

/// Hears a run's events from any thread and tells people and machines.
///
/// Worker threads only append finished lines to a buffer, under a lock that is held for microseconds. One ticking task
/// (`run`) writes the buffer and redraws, five times a second. Only when `bufferLimit` bytes wait does the thread that
/// filled the buffer write it itself: the reader of standard output then sets the pace, and memory stays bounded.
///
/// Locks: `fold` guards what was heard, `screen` what is drawn and the order of writes; `screen` is taken first.
package final class Reporter: Sendable {
    /// Bytes that may wait for the next tick.
    static let bufferLimit = 256 * 1024

    private let options: ReporterOptions
    private let output: any ByteOutput
    private let errors: any ByteOutput
    private let columns: @Sendable () -> Int?
    private let sample: @Sendable () -> ProgressSample
    private let fold: Mutex<EventFold>
    private let screen: Mutex<Screen>
    private let wantsStatus = Atomic(false)

    /// - Parameters:
    ///   - columns: the width of the terminal that live lines are drawn on, asked at every redraw; nil counts as 80.
    ///   - sample: the engine's numbers now; called from the ticking task and at a stage's begin.
    package init(
        options: ReporterOptions,
        output: any ByteOutput,
        errors: any ByteOutput,
        columns: @escaping @Sendable () -> Int? = { nil },
        sample: @escaping @Sendable () -> ProgressSample
    ) {
        self.options = options
        self.output = output
        self.errors = errors
        self.columns = columns
        self.sample = sample
        fold = Mutex(EventFold(options: options))
        screen = Mutex(Screen())
    }

    /// Says that the run begins: the `start` object of `--json`.
    package func start(arguments: [String], version: String) {
        fold.withLock { $0.start(arguments: arguments, program: version) }
    }

    /// Hears an event.
    package func receive(_ event: Event) {
        let sample: ProgressSample? = if case .stage = event { self.sample() } else { nil }
        let isFull = fold.withLock { fold in
            switch event {
            case .stage(let name): fold.begin(name, sample: sample ?? ProgressSample(counts: Counts()))
            case .item(let item): fold.take(item)
            case .notice(let notice): fold.take(notice)
            case .report(let report): fold.take(report)
            }
            return fold.pendingCount >= Self.bufferLimit
        }
        if isFull {
            screen.withLock { flush(&$0, at: nil) }
        }
    }

    /// Asks for the status now (SIGUSR1); the next tick prints it as a plain line, on a terminal too.
    package func printNow() {
        wantsStatus.store(true, ordering: .relaxed)
    }

    /// Writes what waits, redraws the live lines, and prints the plain line when a minute has passed.
    package func tick(at time: ReportTime) {
        let sample = self.sample()
        let isAsked = wantsStatus.exchange(false, ordering: .relaxed)
        screen.withLock { screen in
            screen.rates.update(sample, elapsed: time.elapsed)
            flush(&screen, at: time)
            let stage = fold.withLock { $0.stage }
            if isAsked || (stage != nil && screen.isLineDue(at: time.elapsed, progress: progress)) {
                printStatus(&screen, sample, at: time, stage: stage ?? "-")
            }
            if progress == .live, let stage {
                draw(
                    &screen,
                    ProgressLine.live(
                        sample,
                        elapsed: time.elapsed,
                        rates: screen.rates,
                        stage: stage,
                        columns: columns() ?? 80
                    )
                )
            }
        }
    }

    /// Ends the report: the last stage's line, the error if one ended the run, the summary.
    /// - Parameter details: what the command says before its summary, in the format of the output.
    package func finish(_ summary: Summary, at time: ReportTime, details: [UInt8] = []) {
        let sample = self.sample()
        fold.withLock { $0.endStage(sample: sample) }
        screen.withLock { screen in
            screen.rates.update(sample, elapsed: time.elapsed)
            flush(&screen, at: time)
            draw(&screen, [])
            if !details.isEmpty, options.output == .json || !options.isQuiet { output.write(details) }
            if options.output == .json {
                output.write(summary.jsonLine)
                if let fatal = summary.fatal { errors.write(JSONLines.fatal(fatal)) }
                return
            }
            if let fatal = summary.fatal { errors.write(ErrorText.block(fatal, usesColor: options.usesColor)) }
            if !options.isQuiet {
                output.write(SummaryText.text(summary))
                if options.showsStats { output.write(SummaryText.stats(summary)) }
            } else if let closing = SummaryText.closing(summary) {
                errors.write(closing + "\n")
            }
        }
    }

    /// True once nobody reads standard output any more; a command whose purpose is that output may stop.
    package var outputFailure: SyncError? { output.failure }

    private var progress: ReporterOptions.Progress { options.isQuiet ? .none : options.progress }

    /// Writes what waits, above the live lines. Plain lines of ended stages need a time; without one they wait on.
    private func flush(_ screen: inout Screen, at time: ReportTime?) {
        let pending = fold.withLock { $0.drain() }
        screen.ended += pending.ended
        let hasLines = time != nil && !screen.ended.isEmpty && progress == .lines && options.output == .text
        if !pending.output.isEmpty || !pending.errors.isEmpty || hasLines { draw(&screen, []) }
        if !pending.output.isEmpty { output.write(pending.output) }
        if !pending.errors.isEmpty { errors.write(pending.errors) }
        guard let time else { return }
        if hasLines {
            for stage in screen.ended {
                errors.write(plain(stage.sample, at: time, rates: screen.rates, stage: stage.name))
            }
        }
        screen.ended.removeAll()
    }

    private func printStatus(_ screen: inout Screen, _ sample: ProgressSample, at time: ReportTime, stage: String) {
        screen.lastLine = time.elapsed
        if options.output == .json {
            output.write(JSONLines.status(sample, stage: stage, elapsed: time.elapsed, rates: screen.rates))
        } else {
            draw(&screen, [])
            errors.write(plain(sample, at: time, rates: screen.rates, stage: stage))
        }
    }

    private func plain(_ sample: ProgressSample, at time: ReportTime, rates: RateMeter, stage: String) -> String {
        ProgressLine.plain(sample, at: time, rates: rates, command: options.command, stage: stage) + "\n"
    }

    /// Replaces the live lines.
    private func draw(_ screen: inout Screen, _ lines: [String]) {
        let bytes = screen.replace(with: lines)
        if !bytes.isEmpty { errors.write(bytes) }
    }
}
