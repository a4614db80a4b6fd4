internal import CLinux
internal import Glibc
package import MediaModel

/// One component as system calls take it: bytes ending in NUL, never with a slash.
package typealias EntryName = UnsafePointer<CChar>

/// A directory held open. Every call names one entry in it, so that a link swapped in anywhere above or at the name never
/// leads outside. A plain value: its owner calls `close` once.
package struct HeldDirectory: Sendable, Equatable {
    package let raw: Int32

    package init(raw: Int32) {
        self.raw = raw
    }

    /// No directory.
    package static let none = HeldDirectory(raw: -1)

    package var isOpen: Bool { raw >= 0 }

    /// Opens a directory the user named: links in this path are the user's own and are followed.
    package static func openRoot(_ path: BytePath) throws(FileFault) -> HeldDirectory {
        HeldDirectory(
            raw: try path.withEntryName { (path) throws(FileFault) in try check("open", mds_open_root(path)) }
        )
    }

    package func close() {
        if raw >= 0 { _ = mds_close(raw) }
    }

    /// A second descriptor of the same directory, with the same listing position.
    package func duplicate() throws(FileFault) -> HeldDirectory {
        HeldDirectory(raw: try check("fcntl", mds_dup(raw)))
    }

    // MARK: Looking

    /// The directory's own metadata.
    package func metadata() throws(FileFault) -> Metadata {
        var stat = mds_stat()
        _ = try check("fstat", mds_fstat(raw, &stat))
        return Metadata(stat)
    }

    /// An entry's metadata; links are not followed.
    package func metadata(of name: EntryName) throws(FileFault) -> Metadata {
        var stat = mds_stat()
        _ = try check("fstatat", mds_lstat_at(raw, name, &stat))
        return Metadata(stat)
    }

    /// An entry's metadata, nil where there is no such entry.
    package func lookUp(_ name: EntryName) throws(FileFault) -> Metadata? {
        var stat = mds_stat()
        let result = mds_lstat_at(raw, name, &stat)
        if result == -ENOENT { return nil }
        _ = try check("fstatat", result)
        return Metadata(stat)
    }

    /// Reads the next part of the listing; 0 at its end.
    package func list(into buffer: ListingBuffer) throws(FileFault) -> Int {
        let count = try check("getdents64", mds_getdents(raw, buffer.bytes, ListingBuffer.capacity))
        buffer.filled = count
        return count
    }

    /// Starts the listing over.
    package func rewind() throws(FileFault) {
        _ = try check("lseek", mds_seek_start(raw))
    }

    package func readLink(_ name: EntryName) throws(FileFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4097)
        let count = bytes.withUnsafeMutableBytes { mds_readlink(raw, name, $0.baseAddress, $0.count) }
        return Array(bytes.prefix(try check("readlinkat", count)))
    }

    /// The magic number of the file system (`statfs`).
    package func fileSystemType() throws(FileFault) -> UInt64 {
        var type: UInt64 = 0
        _ = try check("fstatfs", mds_filesystem_type(raw, &type))
        return type
    }

    // MARK: Opening

    package func openDirectory(_ name: EntryName) throws(FileFault) -> HeldDirectory {
        HeldDirectory(raw: try check("openat", mds_open_directory(raw, name)))
    }

    /// The same, but fails (`crossDevice`) where something is mounted on the entry, a bind mount of the same file system
    /// too.
    package func openDirectoryOnSameMount(_ name: EntryName) throws(FileFault) -> HeldDirectory {
        HeldDirectory(raw: try check("openat2", mds_open_directory_same_mount(raw, name)))
    }

    /// Fails (`notEmpty`) where a directory has entries.
    package func requireEmptyDirectory(_ name: EntryName) throws(FileFault) {
        let directory = try openDirectory(name)
        defer { directory.close() }
        let listing = ListingBuffer()
        while try directory.list(into: listing) > 0 {
            var cursor = 0
            if listing.next(&cursor) != nil { throw FileFault("unlinkat", -ENOTEMPTY) }
        }
    }

    /// Opens a file for reading.
    /// - Parameter keepAccessTime: do not touch the access time; needs the owner or root, and is given up silently.
    package func openFile(_ name: EntryName, keepAccessTime: Bool = false) throws(FileFault) -> OpenFile {
        if keepAccessTime {
            let descriptor = mds_open_file(raw, name, 1)
            if descriptor != -EPERM { return OpenFile(raw: try check("openat", descriptor)) }
        }
        return OpenFile(raw: try check("openat", mds_open_file(raw, name, 0)))
    }

    /// Opens a file by a path of several components, none of which may be a link or lead above this directory.
    package func openFile(beneath path: EntryName) throws(FileFault) -> OpenFile {
        OpenFile(
            raw: try check(
                "openat2",
                mds_open_file_beneath(raw, path)
            )
        )
    }

    /// Makes a new file; the name must be free.
    package func createFile(_ name: EntryName, mode: UInt32) throws(FileFault) -> OpenFile {
        OpenFile(raw: try check("openat", mds_create(raw, name, mode)))
    }

    /// Makes a new file that has no name yet: a process that dies leaves nothing behind. Nil where the file system cannot.
    package func createUnnamedFile(mode: UInt32) throws(FileFault) -> OpenFile? {
        let descriptor = mds_create_unnamed(raw, mode)
        // Kernels and file systems without it: EISDIR and EOPNOTSUPP (open(2)); some FUSE ones say EINVAL or ENOENT.
        if [EOPNOTSUPP, EISDIR, EINVAL, ENOENT].contains(-descriptor) { return nil }
        return OpenFile(raw: try check("openat(O_TMPFILE)", descriptor))
    }

    /// Gives an unnamed file its first name; the name must be free.
    package func link(unnamed descriptor: Int32, as name: EntryName) throws(FileFault) {
        _ = try check("linkat", mds_link_unnamed(descriptor, raw, name))
    }

    package func openOrCreateFile(_ name: EntryName, mode: UInt32) throws(FileFault) -> OpenFile {
        OpenFile(raw: try check("openat", mds_open_or_create(raw, name, mode)))
    }

    package func openEntry(_ name: EntryName) throws(FileFault) -> EntryHandle {
        EntryHandle(raw: try check("openat", mds_open_path(raw, name)))
    }

    // MARK: Names

    package func makeDirectory(_ name: EntryName, mode: UInt32) throws(FileFault) {
        _ = try check("mkdirat", mds_mkdir(raw, name, mode))
    }

    package func makeSymlink(_ name: EntryName, text: [UInt8]) throws(FileFault) {
        let terminated = text + [0]
        let result = terminated.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { mds_symlink($0.baseAddress, raw, name) }
        }
        _ = try check("symlinkat", result)
    }

    /// Makes a fifo, socket or device entry.
    package func makeSpecial(_ name: EntryName, mode: UInt32, deviceNumber: UInt64) throws(FileFault) {
        _ = try check("mknodat", mds_mknod(raw, name, mode, deviceNumber))
    }

    /// Makes a second name for an entry; the new name must be free.
    package func link(_ name: EntryName, to other: HeldDirectory, as newName: EntryName) throws(FileFault) {
        _ = try check("linkat", mds_link(raw, name, other.raw, newName))
    }

    /// Gives an entry a new name, replacing what has it.
    package func rename(_ name: EntryName, to other: HeldDirectory, as newName: EntryName) throws(FileFault) {
        _ = try check("renameat", mds_rename(raw, name, other.raw, newName))
    }

    /// Gives an entry a new name that must be free. File systems that cannot promise it get a look before the rename.
    package func renameWithoutReplacing(_ name: EntryName, as newName: EntryName) throws(FileFault) {
        let result = mds_rename_noreplace(raw, name, raw, newName)
        if result == -EINVAL || result == -ENOSYS {
            if try lookUp(newName) != nil { throw FileFault("renameat2", -EEXIST) }
            return try rename(name, to: self, as: newName)
        }
        _ = try check("renameat2", result)
    }

    package func removeFile(_ name: EntryName) throws(FileFault) {
        _ = try check("unlinkat", mds_unlink(raw, name))
    }

    /// Removes an empty directory.
    package func removeDirectory(_ name: EntryName) throws(FileFault) {
        _ = try check("unlinkat", mds_rmdir(raw, name))
    }

    // MARK: The directory's own attributes

    package func setTimes(access: Timestamp, modification: Timestamp) throws(FileFault) {
        _ = try check(
            "futimens",
            mds_set_times(
                raw,
                access.seconds,
                access.nanoseconds,
                modification.seconds,
                modification.nanoseconds
            )
        )
    }

    package func setPermissions(_ mode: UInt32) throws(FileFault) {
        _ = try check("fchmod", mds_chmod(raw, mode))
    }

    package func setOwner(_ owner: UInt32, group: UInt32) throws(FileFault) {
        _ = try check("fchown", mds_chown(raw, owner, group))
    }

    package func synchronize() throws(FileFault) {
        _ = try check("fsync", mds_fsync(raw))
    }

    /// Flushes the whole file system this directory is on, other programs' data too.
    package func synchronizeFileSystem() throws(FileFault) {
        _ = try check("syncfs", mds_syncfs(raw))
    }

    /// Takes the exclusive lock of this directory. False where another process holds it.
    package func lock() throws(FileFault) -> Bool {
        let result = mds_lock(raw)
        if result == -EWOULDBLOCK { return false }
        _ = try check("flock", result)
        return true
    }
}
