internal import Glibc
package import MediaModel
internal import Storage

/// A list of entries in a file without a name, for programs that this process starts. It is gone with this value.
package final class ArchiveList: Sendable {
    private let descriptor: Int32

    /// - Parameters:
    ///   - list: what `ArchiveToc` says is used.
    ///   - directory: any one that can be written to.
    package init(_ list: [UInt8], directory: BytePath) throws(SyncError) {
        let file = try DumpSpool.makeFile(directory)
        do throws(FileFault) { try file.write(list, at: 0) } catch {
            throw error.syncError("cannot keep an archive's list in \(directory)")
        }
        descriptor = file.detach()
    }

    deinit {
        _ = OpenFile(raw: descriptor)
    }

    /// For `--use-list`.
    package var pathForPrograms: BytePath { BytePath("/proc/\(getpid())/fd/\(descriptor)") }
}
