internal import Archives
internal import Checksums
internal import MediaModel
internal import Running
internal import Storage
internal import Wire

/// Reads bundles for one thread: small directories, which travel with all below them and the bytes of their files in one frame.
final class BundleReader {
    /// What a bundle may not hold, or what could not be read: it is told of step by step then, and each of its entries is on the account for itself.
    private struct NoBundle: Error {}

    private let context: CopyContext
    private let worker: CopyWorker
    let frame = BundleFrame()
    private let digest: StreamingDigest
    private let packer = BlockPacker()
    private var policy = PackingPolicy()
    /// Of the bundle's first file: what lies together is of one kind.
    private var ending: PackingPolicy.Ending?
    private var entriesLeft = 0
    /// Directories that it has beside the first.
    private(set) var directoriesBelow = 0
    /// One for each level; a part of a listing that may not be all of it is read to `rest`.
    private var listings: [ListingBuffer] = []
    private let rest = ListingBuffer()

    /// Less is not worth the header.
    private static let packedMin = 1024

    init(context: CopyContext, worker: CopyWorker) {
        self.context = context
        self.worker = worker
        digest = StreamingDigest(context.options.digest ?? .xxh3)
    }

    /// How a directory looks by a part of its listing.
    enum Look {
        case files
        case withDirectories
        /// It has what no bundle holds.
        case unfit
    }

    /// - Parameter listing: a part, or all of it.
    func look(at listing: ListingBuffer) -> Look { (try? check(listing))?.look ?? .unfit }

    private func check(_ listing: ListingBuffer) throws(NoBundle) -> (entries: Int, look: Look) {
        var cursor = 0
        var entries = 0
        var look = Look.files
        while let entry = listing.next(&cursor) {
            entries += 1
            if entry.kind == .directory {
                look = .withDirectories
            } else if entry.kind != .file || TemporaryName.isOwn(entry.bytes) {
                throw NoBundle()
            }
            if entries > WireLimit.bundleEntries || worker.excludes(entry.bytes, isDirectory: entry.kind == .directory)
            {
                throw NoBundle()
            }
        }
        return (entries, look)
    }

    /// Reads a bundle; false where it is none.
    /// - Parameter listing: all of its directory's.
    func read(
        _ node: DirectoryNode,
        in parent: UInt32,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        _ listing: ListingBuffer
    ) -> Bool {
        entriesLeft = WireLimit.bundleEntries
        directoriesBelow = 0
        ending = nil
        frame.begin(in: parent)
        let name = UnsafeRawBufferPointer(start: node.name, count: node.nameLength)
        worker.stand(at: node)
        do throws(NoBundle) {
            try add(node.source, name, metadata, attributes, listing, level: 0)
            return true
        } catch { return false }
    }

    private func add(
        _ directory: HeldDirectory,
        _ name: UnsafeRawBufferPointer,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        _ listing: ListingBuffer,
        level: Int
    ) throws(NoBundle) {
        let count = try check(listing).entries
        entriesLeft -= count
        guard entriesLeft >= 0, frame.addDirectory(name, metadata, attributes, entries: count) else { throw NoBundle() }
        var cursor = 0
        while let entry = listing.next(&cursor) {
            if entry.kind == .directory {
                try addDirectory(entry, of: directory, level: level + 1)
            } else {
                if ending == nil { ending = PackingPolicy.Ending(of: entry.bytes) }
                guard (try? addFile(entry, of: directory)) ?? false else { throw NoBundle() }
            }
        }
    }

    /// Filters that know more of an entry than its name are not asked below the bundle's own directory.
    private func addDirectory(
        _ entry: ListingBuffer.Entry,
        of above: HeldDirectory,
        level: Int
    ) throws(NoBundle) {
        guard level < WireLimit.bundleLevels, context.selection.takesAll,
            let directory = try? above.openDirectory(entry.name)
        else { throw NoBundle() }
        defer { directory.close() }
        if listings.count < level { listings.append(ListingBuffer()) }
        let listing = listings[level - 1]
        guard let metadata = try? directory.metadata(), metadata.device == context.sourceDevice,
            let attributes = try? self.attributes(of: directory.raw),
            let first = try? directory.list(into: listing),
            let more = first == 0 ? 0 : try? directory.list(into: rest), more == 0
        else { throw NoBundle() }
        directoriesBelow += 1
        try add(directory, entry.bytes, WireMetadata(metadata), attributes, listing, level: level)
    }

    private func attributes(of descriptor: Int32) throws(FileFault) -> [ExtendedAttribute]? {
        guard context.options.extendedAttributes else { return [] }
        let attributes = try ExtendedAttributes.read(from: descriptor, asRoot: context.host.isRoot)
        return attributes.isBeyondWire ? nil : attributes
    }

    private func addFile(_ entry: ListingBuffer.Entry, of directory: HeldDirectory) throws(FileFault) -> Bool {
        let source = try directory.openFile(entry.name, keepAccessTime: context.host.isRoot)
        let metadata = try source.metadata()
        guard metadata.kind == .file, metadata.linkCount == 1, metadata.size <= Int64(WireLimit.wholeFileBytes),
            !CopyContext.isJustChanged(metadata), let attributes = try attributes(of: source.raw)
        else { return false }
        let size = Int(metadata.size)
        let raw = source.raw
        context.limiter?.spend(size, control: context.control)
        let isRead = frame.addFile(entry.bytes, WireMetadata(metadata), attributes) { room in
            // One more byte than there should be, so that growth shows.
            guard (try? OpenFile.read(descriptor: raw, into: room, at: 0)) == size else { return nil }
            return digest.digest(of: UnsafeRawBufferPointer(rebasing: room[..<size]))
        }
        guard isRead else { return false }
        return try source.metadata().sameVersion(as: metadata)
    }

    /// Sends the bundle that was read last, packed where that makes it smaller.
    func send(by connection: WireConnection) {
        let bytes = frame.finish()
        guard let ending, bytes.count >= Self.packedMin, bytes.count <= WireLimit.packedBytes,
            policy.isWorthTrying(ending)
        else { return connection.send(frame: Array(bytes)) }
        let packed = packer.pack(bytes)
        policy.learn(ending, isSmaller: packed != nil)
        guard let packed else { return connection.send(frame: Array(bytes)) }
        connection.send(.packed(bytes: bytes.count, packed))
    }
}
