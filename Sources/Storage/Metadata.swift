internal import CLinux
internal import Glibc
package import MediaModel

/// A moment as file systems keep it.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var seconds: Int64
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The moment so many nanoseconds later.
    package func advanced(by nanoseconds: Int64) -> Timestamp {
        if nanoseconds == 0 { return self }
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var seconds = seconds.addingReportingOverflow(whole).partialValue
        var part = Int64(self.nanoseconds) + rest
        if part < 0 {
            part += 1_000_000_000
            seconds &-= 1
        } else if part >= 1_000_000_000 {
            part -= 1_000_000_000
            seconds &+= 1
        }
        return Timestamp(seconds: seconds, nanoseconds: UInt32(part))
    }

    @inlinable
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds != right.seconds ? left.seconds < right.seconds : left.nanoseconds < right.nanoseconds
    }
}

/// Device and inode: what an entry is, whatever it is called.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// What `stat` tells about an entry.
package struct Metadata: Sendable {
    package var device: UInt64
    package var inode: UInt64
    /// Type and permission bits.
    package var mode: UInt32
    package var linkCount: UInt64
    package var owner: UInt32
    package var group: UInt32
    /// Of a device entry.
    package var deviceNumber: UInt64
    /// Bytes.
    package var size: Int64
    /// 512-byte blocks in use: fewer than the size needs means holes.
    package var blocks: Int64
    package var accessTime: Timestamp
    package var modificationTime: Timestamp
    package var changeTime: Timestamp

    init(_ raw: mds_stat) {
        device = raw.dev
        inode = raw.ino
        mode = raw.mode
        linkCount = raw.nlink
        owner = raw.uid
        group = raw.gid
        deviceNumber = raw.rdev
        size = raw.size
        blocks = raw.blocks
        accessTime = Timestamp(seconds: raw.atime_s, nanoseconds: raw.atime_ns)
        modificationTime = Timestamp(seconds: raw.mtime_s, nanoseconds: raw.mtime_ns)
        changeTime = Timestamp(seconds: raw.ctime_s, nanoseconds: raw.ctime_ns)
    }

    /// What another machine says about an entry of its own. Blocks and what nobody asks for are left at 0.
    package init(
        identity: FileIdentity,
        mode: UInt32,
        linkCount: UInt64,
        owner: UInt32,
        group: UInt32,
        deviceNumber: UInt64,
        size: Int64,
        blocks: Int64,
        accessTime: Timestamp,
        modificationTime: Timestamp,
        changeTime: Timestamp
    ) {
        device = identity.device
        inode = identity.inode
        self.mode = mode
        self.linkCount = linkCount
        self.owner = owner
        self.group = group
        self.deviceNumber = deviceNumber
        self.size = size
        self.blocks = blocks
        self.accessTime = accessTime
        self.modificationTime = modificationTime
        self.changeTime = changeTime
    }

    /// Of a descriptor that somebody else keeps open.
    package init(ofOpen descriptor: Int32) throws(FileFault) {
        var stat = mds_stat()
        _ = try check("fstat", mds_fstat(descriptor, &stat))
        self.init(stat)
    }

    package var identity: FileIdentity { FileIdentity(device: device, inode: inode) }

    /// Permission bits with set-id and sticky bits, without the type.
    package var permissions: UInt32 { mode & 0o7777 }

    /// Nil for types this system does not know.
    package var kind: EntryKind? { EntryKind(modeBits: mode) }

    /// True where holes are likely: fewer blocks than the size needs.
    package var isSparse: Bool { blocks * 512 < size }

    /// True where nothing that a write, a truncation or a replacement changes has changed. The change time is among it:
    /// a program can set the others back.
    package func sameVersion(as other: Metadata) -> Bool {
        size == other.size && modificationTime == other.modificationTime && changeTime == other.changeTime
            && inode == other.inode && device == other.device
    }
}

extension EntryKind {
    /// From `st_mode`.
    package init?(modeBits: UInt32) {
        switch modeBits & UInt32(S_IFMT) {
        case UInt32(S_IFREG): self = .file
        case UInt32(S_IFDIR): self = .directory
        case UInt32(S_IFLNK): self = .symlink
        case UInt32(S_IFIFO): self = .fifo
        case UInt32(S_IFSOCK): self = .socket
        case UInt32(S_IFBLK): self = .blockDevice
        case UInt32(S_IFCHR): self = .characterDevice
        default: return nil
        }
    }

    /// From `d_type`; nil where the file system does not tell.
    init?(directoryType: UInt8) {
        switch Int(directoryType) {
        case 8: self = .file
        case 4: self = .directory
        case 10: self = .symlink
        case 1: self = .fifo
        case 12: self = .socket
        case 6: self = .blockDevice
        case 2: self = .characterDevice
        default: return nil
        }
    }
}
