internal import CLinux
internal import Glibc
internal import MediaModel

/// A file that has no name yet: what is fetched and made is kept in such files until all of it is good, and then given
/// its name by the store that made it. A process that dies leaves none behind.
package final class SpoolFile: Sendable {
    /// Open for reading and writing, until the last owner lets go.
    package let descriptor: Int32

    /// - Parameter descriptor: becomes this file's own.
    package init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { _ = mds_close(descriptor) }

    package func size() throws(FileFault) -> Int64 {
        var stat = mds_stat()
        _ = try check("fstat", mds_fstat(descriptor, &stat))
        return Metadata(stat).size
    }

    /// Cuts what lies behind, or makes it empty for another try.
    package func truncate(to size: Int64) throws(FileFault) {
        _ = try check("ftruncate", mds_truncate(descriptor, size))
    }
}

extension HeldDirectory {
    /// Makes a file without a name on this directory's file system. Where that cannot make one, it has a name for an
    /// instant.
    package func makeSpool() throws(FileFault) -> SpoolFile {
        let descriptor = mds_create_unnamed_spool(raw, 0o600)
        if descriptor >= 0 { return SpoolFile(owning: descriptor) }
        guard [EOPNOTSUPP, EISDIR, EINVAL, ENOENT].contains(-descriptor) else {
            throw FileFault("openat(O_TMPFILE)", descriptor)
        }
        return try LocalMediaStore.temporaryName().withEntryName { (name) throws(FileFault) in
            let file = try openOrCreateFile(name, mode: 0o600)
            defer { try? removeFile(name) }
            return SpoolFile(owning: file.detach())
        }
    }
}
