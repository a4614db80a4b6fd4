package import MediaModel

/// What became of the stages of a run: a table for people, one object a line for programs.
package enum StageTable {
    package static func text(_ lines: [StageLine]) -> String {
        let head = ["STAGE", "STATE", "TIME", "SEEN", "WRITTEN", "FETCHED", "CLEARED", "MISSING", "FAILED"]
        return ColumnText.text([head] + lines.map(cells))
    }

    private static func cells(_ line: StageLine) -> [String] {
        let counts = line.counts
        let isRun = line.elapsed != nil
        func number(_ value: Int) -> String { isRun && value > 0 ? NumberText.grouped(value) : "" }
        return [
            line.name, line.state.rawValue,
            line.elapsed.map { NumberText.clock(seconds: Int($0.inSeconds.rounded())) } ?? "",
            number(counts.seen), counts.bytesWritten > 0 ? ByteCount.describe(counts.bytesWritten) : "",
            number(counts.fetched), number(counts.updated), number(counts.different),
            number(counts.failed + counts.deleteFailed),
        ]
    }

    /// One object of the type `stage_result` a line.
    package static func json(_ lines: [StageLine]) -> [UInt8] {
        lines.flatMap { line in
            var object = JSONObject()
            object.set("type", "stage_result")
            object.set("stage", line.name)
            object.set("state", line.state.rawValue)
            if let elapsed = line.elapsed {
                object.set("elapsed_s", seconds: elapsed.inSeconds)
                object.set("outcome", line.counts.json)
            }
            return object.line
        }
    }
}
