internal import CLinux
internal import Glibc

/// A handle to an entry itself (O_PATH): a link, a device, an unreadable file. What was checked through the handle is what
/// is changed, even when the name is given to something else meanwhile.
package struct EntryHandle: ~Copyable {
    private let raw: Int32

    init(raw: Int32) {
        self.raw = raw
    }

    deinit {
        _ = mds_close(raw)
    }

    package func metadata() throws(FileFault) -> Metadata {
        var stat = mds_stat()
        _ = try check("fstat", mds_fstat(raw, &stat))
        return Metadata(stat)
    }

    package func setTimes(access: Timestamp, modification: Timestamp) throws(FileFault) {
        _ = try check(
            "utimensat",
            mds_set_times_path(
                raw,
                access.seconds,
                access.nanoseconds,
                modification.seconds,
                modification.nanoseconds
            )
        )
    }

    /// Not for links: they have no permissions.
    package func setPermissions(_ mode: UInt32) throws(FileFault) {
        _ = try check("chmod", mds_chmod_path(raw, mode))
    }

    package func setOwner(_ owner: UInt32, group: UInt32) throws(FileFault) {
        _ = try check("fchownat", mds_chown_path(raw, owner, group))
    }
}
