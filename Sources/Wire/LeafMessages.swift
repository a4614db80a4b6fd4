package import MediaModel

/// A directory that has nothing but some small files, with all of them. Where nothing is compared it comes unasked, in one
/// frame instead of five messages to and fro.
package struct WireLeaf: Hashable, Sendable {
    package struct File: Hashable, Sendable {
        package var name: BytePath
        package var metadata: WireMetadata
        package var attributes: [ExtendedAttribute]
        package var bytes: [UInt8]
        package var digest: Digest

        package init(
            name: BytePath,
            metadata: WireMetadata,
            attributes: [ExtendedAttribute],
            bytes: [UInt8],
            digest: Digest
        ) {
            self.name = name
            self.metadata = metadata
            self.attributes = attributes
            self.bytes = bytes
            self.digest = digest
        }
    }

    package var parent: UInt32
    package var name: BytePath
    package var metadata: WireMetadata
    package var attributes: [ExtendedAttribute]
    package var files: [File]

    package init(
        parent: UInt32,
        name: BytePath,
        metadata: WireMetadata,
        attributes: [ExtendedAttribute],
        files: [File]
    ) {
        self.parent = parent
        self.name = name
        self.metadata = metadata
        self.attributes = attributes
        self.files = files
    }

    /// Bytes that it keeps in memory, about.
    package var weight: Int { files.reduce(512) { $0 + $1.bytes.count + 512 } }
}

extension WireReader {
    mutating func leaf() throws(WireFault) -> WireLeaf {
        let parent = try number32()
        let name = try name()
        let metadata = try metadata()
        if metadata.mode & 0o170000 != 0o040000 { throw WireFault("a directory is none") }
        let leaf = WireLeaf(
            parent: parent,
            name: name,
            metadata: metadata,
            attributes: try attributes(),
            files: try list(WireLimit.leafFiles, bytesEach: 5) { (reader) throws(WireFault) in try reader.leafFile() }
        )
        if leaf.files.isEmpty { throw WireFault("a leaf has no files") }
        return leaf
    }

    private mutating func leafFile() throws(WireFault) -> WireLeaf.File {
        let name = try name()
        let metadata = try metadata()
        if metadata.mode & 0o170000 != 0o100000 { throw WireFault("a file is none") }
        if metadata.links != nil { throw WireFault("a leaf has a file of several names") }
        let attributes = try attributes()
        let bytes = try bytes(WireLimit.wholeFileBytes)
        if bytes.count != metadata.size { throw WireFault("a file is shorter or longer than it says") }
        return WireLeaf.File(
            name: name,
            metadata: metadata,
            attributes: attributes,
            bytes: bytes,
            digest: try digest()
        )
    }
}

extension WireWriter {
    mutating func leaf(_ leaf: WireLeaf) {
        leafHead(leaf.parent, leaf.name.bytes, leaf.metadata, leaf.attributes, files: leaf.files.count)
        for file in leaf.files {
            leafFileHead(file.name.bytes, file.metadata, file.attributes)
            data(file.bytes)
            digest(file.digest)
        }
    }

    fileprivate mutating func leafHead(
        _ parent: UInt32,
        _ name: some Collection<UInt8>,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        files: Int
    ) {
        unsigned(parent)
        data(name)
        self.metadata(metadata)
        self.attributes(attributes)
        unsigned(files)
    }

    fileprivate mutating func leafFileHead(
        _ name: some Collection<UInt8>,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute]
    ) {
        data(name)
        self.metadata(metadata)
        self.attributes(attributes)
    }
}

/// Builds the frame of a leaf. Files are read to where they travel from, and the memory is used for one leaf after the other.
/// One owner.
package final class LeafFrame {
    private let room: UnsafeMutableRawBufferPointer
    private var used = 0
    private var head = WireWriter()

    package init() {
        room = .allocate(byteCount: WireLimit.leafBytes, alignment: 4096)
    }

    deinit {
        room.deallocate()
    }

    /// Begins with the directory; false where it is too large.
    /// - Parameter files: exactly so many are added.
    package func begin(
        parent: UInt32,
        name: UnsafeRawBufferPointer,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        files: Int
    ) -> Bool {
        used = WireLimit.headerBytes
        head.restart()
        head.leafHead(parent, name, metadata, attributes, files: files)
        return put(head, room: 0)
    }

    /// Adds a file.
    /// - Parameter read: reads all its bytes into a buffer with room for one more, so that growth shows, and tells their digest;
    ///   nil where there are not as many any more.
    /// - Returns: false where there is no room for it or nothing was read: then the frame is none.
    package func add(
        name: UnsafeRawBufferPointer,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        read: (UnsafeMutableRawBufferPointer) -> Digest?
    ) -> Bool {
        guard metadata.size <= Int64(WireLimit.wholeFileBytes) else { return false }
        let size = Int(metadata.size)
        head.restart()
        head.leafFileHead(name, metadata, attributes)
        head.unsigned(size)
        guard put(head, room: size + Self.tailMax) else { return false }
        guard let sum = read(UnsafeMutableRawBufferPointer(rebasing: room[used...(used + size)])) else { return false }
        used += size
        head.restart()
        head.digest(sum)
        return put(head, room: 0)
    }

    /// A digest with its algorithm, and the byte by which growth shows.
    private static let tailMax = 80

    private func put(_ writer: WireWriter, room more: Int) -> Bool {
        guard used + writer.bytes.count + more <= room.count else { return false }
        writer.bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: room[used...]).copyMemory(from: $0)
        }
        used += writer.bytes.count
        return true
    }

    /// The frame, until the next one begins.
    package func finish() -> UnsafeRawBufferPointer {
        let count = used - WireLimit.headerBytes
        for index in 0..<4 { room[index] = UInt8(truncatingIfNeeded: count >> (8 * index)) }
        room[4] = Message.leafKind
        return UnsafeRawBufferPointer(rebasing: room[..<used])
    }
}
