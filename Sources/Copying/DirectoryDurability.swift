internal import Storage

/// How renames and attributes of directories reach the disk under `--fsync file`.
enum DirectoryDurability: Sendable {
    /// Left to the kernel, or to one flush of the whole file system.
    case none
    /// One fsync for every directory that was changed.
    case each
    /// One fsync of the target's root after its last change. The file system writes its journal in order, so that what
    /// commits the root's last change has committed every change before it. Files are synchronized one by one all the
    /// same: their data is not in the journal.
    case journal

    /// File systems with one ordered journal of all metadata (`statfs` f_type): ext4 (jbd2 commits transactions in
    /// sequence; ext2 and ext3 share its number and its driver) and XFS (the log is forced up to a change).
    private static let ordered: Set<UInt64> = [0xEF53, 0x5846_5342]

    /// Asks the target's root; a file system that is not known to be ordered gets an fsync for each directory.
    init(of target: HeldDirectory) {
        guard target.isOpen, let type = try? target.fileSystemType() else {
            self = .each
            return
        }
        self = Self.ordered.contains(type) ? .journal : .each
    }
}
