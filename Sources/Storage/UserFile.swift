internal import CLinux
internal import Glibc
package import MediaModel

/// Files that the user names on the command line: lists and rules.
package enum UserFile {
    /// Reads a whole file; `-` is standard input.
    /// - Parameter limit: the most bytes that are accepted.
    package static func read(_ path: BytePath, limit: Int = 1 << 30) throws(SyncError) -> [UInt8] {
        if path == BytePath("-") { return try contents(of: STDIN_FILENO, path, limit) }
        let descriptor = path.withEntryName { mds_open_user_file($0) }
        guard descriptor >= 0 else {
            throw SyncError(
                .usage,
                "cannot open \(path)",
                why: FileFault("open", descriptor).reason,
                hint: "check the path"
            )
        }
        let file = OpenFile(raw: descriptor)
        return try contents(of: file.raw, path, limit)
    }

    private static func contents(of descriptor: Int32, _ path: BytePath, _ limit: Int) throws(SyncError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { mds_read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                throw SyncError(.usage, "cannot read \(path)", why: FileFault("read", Int32(count)).reason)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            if bytes.count > limit {
                throw SyncError(.usage, "\(path) is too large", why: "more than \(ByteCount.describe(Int64(limit)))")
            }
        }
    }
}
