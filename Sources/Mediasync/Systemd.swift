import Foundation
import MediaModel
import Programs

/// systemd's own programs. Calls block for as long as they take: a moment.
struct Systemd {
    private static let outputMax = 1 << 20

    /// Whether systemd runs this machine: elsewhere units can be written, not started.
    static var isRunning: Bool { FileManager.default.fileExists(atPath: "/run/systemd/system") }

    /// Runs `systemctl`, and fails with what it says.
    static func control(_ arguments: [String]) throws(SyncError) {
        let call = ProgramCall(BytePath("/usr/bin/systemctl"), arguments.map { BytePath($0) })
        let result = try ChildProgram.run(call, limit: outputMax)
        guard let failure = result.failure else { return }
        throw SyncError(
            .unusable,
            "systemctl \(arguments.joined(separator: " ")) failed",
            why: failure,
            hint: "the units are written; look at systemctl status"
        )
    }

    /// Refuses a time that systemd does not understand; where its program is missing nothing is known.
    static func check(_ expression: String) throws(SyncError) {
        let analyze = "/usr/bin/systemd-analyze"
        guard FileManager.default.isExecutableFile(atPath: analyze) else { return }
        let call = ProgramCall(BytePath(analyze), [BytePath("calendar"), BytePath("--"), BytePath(expression)])
        guard let failure = try ChildProgram.run(call, limit: outputMax).failure else { return }
        throw SyncError(
            .usage,
            "\(BytePath(expression)) is no time",
            why: failure,
            hint: "hourly, daily, weekly, monthly, or as in man systemd.time: Sun 04:00"
        )
    }

    /// When a time comes next: `2026-11-25T00:00:00Z`; nil where it does not, or nobody can tell.
    static func next(_ expression: String) -> String? {
        let call = ProgramCall(
            BytePath("/usr/bin/systemd-analyze"),
            [BytePath("calendar"), BytePath("--"), BytePath(expression)]
        )
        guard let result = try? ChildProgram.run(call, limit: outputMax), result.failure == nil else { return nil }
        for line in String(decoding: result.output, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            // `Next elapse: Wed 2026-11-25 00:00:00 UTC`: this program asks in UTC.
            if words.count >= 5, words[0] == "Next", words[1] == "elapse:" { return "\(words[3])T\(words[4])Z" }
        }
        return nil
    }
}
