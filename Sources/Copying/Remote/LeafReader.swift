internal import Archives
internal import Checksums
internal import MediaModel
internal import Running
internal import Storage
internal import Wire

/// Reads leaves for one thread: directories of nothing but small files, which travel with all of them in one frame.
final class LeafReader {
    private let context: CopyContext
    private let frame = LeafFrame()
    private let digest: StreamingDigest
    private let packer = BlockPacker()
    private var policy = PackingPolicy()
    /// Of the leaf's first file: what lies in one directory is of one kind.
    private var ending = PackingPolicy.Ending(of: [])

    /// Less is not worth the header.
    private static let packedMin = 1024

    init(context: CopyContext) {
        self.context = context
        digest = StreamingDigest(context.options.digest ?? .xxh3)
    }

    /// Whether a listing's names and kinds are those of a leaf.
    static func mayBeLeaf(_ listing: ListingBuffer, _ worker: CopyWorker) -> Bool {
        var cursor = 0
        var files = 0
        while let entry = listing.next(&cursor) {
            files += 1
            guard files <= WireLimit.leafFiles, entry.kind == .file, !TemporaryName.isOwn(entry.bytes),
                !worker.excludes(entry.bytes, isDirectory: false)
            else { return false }
        }
        return files > 0
    }

    /// Reads a leaf; false where it is none after all, or anything about it is not as usual: then it is told of step by step,
    /// and each of its entries is on the account for itself.
    /// - Parameter listing: all of it.
    func read(
        _ node: DirectoryNode,
        in parent: UInt32,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        _ listing: ListingBuffer
    ) -> Bool {
        let name = UnsafeRawBufferPointer(start: node.name, count: node.nameLength)
        var cursor = 0
        var files = 0
        while listing.next(&cursor) != nil { files += 1 }
        guard frame.begin(parent: parent, name: name, metadata, attributes, files: files) else { return false }
        cursor = 0
        var isFirst = true
        while let entry = listing.next(&cursor) {
            if isFirst { ending = PackingPolicy.Ending(of: entry.bytes) }
            isFirst = false
            guard (try? add(entry, of: node)) ?? false else { return false }
        }
        return true
    }

    private func add(_ entry: ListingBuffer.Entry, of node: DirectoryNode) throws(FileFault) -> Bool {
        let source = try node.source.openFile(entry.name, keepAccessTime: context.host.isRoot)
        let metadata = try source.metadata()
        guard metadata.kind == .file, metadata.linkCount == 1, metadata.size <= Int64(WireLimit.wholeFileBytes),
            !CopyContext.isJustChanged(metadata)
        else { return false }
        let attributes =
            context.options.extendedAttributes
            ? try ExtendedAttributes.read(from: source.raw, asRoot: context.host.isRoot) : []
        if attributes.isBeyondWire { return false }
        let size = Int(metadata.size)
        let raw = source.raw
        context.limiter?.spend(size, control: context.control)
        let isRead = frame.add(name: entry.bytes, WireMetadata(metadata), attributes) { room in
            // One more byte than there should be, so that growth shows.
            guard (try? OpenFile.read(descriptor: raw, into: room, at: 0)) == size else { return nil }
            return digest.digest(of: UnsafeRawBufferPointer(rebasing: room[..<size]))
        }
        guard isRead else { return false }
        return try source.metadata().sameVersion(as: metadata)
    }

    /// Sends the leaf that was read last, packed where that makes it smaller.
    func send(by connection: WireConnection) {
        let bytes = frame.finish()
        guard bytes.count >= Self.packedMin, bytes.count <= WireLimit.packedBytes, policy.isWorthTrying(ending) else {
            return connection.send(frame: Array(bytes))
        }
        let packed = packer.pack(bytes)
        policy.learn(ending, isSmaller: packed != nil)
        guard let packed else { return connection.send(frame: Array(bytes)) }
        connection.send(.packed(bytes: bytes.count, packed))
    }
}
