internal import MediaModel

/// Turns events into the bytes to be written: a value without clock, lock or descriptor.
struct EventFold: Sendable {
    /// Failures shown as they happen; the rest is only counted here and listed by `status --errors`.
    static let failureLimit = 20
    /// Notices and warnings shown in one run: a warning for each of a million entries helps nobody.
    static let noticeLimit = 100

    /// A stage that ended and its numbers; its plain line waits for the next tick, which knows the time.
    struct EndedStage: Sendable {
        var name: String
        var sample: ProgressSample
    }

    let options: ReporterOptions
    /// Whole lines for standard output and standard error.
    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    private(set) var stage: String?
    private(set) var ended: [EndedStage] = []
    private(set) var failures = 0
    private var notices = 0

    init(options: ReporterOptions) {
        self.options = options
    }

    /// Bytes waiting to be written.
    var pendingCount: Int { output.count + errors.count }

    /// Takes what is to be written.
    mutating func drain() -> (output: [UInt8], errors: [UInt8], ended: [EndedStage]) {
        defer {
            output.removeAll(keepingCapacity: output.capacity <= 1 << 19)
            errors.removeAll()
            ended.removeAll()
        }
        return (output, errors, ended)
    }

    mutating func start(arguments: [String], program: String) {
        guard options.output == .json else { return }
        output += JSONLines.start(
            run: options.run,
            command: options.command,
            arguments: arguments,
            program: program
        )
    }

    /// A new stage begins, and the one before ends.
    mutating func begin(_ name: String, sample: ProgressSample) {
        endStage(sample: sample)
        stage = name
        if options.output == .json {
            output += JSONLines.stage(name, run: options.run, isBegin: true, sample: sample)
        }
    }

    mutating func endStage(sample: ProgressSample) {
        guard let stage else { return }
        self.stage = nil
        ended.append(EndedStage(name: stage, sample: sample))
        if options.output == .json {
            output += JSONLines.stage(stage, run: options.run, isBegin: false, sample: sample)
        }
    }

    mutating func take(_ item: ItemEvent) {
        if case .failed(let error) = item.outcome {
            takeFailure(item, error)
        } else if case .different = item.outcome {
            output += options.output == .json ? JSONLines.item(item) : Array(DifferenceLine.text(item).utf8)
        } else if options.output == .json {
            if options.wantsEveryItem { output += JSONLines.item(item) }
        } else if options.itemizes {
            if let line = ItemizedLine.text(item), isShown(item) { output += (line + "\n").utf8 }
        } else if options.isVerbose {
            output += Self.verboseLine(item).utf8
        }
    }

    /// Unchanged entries are itemized only with `-v`, as rsync's `-ii`.
    private func isShown(_ item: ItemEvent) -> Bool {
        if case .unchanged = item.outcome { options.isVerbose } else { true }
    }

    private mutating func takeFailure(_ item: ItemEvent, _ error: SyncError) {
        failures += 1
        if options.output == .json {
            output += JSONLines.item(item)
        } else if failures <= Self.failureLimit {
            errors += ErrorText.failureLine(path: item.path, error: error, usesColor: options.usesColor).utf8
        } else if failures == Self.failureLimit + 1 {
            errors += "failed: further failures are only counted; list them with: mediasync status --errors\n".utf8
        }
    }

    mutating func take(_ report: Report) {
        output += options.output == .json ? report.jsonLine : Array(report.text.utf8)
    }

    mutating func take(_ notice: Notice) {
        if notice.level == .notice && options.isQuiet { return }
        notices += 1
        if notices == Self.noticeLimit + 1 {
            return show(Notice(.warning, "further notices and warnings are not shown"))
        }
        guard notices <= Self.noticeLimit else { return }
        show(notice)
    }

    private mutating func show(_ notice: Notice) {
        if options.output == .json {
            output += JSONLines.notice(notice)
        } else if notice.level == .warning {
            errors += ErrorText.warning(notice.message, hint: notice.hint, usesColor: options.usesColor).utf8
        } else {
            errors += (notice.message + "\n" + (notice.hint.map { "  hint: \($0)\n" } ?? "")).utf8
        }
    }

    /// `copied path (1.2 MiB)`, `skipped path (excluded)`.
    private static func verboseLine(_ item: ItemEvent) -> String {
        let detail: String
        switch item.outcome {
        case .skipped(let reason): detail = " (\(reason.rawValue))"
        default: detail = item.bytes > 0 ? " (\(ByteCount.describe(item.bytes)))" : ""
        }
        return "\(item.outcome.name) \(item.path)\(detail)\n"
    }
}
