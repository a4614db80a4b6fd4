package import MediaModel

/// What `mediasync status --usage` prints.
package enum UsageTable {
    package static func text(_ lines: [MediaUsage]) -> String {
        var rows = [["", "ROWS", "ROWS SAY", "FILES", "ORIGINALS", "OTHERS", "DIFFERENCE"]]
        for isCached in [false, true] {
            let half = lines.filter { $0.isCached == isCached && ($0.rows > 0 || $0.files > 0) }
            let place = isCached ? "cache/" : ""
            rows += half.map { cells("\(place)\($0.title)", $0) }
            guard half.count > 1 else { continue }
            rows.append(cells(isCached ? "all of cache/" : "all but cache/", half.sum))
        }
        guard rows.count > 1 else { return "no media\n" }
        return ColumnText.text(rows)
    }

    private static func cells(_ name: String, _ line: MediaUsage) -> [String] {
        let size = ByteCount.describe(abs(line.difference))
        let sign = line.difference > 0 ? "+" : line.difference < 0 ? "-" : ""
        return [
            name, NumberText.grouped(line.rows), ByteCount.describe(line.bytesInRows), NumberText.grouped(line.files),
            ByteCount.describe(line.bytesOfOriginals), ByteCount.describe(line.bytesOfOthers), sign + size,
        ]
    }

    /// One object of the type `usage` a line.
    package static func json(_ lines: [MediaUsage]) -> [UInt8] {
        lines.flatMap { line in
            var object = JSONObject()
            object.set("type", "usage")
            object.set("v", JSONLines.version)
            object.set("kind", line.kind.isEmpty ? nil : line.kind)
            object.set("cached", line.isCached)
            object.set("rows", line.rows)
            object.set("bytes_in_rows", line.bytesInRows)
            object.set("files", line.files)
            object.set("bytes_of_originals", line.bytesOfOriginals)
            object.set("bytes_of_others", line.bytesOfOthers)
            return object.line
        }
    }
}

extension [MediaUsage] {
    fileprivate var sum: MediaUsage {
        reduce(into: MediaUsage(kind: "", title: "", isCached: false)) { sum, line in
            sum.rows += line.rows
            sum.bytesInRows += line.bytesInRows
            sum.files += line.files
            sum.bytesOfOriginals += line.bytesOfOriginals
            sum.bytesOfOthers += line.bytesOfOthers
        }
    }
}
