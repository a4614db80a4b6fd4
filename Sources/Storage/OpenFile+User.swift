internal import CLinux
package import MediaModel

extension OpenFile {
    /// Opens a file the user named, for reading: links in this path are the user's own and are followed.
    package static func openUserFile(_ path: BytePath) throws(FileFault) -> OpenFile {
        OpenFile(
            raw: try path.withEntryName { (path) throws(FileFault) in try check("open", mds_open_user_file(path)) }
        )
    }

    /// A second owner of a descriptor's open file: same position, same access.
    package static func duplicate(_ descriptor: Int32) throws(FileFault) -> OpenFile {
        OpenFile(raw: try check("fcntl", mds_dup(descriptor)))
    }

    /// Tells the kernel that the file will be read from its start to its end.
    package func willReadSequentially() {
        _ = mds_read_sequentially(raw)
    }
}
