internal import CLinux
internal import Glibc

/// An open file: one owner, closed once, whatever way the scope is left.
package struct OpenFile: ~Copyable {
    package let raw: Int32

    package init(raw: Int32) {
        self.raw = raw
    }

    deinit {
        _ = mds_close(raw)
    }

    /// Gives the descriptor away; the new owner closes it.
    package consuming func detach() -> Int32 {
        let descriptor = raw
        discard self
        return descriptor
    }

    /// Opens the same file once more, for reading it back.
    package func reopenedForReading() throws(FileFault) -> OpenFile {
        OpenFile(raw: try check("open", mds_reopen_for_reading(raw)))
    }

    package func metadata() throws(FileFault) -> Metadata {
        var stat = mds_stat()
        _ = try check("fstat", mds_fstat(raw, &stat))
        return Metadata(stat)
    }

    // MARK: Bytes

    /// Reads at the file position; fewer bytes than asked for means the end of a regular file, 0 always does.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) -> Int {
        try check("read", mds_read(raw, buffer.baseAddress, buffer.count))
    }

    /// The same on a descriptor that somebody else keeps open.
    package static func read(descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) -> Int {
        try check("read", mds_read(descriptor, buffer.baseAddress, buffer.count))
    }

    /// Reads `buffer.count` bytes at an offset, or fewer where the file ends.
    package func readFully(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileFault) -> Int {
        try Self.read(descriptor: raw, into: buffer, at: offset)
    }

    /// The same on a descriptor that somebody else keeps open.
    package static func read(
        descriptor: Int32,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) throws(FileFault) -> Int {
        var done = 0
        while done < buffer.count {
            let count = try check(
                "pread",
                mds_pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, offset + Int64(done))
            )
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Reads from the start into an array as long as it is; the count read.
    package func readFully(into bytes: inout [UInt8]) throws(FileFault) -> Int {
        let (count, fault) = bytes.withUnsafeMutableBytes { buffer -> (Int, FileFault?) in
            do throws(FileFault) { return (try readFully(into: buffer, at: 0), nil) } catch { return (0, error) }
        }
        if let fault { throw fault }
        return count
    }

    /// Writes all of an array at an offset.
    package func write(_ bytes: [UInt8], at offset: Int64) throws(FileFault) {
        let fault = bytes.withUnsafeBytes { buffer -> FileFault? in
            do throws(FileFault) {
                try write(buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let fault { throw fault }
    }

    /// Writes all bytes at the file position.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileFault) {
        var done = 0
        while done < bytes.count {
            done += try check("write", mds_write(raw, bytes.baseAddress.map { $0 + done }, bytes.count - done))
        }
    }

    /// The same on a descriptor that somebody else keeps open.
    package static func append(descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(FileFault) {
        var done = 0
        while done < bytes.count {
            done += try check("write", mds_write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done))
        }
    }

    /// Writes all bytes at an offset.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileFault) {
        try Self.write(descriptor: raw, bytes, at: offset)
    }

    /// The same on a descriptor that somebody else keeps open.
    package static func write(
        descriptor: Int32,
        _ bytes: UnsafeRawBufferPointer,
        at offset: Int64
    ) throws(FileFault) {
        var done = 0
        while done < bytes.count {
            done += try check(
                "pwrite",
                mds_pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, offset + Int64(done))
            )
        }
    }

    package func truncate(to size: Int64) throws(FileFault) {
        _ = try check("ftruncate", mds_truncate(raw, size))
    }

    /// Reserves blocks, so that a full disk is known before the bytes are moved. File systems without it are left alone.
    package func reserve(_ size: Int64) throws(FileFault) {
        do throws(FileFault) {
            _ = try check("fallocate", mds_reserve(raw, size))
        } catch  where error.kind == .unsupported {
            return
        }
    }

    /// Where data begins at or after an offset; nil at the last hole.
    package func nextData(from offset: Int64) throws(FileFault) -> Int64? {
        let position = mds_seek_data(raw, offset)
        if position == -Int64(ENXIO) { return nil }
        return try check("lseek", position)
    }

    /// Where the next hole begins (the end of the file counts as one).
    package func nextHole(from offset: Int64) throws(FileFault) -> Int64 {
        try check("lseek", mds_seek_hole(raw, offset))
    }

    /// Copies inside the kernel; the count copied, 0 at the end.
    package func copyRange(to target: borrowing OpenFile, at offset: Int64, count: Int) throws(FileFault) -> Int {
        try check("copy_file_range", mds_copy_range(raw, target.raw, offset, count))
    }

    /// The same on descriptors that somebody else keeps open, to another place.
    package static func copyRange(
        from source: Int32,
        at offset: Int64,
        to target: Int32,
        at position: Int64,
        count: Int
    ) throws(FileFault) -> Int {
        try check("copy_file_range", mds_copy_range_to(source, offset, target, position, count))
    }

    /// Makes `target` share this file's blocks. False where the file systems cannot.
    package func clone(to target: borrowing OpenFile) throws(FileFault) -> Bool {
        do throws(FileFault) {
            _ = try check("ioctl(FICLONE)", mds_clone(raw, target.raw))
            return true
        } catch  where error.kind == .unsupported || error.kind == .crossDevice || error.kind == .denied {
            return false
        }
    }

    /// Drops clean pages from the page cache, so that the next read comes from the disk.
    package func forgetCache() {
        _ = mds_forget_cache(raw)
    }

    /// Waits until content and attributes are on stable storage. An error is final: it is never asked again on the same
    /// descriptor, because the kernel reports a lost write only once.
    package func synchronize() throws(FileFault) {
        _ = try check("fsync", mds_fsync(raw))
    }

    /// Asks the kernel to begin writing out what was written, and waits for nothing. Whether it arrives is told by
    /// `synchronize` alone.
    package static func beginWriteback(descriptor: Int32) {
        _ = mds_begin_writeback(descriptor)
    }

    /// Waits for write-out that began elsewhere, and throws what it came to: how a file learns whether a flush of the whole
    /// file system, whose own result old kernels (before 5.8) do not tell, has lost its bytes. Flushes nothing itself.
    package func checkWriteback() throws(FileFault) {
        _ = try check("sync_file_range", mds_wait_for_writeback(raw))
    }

    // MARK: Attributes

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
}
