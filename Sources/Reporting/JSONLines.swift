internal import MediaModel

/// The objects of `--json`, one a line (docs/json.md). Fields may be added, none changes its meaning within `v`.
enum JSONLines {
    /// The version of the format, carried by `start` and `summary`.
    static let version = 1

    static func start(run: RunID, command: String, arguments: [String], program: String) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "start")
        object.set("v", version)
        object.set("run", run.text)
        object.set("command", command)
        object.set("args", arguments)
        object.set("version", program)
        return object.line
    }

    static func stage(_ stage: String, run: RunID, isBegin: Bool, sample: ProgressSample) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "stage")
        object.set("run", run.text)
        object.set("stage", stage)
        object.set("state", isBegin ? "begin" : "end")
        object.set("items", isBegin ? sample.totalEntries : sample.counts.finished)
        object.set("bytes", isBegin ? sample.totalBytes : sample.bytesMoved)
        return object.line
    }

    static func status(_ sample: ProgressSample, stage: String, elapsed: Duration, rates: RateMeter) -> [UInt8] {
        let counts = sample.counts
        var object = JSONObject()
        object.set("type", "status")
        object.set("stage", stage)
        object.set("elapsed_s", seconds: elapsed.inSeconds)
        object.set("items_done", counts.finished)
        object.set("items_total", sample.totalEntries)
        object.set("files", counts.files)
        object.set("bytes_done", sample.bytesMoved)
        object.set("bytes_total", sample.totalBytes)
        object.set("failed", counts.failed + counts.deleteFailed)
        object.set("items_per_s", seconds: max(0, rates.entriesPerSecond))
        object.set("bytes_per_s", Int64(max(0, rates.bytesPerSecond)))
        object.set("eta_s", rates.secondsLeft(sample))
        if let work = sample.work {
            object.set("work_done", work.done)
            object.set("work_total", work.total)
            object.set("work_unit", work.unit.rawValue)
            if let share = work.share { object.set("work_percent", decimal: share * 100) }
            if let current = work.current { object.set("work_current", current) }
        }
        return object.line
    }

    static func item(_ item: ItemEvent) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "item")
        object.set("kind", item.kind.name)
        object.set(path: item.path)
        object.set("outcome", item.outcome.name)
        switch item.outcome {
        case .failed(let error):
            describe(error, in: &object)
        case .skipped(let reason):
            object.set("reason", reason.rawValue)
        default:
            if !item.changes.isEmpty { object.set("changes", item.changes.names) }
            object.set("bytes", item.bytes)
            if let why = item.why { object.set("why", why) }
        }
        if let row = item.row {
            object.set("record", row.kind)
            object.set("id", String(row.id))
            object.set("local", row.isLocal)
        }
        if let digest = item.digest { object.set("digest", digest.description) }
        return object.line
    }

    static func notice(_ notice: Notice) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "notice")
        object.set("level", notice.level.rawValue)
        object.set("message", notice.message)
        if let hint = notice.hint { object.set("hint", hint) }
        return object.line
    }

    /// The error that ends a run; goes to standard error.
    static func fatal(_ error: SyncError) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "error")
        object.set("exit", error.code.exitStatus.rawValue)
        describe(error, in: &object)
        return object.line
    }

    private static func describe(_ error: SyncError, in object: inout JSONObject) {
        object.set("code", error.code.name)
        object.set("message", error.what)
        if let why = error.why { object.set("why", why) }
        if let hint = error.hint { object.set("hint", hint) }
        object.set("retry", error.retry == .never ? "never" : "later")
    }
}

extension ChangeSet {
    /// The changes as JSON names them.
    var names: [String] {
        let table: [(ChangeSet, String)] = [
            (.new, "new"), (.kind, "kind"), (.content, "content"), (.size, "size"), (.time, "time"), (.mode, "mode"),
            (.owner, "owner"), (.group, "group"), (.acl, "acl"), (.xattr, "xattr"), (.extra, "extra"),
            (.empty, "empty"), (.type, "type"), (.undecodable, "undecodable"),
        ]
        return table.filter { contains($0.0) }.map(\.1)
    }
}

extension Counts {
    /// Every outcome's number, as JSON and metrics name it, in a fixed order.
    var outcomes: [(name: String, count: Int)] {
        [
            ("copied", copied), ("created", created), ("linked", linked), ("updated", updated),
            ("unchanged", unchanged),
            ("skipped", skippedTotal), ("different", different), ("failed", failed), ("deleted", deleted),
            ("delete_failed", deleteFailed),
        ] + refreshed
    }

    /// Those of a refresh; no other run has any.
    private var refreshed: [(name: String, count: Int)] {
        guard fetched + gone + superseded > 0 else { return [] }
        return [("fetched", fetched), ("gone", gone), ("superseded", superseded)]
    }

    /// The outcomes as an object, skips by reason beside them.
    var json: JSONObject {
        var object = JSONObject()
        object.set("seen", seen)
        for (name, count) in outcomes { object.set(word: name, count) }
        var reasons = JSONObject()
        for reason in SkipReason.allCases {
            if let count = skipped[reason], count > 0 { reasons.set(word: reason.rawValue, count) }
        }
        object.set("skipped_by_reason", reasons)
        object.set("source_changed", sourceChanged)
        object.set("files", files)
        object.set("directories", directories)
        object.set("others", others)
        object.set("bytes_written", bytesWritten)
        object.set("bytes_compared", bytesCompared)
        object.set("bytes_seen", bytesSeen)
        object.set("bytes_deleted", bytesDeleted)
        // Of copies between machines, and of those that build files from older versions.
        if bytesMatched > 0 { object.set("bytes_matched", bytesMatched) }
        if bytesTransferred > 0 { object.set("bytes_transferred", bytesTransferred) }
        return object
    }
}
