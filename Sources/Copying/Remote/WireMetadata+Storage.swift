internal import MediaModel
internal import Storage
internal import Wire

extension WireTime {
    init(_ time: Timestamp) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }
}

extension Timestamp {
    init(_ time: WireTime) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }
}

extension WireMetadata {
    /// What the other machine is to know of an entry here.
    init(_ metadata: Metadata) {
        let hasLinks = metadata.kind == .file && metadata.linkCount > 1
        self.init(
            mode: metadata.mode,
            owner: metadata.owner,
            group: metadata.group,
            size: metadata.size,
            accessTime: WireTime(metadata.accessTime),
            modificationTime: WireTime(metadata.modificationTime),
            changeTime: WireTime(metadata.changeTime),
            deviceNumber: metadata.kind == .blockDevice || metadata.kind == .characterDevice
                ? metadata.deviceNumber : 0,
            isSparse: metadata.kind == .file && metadata.isSparse,
            links: hasLinks
                ? Links(device: metadata.device, inode: metadata.inode, count: metadata.linkCount) : nil
        )
    }
}

extension Metadata {
    /// What the other machine said about an entry there.
    init(_ sent: WireMetadata) {
        self.init(
            identity: FileIdentity(device: sent.links?.device ?? 0, inode: sent.links?.inode ?? 0),
            mode: sent.mode,
            linkCount: sent.links?.count ?? 1,
            owner: sent.owner,
            group: sent.group,
            deviceNumber: sent.deviceNumber,
            size: sent.size,
            blocks: sent.isSparse ? 0 : .max / 512,
            accessTime: Timestamp(sent.accessTime),
            modificationTime: Timestamp(sent.modificationTime),
            changeTime: Timestamp(sent.changeTime)
        )
    }
}
