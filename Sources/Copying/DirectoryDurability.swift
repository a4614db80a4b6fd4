internal import Storage

/// How renames and attributes of directories reach the disk under `--fsync file`.
enum DirectoryDurability: Sendable {
    /// Left to the kernel, or to one flush of the whole file system.
    case none
    /// One fsync for every directory that was changed, up to `eachMax`; a run that changes more flushes the whole file
    /// system once at its end.
    case each
    /// One fsync of the target's root after its last change. The file system writes its journal in order, so that what
    /// commits the root's last change has committed every change before it. Files are synchronized one by one all the
    /// same: their data is not in the journal.
    case journal

    /// So many directories are synchronized one by one. Each costs writes and a flush of the disk's cache, which holds up
    /// everybody on that disk: for the tens of thousands of a first copy one `syncfs` is the smaller burden, although it
    /// writes out what other programs have written as well.
    static let eachMax = 1024

    /// Asks the target's root; a file system that is not known to be ordered gets an fsync for each directory.
    init(of target: HeldDirectory) {
        self = target.isOpen && FileSystemJournal.isOrdered(target) ? .journal : .each
    }
}
