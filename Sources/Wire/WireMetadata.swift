/// A moment, as file systems keep it.
package struct WireTime: Hashable, Sendable {
    package var seconds: Int64
    /// Below a thousand million.
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

/// What the sender's file system says about an entry.
package struct WireMetadata: Hashable, Sendable {
    /// Type and permission bits, as `st_mode`.
    package var mode: UInt32
    package var owner: UInt32
    package var group: UInt32
    package var size: Int64
    package var accessTime: WireTime
    package var modificationTime: WireTime
    package var changeTime: WireTime
    /// Of a device entry; 0 elsewhere.
    package var deviceNumber: UInt64
    /// Fewer blocks than the size needs.
    package var isSparse: Bool
    /// Where a file has several names: which file it is.
    package var links: Links?

    /// What names of one file have in common.
    package struct Links: Hashable, Sendable {
        package var device: UInt64
        package var inode: UInt64
        /// Names it has; at least two.
        package var count: UInt64

        package init(device: UInt64, inode: UInt64, count: UInt64) {
            self.device = device
            self.inode = inode
            self.count = count
        }
    }

    package init(
        mode: UInt32,
        owner: UInt32,
        group: UInt32,
        size: Int64,
        accessTime: WireTime,
        modificationTime: WireTime,
        changeTime: WireTime,
        deviceNumber: UInt64 = 0,
        isSparse: Bool = false,
        links: Links? = nil
    ) {
        self.mode = mode
        self.owner = owner
        self.group = group
        self.size = size
        self.accessTime = accessTime
        self.modificationTime = modificationTime
        self.changeTime = changeTime
        self.deviceNumber = deviceNumber
        self.isSparse = isSparse
        self.links = links
    }
}

extension WireReader {
    package mutating func time() throws(WireFault) -> WireTime {
        let seconds = try signed()
        return WireTime(seconds: seconds, nanoseconds: UInt32(try unsigned(999_999_999)))
    }

    package mutating func metadata() throws(WireFault) -> WireMetadata {
        WireMetadata(
            mode: UInt32(try unsigned(0xFFFF)),
            owner: try number32(),
            group: try number32(),
            size: try count(),
            accessTime: try time(),
            modificationTime: try time(),
            changeTime: try time(),
            deviceNumber: try unsigned(),
            isSparse: try flag(),
            links: try optional { (reader) throws(WireFault) in
                let links = WireMetadata.Links(
                    device: try reader.unsigned(),
                    inode: try reader.unsigned(),
                    count: try reader.unsigned(WireLimit.number)
                )
                if links.count < 2 { throw WireFault("a file of one name says that it has several") }
                return links
            }
        )
    }
}

extension WireWriter {
    package mutating func time(_ time: WireTime) {
        signed(time.seconds)
        unsigned(time.nanoseconds)
    }

    package mutating func metadata(_ metadata: WireMetadata) {
        unsigned(metadata.mode)
        unsigned(metadata.owner)
        unsigned(metadata.group)
        unsigned(metadata.size)
        time(metadata.accessTime)
        time(metadata.modificationTime)
        time(metadata.changeTime)
        unsigned(metadata.deviceNumber)
        flag(metadata.isSparse)
        optional(metadata.links) { writer, links in
            writer.unsigned(links.device)
            writer.unsigned(links.inode)
            writer.unsigned(links.count)
        }
    }
}
