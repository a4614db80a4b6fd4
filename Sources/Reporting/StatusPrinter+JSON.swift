package import MediaModel

extension StatusPrinter {
    /// A run as one object on one line.
    package static func json(_ run: RunRecord) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "run")
        object.set("v", JSONLines.version)
        object.set("run", run.id.text)
        object.set("command", run.command)
        object.set("args", run.arguments)
        object.set("source", run.source)
        object.set("target", run.target)
        object.set("state", run.state.rawValue)
        object.set("pid", run.pid)
        object.set("started", UTCTime(secondsSince1970: run.startedAt).iso8601)
        object.set("ended", run.endedAt.map { UTCTime(secondsSince1970: $0).iso8601 })
        object.set("exit", run.exitStatus)
        object.set("outcome", run.counts.json)
        object.set(
            "stages",
            run.stages.map { stage in
                var entry = JSONObject()
                entry.set("stage", stage.name)
                entry.set("started", UTCTime(secondsSince1970: stage.startedAt).iso8601)
                entry.set("ended", stage.endedAt.map { UTCTime(secondsSince1970: $0).iso8601 })
                return entry
            }
        )
        object.set("failures_listed", run.failuresKept)
        object.set("failures_dropped", run.failuresDropped)
        return object.line
    }

    /// A failed entry as one object on one line.
    package static func json(_ failure: FailureRecord, of run: RunID) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "failure")
        object.set("run", run.text)
        object.set("kind", failure.kind.name)
        object.set(path: failure.path)
        object.set("code", failure.code)
        object.set("message", failure.what)
        if let why = failure.why { object.set("why", why) }
        if let hint = failure.hint { object.set("hint", hint) }
        object.set("at", UTCTime(secondsSince1970: failure.at).iso8601)
        return object.line
    }
}
