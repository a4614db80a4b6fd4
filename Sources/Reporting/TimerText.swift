package import MediaModel

/// What `mediasync schedule list` prints.
package enum TimerText {
    package static func text(_ lines: [TimerLine]) -> String {
        let rows = lines.map { line in
            let first = line.times.first ?? ""
            let more = line.times.count > 1 ? " and \(line.times.count - 1) more" : ""
            return [line.name, line.next ?? "never", BytePath.escaped(Array("\(first)\(more)".utf8))]
        }
        return ColumnText.text([["TIMER", "NEXT", "TIMES"]] + rows)
    }

    /// One object of the type `timer` a line.
    package static func json(_ lines: [TimerLine]) -> [UInt8] {
        lines.flatMap { line in
            var object = JSONObject()
            object.set("type", "timer")
            object.set("v", JSONLines.version)
            object.set("name", line.name)
            object.set("times", line.times)
            object.set("next", line.next)
            return object.line
        }
    }
}
