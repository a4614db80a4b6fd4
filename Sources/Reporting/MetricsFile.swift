internal import CLinux
internal import Glibc
package import MediaModel

/// A small text file that its reader never sees half written.
package enum MetricsFile {
    /// Writes a temporary beside the file and renames it over it. Mode 0644: exporters run as another user.
    /// - Parameter unique: makes the temporary's name this run's own, e.g. the run id.
    package static func write(_ text: String, to path: String, unique: String) throws(SyncError) {
        let temporary = "\(path).\(unique).tmp"
        let descriptor = mds_create(AT_FDCWD, temporary, 0o644)
        guard descriptor >= 0 else { throw error(path, number: -descriptor, call: "open") }
        let writer = LineWriter(descriptor: descriptor)
        _ = mds_chmod(descriptor, 0o644)
        writer.write(text)
        let closed = mds_close(descriptor)
        if var failure = writer.failure {
            _ = mds_unlink(AT_FDCWD, temporary)
            failure.what = "could not write the metrics file \(BytePath(path))"
            throw failure
        }
        let renamed = closed < 0 ? closed : mds_rename(AT_FDCWD, temporary, AT_FDCWD, path)
        if renamed < 0 {
            _ = mds_unlink(AT_FDCWD, temporary)
            throw error(path, number: -renamed, call: "rename")
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

    private static func error(_ path: String, number: Int32, call: String) -> SyncError {
        SyncError(
            .configuration,
            "could not write the metrics file \(BytePath(path))",
            why: "\(String(cString: mds_errno_name(number))), \(call)",
            hint: "--metrics-file needs a directory that this user may write"
        )
    }
}
