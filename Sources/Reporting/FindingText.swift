package import MediaModel

/// What `mediasync doctor` prints.
package enum FindingText {
    /// A line for each finding; a remedy on a line of its own.
    package static func text(_ findings: [Finding], usesColor: Bool) -> String {
        let palette = Palette(isEnabled: usesColor)
        let width = findings.map(\.name.count).max() ?? 0
        return findings.map { finding in
            let verdict = padded(finding.verdict.name, 7)
            let mark =
                switch finding.verdict {
                case .good: verdict
                case .warning: palette.yellow(verdict)
                case .problem: palette.red(verdict)
                }
            let origin = finding.origin.map { "  (\($0))" } ?? ""
            let line = "\(mark)  \(padded(finding.name, width))  \(finding.value)\(origin)\n"
            let space = String(repeating: " ", count: width + 11)
            return line + (finding.remedy.map { "\(space)-> \($0)\n" } ?? "")
        }.joined()
    }

    /// One object of the type `check` a line.
    package static func json(_ findings: [Finding]) -> [UInt8] {
        findings.flatMap { finding in
            var object = JSONObject()
            object.set("type", "check")
            object.set("v", JSONLines.version)
            object.set("name", finding.name)
            object.set("verdict", finding.verdict.name)
            object.set("value", finding.value)
            object.set("origin", finding.origin)
            object.set("remedy", finding.remedy)
            if case .problem(let code) = finding.verdict {
                object.set("code", code.name)
                object.set("exit", code.exitStatus.rawValue)
            }
            return object.line
        }
    }

    /// `DB_HOST  localhost  (DB_HOST in ...)`, one a line.
    package static func text(_ settings: [SettingLine]) -> String {
        let width = settings.map(\.name.count).max() ?? 0
        return settings.map { line in
            let value = line.value.map { $0.isEmpty ? "(empty)" : BytePath.escaped(Array($0.utf8)) } ?? "(not set)"
            return "\(padded(line.name, width))  \(value)  (\(line.origin))\n"
        }.joined()
    }

    /// One object of the type `setting` a line.
    package static func json(_ settings: [SettingLine]) -> [UInt8] {
        settings.flatMap { line in
            var object = JSONObject()
            object.set("type", "setting")
            object.set("v", JSONLines.version)
            object.set("name", line.name)
            object.set("value", line.value)
            object.set("origin", line.origin)
            return object.line
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
