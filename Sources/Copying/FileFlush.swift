internal import Storage

/// How finished files come to the disk before they get their names.
enum FileFlush: Sendable {
    /// By an fsync of each.
    case each
    /// By a flush of the whole file system on this device, which is done. A file elsewhere has an fsync of its own; one
    /// that is there still tells whether its bytes were lost in the flush.
    case together(device: UInt64)

    /// So many files are flushed one by one, without writing out what other programs have written.
    static let eachMax = 16

    /// Flushes the file system of `root` where many files wait. Where that fails each has an fsync, whose error names the file.
    ///
    /// Behind a commit of the journal an fsync of each finds its file committed, but has the disk empty its cache once more:
    /// 20,000 small files took 30 s that way and 5 s without any fsync (ext4 on a loop device).
    init(of files: Int, in root: HeldDirectory) {
        self = .each
        guard files > Self.eachMax else { return }
        do throws(FileFault) {
            let device = try root.metadata().device
            try root.synchronizeFileSystem()
            self = .together(device: device)
        } catch {}
    }

    /// Throws where the file's bytes did not reach the disk.
    func finish(_ file: borrowing OpenFile) throws(FileFault) {
        if case .together(let device) = self, try file.metadata().device == device {
            try file.checkWriteback()
        } else {
            try file.synchronize()
        }
    }
}
