internal import CLinux
internal import Glibc
internal import MediaModel

/// Whether a file system keeps one journal of all metadata that it writes in order.
package enum FileSystemJournal {
    /// `statfs` f_type of ext2, ext3 and ext4, which share a driver.
    private static let ext4: UInt64 = 0xEF53
    private static let xfs: UInt64 = 0x5846_5342

    /// True for XFS, and for ext4 with a journal: it can be made without one, and only the kernel knows. Where the kernel
    /// does not tell (no sysfs), false.
    package static func isOrdered(_ directory: HeldDirectory) -> Bool {
        guard let type = try? directory.fileSystemType() else { return false }
        if type == xfs { return true }
        guard type == ext4, let device = try? directory.metadata().device else { return false }
        return hasJournal(device: device)
    }

    /// `/sys/fs/ext4/DISK/journal_task` names the journal's thread, or `<none>`.
    private static func hasJournal(device: UInt64) -> Bool {
        // The kernel's own encoding (makedev(3)): 12 + 20 bits of the major number, 8 + 24 of the minor.
        let major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
        let minor = (device & 0xFF) | (device >> 12 & 0xFFFF_FF00)
        let number = "\(major):\(minor)"
        var target = [CChar](repeating: 0, count: 512)
        guard readlink("/sys/dev/block/\(number)", &target, target.count - 1) > 0 else { return false }
        let link = BytePath(bytes: target.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
        let disk = String(decoding: link.lastComponent.bytes, as: UTF8.self)
        guard let text = try? UserFile.read(BytePath("/sys/fs/ext4/\(disk)/journal_task"), limit: 4096) else {
            return false
        }
        return text.first.map { (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) } ?? false
    }
}
