internal import CLinux
package import MediaModel

extension HeldDirectory {
    /// Opens a directory by a path of several components, none of which may be a link or lead above this directory. The
    /// root is this directory itself.
    package func openDirectory(beneath path: BytePath) throws(FileFault) -> HeldDirectory {
        let path = path == .root ? BytePath(".") : path
        let descriptor = path.withEntryName { mds_open_directory_beneath(raw, $0) }
        return HeldDirectory(raw: try check("openat2", descriptor))
    }

    /// Runs `body` with the directory that a path is in, and the name in it.
    package func withParent<Result>(
        of path: BytePath,
        _ body: (HeldDirectory, EntryName) throws(FileFault) -> Result
    ) throws(FileFault) -> Result {
        let directory = try openDirectory(beneath: path.parent)
        defer { directory.close() }
        return try path.lastComponent.withEntryName { (name) throws(FileFault) in try body(directory, name) }
    }
}
