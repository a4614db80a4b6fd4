internal import CLinux

/// How much of a file system is left for users.
package struct FileSystemSpace: Sendable, Equatable {
    package let bytes: UInt64
    package let freeBytes: UInt64
    /// 0 where there is no fixed number.
    package let inodes: UInt64
    package let freeInodes: UInt64
    package let isReadOnly: Bool
}

extension HeldDirectory {
    package func space() throws(FileFault) -> FileSystemSpace {
        var space = mds_space()
        _ = try check("fstatvfs", mds_space(raw, &space))
        return FileSystemSpace(
            bytes: space.bytes,
            freeBytes: space.bytes_available,
            inodes: space.inodes,
            freeInodes: space.inodes_available,
            isReadOnly: space.read_only != 0
        )
    }

    /// Whether this process may make and remove entries here.
    package var isWritable: Bool { mds_may_write(raw) == 0 }
}
