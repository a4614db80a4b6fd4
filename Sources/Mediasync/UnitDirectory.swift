import Foundation
import MediaModel
import Scheduling

/// The directory where systemd looks for units. Only files with our mark are written over or removed.
struct UnitDirectory {
    let path: String

    /// A unit of ours is some kilobytes.
    private static let bytesMax = 1 << 16

    /// Whether a file of this name is ours; nil where there is none.
    private func isOurs(_ name: String) throws(SyncError) -> Bool? {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.path) else { return nil }
        guard attributes[.type] as? FileAttributeType == .typeRegular,
            (attributes[.size] as? Int ?? 0) <= Self.bytesMax,
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { return false }
        return text.hasPrefix(SystemdUnits.mark)
    }

    /// Writes a unit, whole or not at all.
    func write(_ text: String, to name: String) throws(SyncError) {
        if try isOurs(name) == false {
            throw SyncError(
                .refused,
                "\(BytePath("\(path)/\(name)")) was not written by mediasync",
                hint: "move it away, or name another directory with --unit-dir"
            )
        }
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: url.path)
        } catch {
            throw SyncError(
                .unusable,
                "cannot write \(BytePath(url.path))",
                why: (error as NSError).localizedFailureReason ?? error.localizedDescription,
                hint: "run as root, or name another directory with --unit-dir; mediasync schedule print shows the units"
            )
        }
    }

    /// Removes a unit of ours; false where there is none.
    func remove(_ name: String) throws(SyncError) -> Bool {
        guard try isOurs(name) == true else { return false }
        do {
            try FileManager.default.removeItem(atPath: "\(path)/\(name)")
            return true
        } catch {
            throw SyncError(
                .unusable,
                "cannot remove \(BytePath("\(path)/\(name)"))",
                why: (error as NSError).localizedFailureReason ?? error.localizedDescription,
                hint: "run as root"
            )
        }
    }

    /// Jobs that have a timer of ours here, with its times.
    func installed() throws(SyncError) -> [(job: Job, times: [String])] {
        var found: [(Job, [String])] = []
        for job in Job.allCases {
            let name = "\(job.unitName).timer"
            guard try isOurs(name) == true, let text = try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
            else { continue }
            let prefix = "OnCalendar="
            let times = text.split(separator: "\n").filter { $0.hasPrefix(prefix) }.map {
                String($0.dropFirst(prefix.count))
            }
            found.append((job, times))
        }
        return found
    }
}
