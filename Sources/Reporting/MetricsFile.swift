internal import CLinux
internal import Glibc
package import MediaModel

/// A text file that its reader never sees half written: metrics, a report.
package enum MetricsFile {
    /// Writes a temporary beside the file and renames it over it. Mode 0644: exporters run as another user.
    /// - Parameter unique: makes the temporary's name this run's own, e.g. the run id.
    /// - Parameter what: for the error: `metrics file`, and the flag that named it.
    package static func write(
        _ text: String,
        to path: String,
        unique: String,
        what: (name: String, flag: String) = ("metrics file", "--metrics-file")
    ) throws(SyncError) {
        let temporary = "\(path).\(unique).tmp"
        let descriptor = mds_create(AT_FDCWD, temporary, 0o644)
        guard descriptor >= 0 else { throw error(path, what, number: -descriptor, call: "open") }
        let writer = LineWriter(descriptor: descriptor)
        _ = mds_chmod(descriptor, 0o644)
        writer.write(text)
        let closed = mds_close(descriptor)
        if var failure = writer.failure {
            _ = mds_unlink(AT_FDCWD, temporary)
            failure.what = "could not write the \(what.name) \(BytePath(path))"
            throw failure
        }
        let renamed = closed < 0 ? closed : mds_rename(AT_FDCWD, temporary, AT_FDCWD, path)
        if renamed < 0 {
            _ = mds_unlink(AT_FDCWD, temporary)
            throw error(path, what, number: -renamed, call: "rename")
        }
    }

    /// The file's text; nil where there is none or it cannot be read. At most 64 KiB.
    package static func read(_ path: String) -> String? {
        let descriptor = mds_open_file(AT_FDCWD, path, 0)
        guard descriptor >= 0 else { return nil }
        defer { _ = mds_close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = bytes.withUnsafeMutableBytes { mds_read(descriptor, $0.baseAddress, $0.count) }
        return count > 0 ? String(decoding: bytes.prefix(Int(count)), as: UTF8.self) : nil
    }

    private static func error(
        _ path: String,
        _ what: (name: String, flag: String),
        number: Int32,
        call: String
    ) -> SyncError {
        SyncError(
            .configuration,
            "could not write the \(what.name) \(BytePath(path))",
            why: "\(String(cString: mds_errno_name(number))), \(call)",
            hint: "\(what.flag) needs a directory that this user may write"
        )
    }
}
