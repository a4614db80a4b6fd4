internal import Foundation
internal import Glibc

/// Names one process beyond the reuse of its number: number, time of its start, and boot of the machine.
package struct ProcessIdentity: Sendable, Equatable {
    package var pid: Int32
    /// Clock ticks from boot to the process's start; nil where /proc does not tell.
    package var startTicks: Int64?
    package var bootID: String

    package init(pid: Int32, startTicks: Int64?, bootID: String) {
        self.pid = pid
        self.startTicks = startTicks
        self.bootID = bootID
    }

    /// The process with this number as it is now.
    package init(pid: Int32) {
        self.init(pid: pid, startTicks: Self.startTicks(of: pid), bootID: Self.currentBootID)
    }

    /// This process.
    package static var current: ProcessIdentity { ProcessIdentity(pid: getpid()) }

    /// Whether the process still runs. A process of another user whose /proc is hidden counts as running.
    package var isAlive: Bool {
        guard bootID == Self.currentBootID else { return false }
        if let now = Self.startTicks(of: pid) { return startTicks == nil || now == startTicks }
        return kill(pid, 0) == 0 || errno == EPERM
    }

    private static var currentBootID: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }

    /// Field 22 of `/proc/PID/stat`. The second field is the program's name in parentheses and may hold anything, so
    /// fields are counted behind the last parenthesis. Nil for a process that has ended and waits for its parent.
    private static func startTicks(of pid: Int32) -> Int64? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
            let close = data.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = String(decoding: data[(close + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        return Int64(fields[19])
    }
}
