package import MediaModel

/// Rows and files by kind, local and remote: a table for people, one object a line for programs.
package enum MediaTable {
    /// Lines without rows are left out; nothing at all where there are none.
    package static func text(_ lines: [MediaTallyLine]) -> String {
        let shown = lines.filter { $0.tally.rows > 0 }
        guard !shown.isEmpty else { return "" }
        var rows = [["", "ROWS", "FILES", "MISSING", "EMPTY", "DIFFERENT", "FAILED", "ON DISK"]]
        for isLocal in [true, false] {
            let half = shown.filter { $0.isLocal == isLocal }
            let name = isLocal ? "local" : "remote"
            rows += half.map { cells("\(name) \($0.title)", $0.tally) }
            guard half.count > 1 else { continue }
            rows.append(cells("\(name), all", half.reduce(into: MediaTally()) { $0 += $1.tally }))
        }
        return ColumnText.text(rows)
    }

    private static func cells(_ name: String, _ tally: MediaTally) -> [String] {
        let counts = [tally.rows, tally.files, tally.missing, tally.empty, tally.different, tally.failed]
        return [name] + counts.map { NumberText.grouped($0) } + [ByteCount.describe(tally.bytesOnDisk)]
    }

    /// One object of the type `media` a line.
    package static func json(_ lines: [MediaTallyLine]) -> [UInt8] {
        lines.flatMap { line in
            var object = JSONObject()
            object.set("type", "media")
            object.set("kind", line.kind)
            object.set("local", line.isLocal)
            object.set("rows", line.tally.rows)
            object.set("files", line.tally.files)
            object.set("missing", line.tally.missing)
            object.set("empty", line.tally.empty)
            object.set("different", line.tally.different)
            object.set("failed", line.tally.failed)
            object.set("bytes_in_rows", line.tally.bytesInRows)
            object.set("bytes_on_disk", line.tally.bytesOnDisk)
            return object.line
        }
    }
}
