package import MediaModel

/// A small directory with all that is below it, and the bytes of its files. Where nothing is compared it comes unasked, in one
/// frame instead of five messages to and fro for each directory of files.
package struct WireBundle: Hashable, Sendable {
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

    package struct Directory: Hashable, Sendable {
        package var name: BytePath
        package var metadata: WireMetadata
        package var attributes: [ExtendedAttribute]
        package var entries: [Entry]

        package init(
            name: BytePath,
            metadata: WireMetadata,
            attributes: [ExtendedAttribute],
            entries: [Entry]
        ) {
            self.name = name
            self.metadata = metadata
            self.attributes = attributes
            self.entries = entries
        }
    }

    package enum Entry: Hashable, Sendable {
        case file(File)
        indirect case directory(Directory)
    }

    /// The number of the directory that it lies in.
    package var parent: UInt32
    package var directory: Directory
    /// Directories and files in it, itself not counted.
    package let entries: Int
    /// Bytes that it keeps in memory, about.
    package let weight: Int

    package init(parent: UInt32, _ directory: Directory) {
        self.parent = parent
        self.directory = directory
        (entries, weight) = Self.measure(directory)
    }

    private static func measure(_ directory: Directory) -> (entries: Int, weight: Int) {
        var entries = directory.entries.count
        var weight = 512
        for entry in directory.entries {
            switch entry {
            case .file(let file): weight += file.bytes.count + 512
            case .directory(let below):
                let more = measure(below)
                entries += more.entries
                weight += more.weight
            }
        }
        return (entries, weight)
    }
}

/// What stands before each entry of a bundle.
private enum BundleMark {
    static let file: UInt8 = 0
    static let directory: UInt8 = 1
}

extension WireReader {
    mutating func bundle() throws(WireFault) -> WireBundle {
        let parent = try number32()
        var left = WireLimit.bundleEntries
        return WireBundle(parent: parent, try bundleDirectory(level: 0, &left))
    }

    private mutating func bundleDirectory(level: Int, _ left: inout Int) throws(WireFault) -> WireBundle.Directory {
        if level == WireLimit.bundleLevels { throw WireFault("a bundle is too deep") }
        let name = try name()
        let metadata = try metadata()
        if metadata.mode & 0o170000 != 0o040000 { throw WireFault("a directory is none") }
        let attributes = try attributes()
        let count = try length(WireLimit.bundleEntries, bytesEach: 6)
        if count > left { throw WireFault("a bundle has too many entries") }
        left -= count
        var entries: [WireBundle.Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            switch try byte() {
            case BundleMark.file: entries.append(.file(try bundleFile()))
            case BundleMark.directory: entries.append(.directory(try bundleDirectory(level: level + 1, &left)))
            default: throw WireFault("a bundle has an entry of no known kind")
            }
        }
        return WireBundle.Directory(name: name, metadata: metadata, attributes: attributes, entries: entries)
    }

    private mutating func bundleFile() throws(WireFault) -> WireBundle.File {
        let name = try name()
        let metadata = try metadata()
        if metadata.mode & 0o170000 != 0o100000 { throw WireFault("a file is none") }
        if metadata.links != nil { throw WireFault("a bundle has a file of several names") }
        let attributes = try attributes()
        let bytes = try bytes(WireLimit.wholeFileBytes)
        if bytes.count != metadata.size { throw WireFault("a file is shorter or longer than it says") }
        return WireBundle.File(
            name: name,
            metadata: metadata,
            attributes: attributes,
            bytes: bytes,
            digest: try digest()
        )
    }
}

extension WireWriter {
    mutating func bundle(_ bundle: WireBundle) {
        unsigned(bundle.parent)
        bundleDirectory(bundle.directory)
    }

    private mutating func bundleDirectory(_ directory: WireBundle.Directory) {
        bundleHead(directory.name.bytes, directory.metadata, directory.attributes)
        unsigned(directory.entries.count)
        for entry in directory.entries {
            switch entry {
            case .file(let file):
                byte(BundleMark.file)
                bundleHead(file.name.bytes, file.metadata, file.attributes)
                data(file.bytes)
                digest(file.digest)
            case .directory(let below):
                byte(BundleMark.directory)
                bundleDirectory(below)
            }
        }
    }

    fileprivate mutating func bundleHead(
        _ name: some Collection<UInt8>,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute]
    ) {
        data(name)
        self.metadata(metadata)
        self.attributes(attributes)
    }
}

/// Builds the frame of a bundle. Files are read to where they travel from, and the memory is used for one bundle after the
/// other. One owner.
package final class BundleFrame {
    private let room: UnsafeMutableRawBufferPointer
    private var used = 0
    private var head = WireWriter()
    private var isFirst = true

    package init() {
        room = .allocate(byteCount: WireLimit.bundleBytes, alignment: 4096)
    }

    deinit {
        room.deallocate()
    }

    /// Begins a bundle in the directory of a number; its own directory comes first.
    package func begin(in parent: UInt32) {
        used = WireLimit.headerBytes
        isFirst = true
        head.restart()
        head.unsigned(parent)
    }

    /// Adds a directory; its entries come next.
    /// - Parameter entries: exactly so many are added.
    /// - Returns: false where there is no room for it: then the frame is none.
    package func addDirectory(
        _ name: UnsafeRawBufferPointer,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        entries: Int
    ) -> Bool {
        if isFirst {
            isFirst = false
        } else {
            head.restart()
            head.byte(BundleMark.directory)
        }
        head.bundleHead(name, metadata, attributes)
        head.unsigned(entries)
        return put(head, room: 0)
    }

    /// Adds a file.
    /// - Parameter read: reads all its bytes into a buffer with room for one more, so that growth shows, and tells their digest;
    ///   nil where there are not as many any more.
    /// - Returns: false where there is no room for it or nothing was read: then the frame is none.
    package func addFile(
        _ name: UnsafeRawBufferPointer,
        _ metadata: WireMetadata,
        _ attributes: [ExtendedAttribute],
        read: (UnsafeMutableRawBufferPointer) -> Digest?
    ) -> Bool {
        guard metadata.size <= Int64(WireLimit.wholeFileBytes) else { return false }
        let size = Int(metadata.size)
        head.restart()
        head.byte(BundleMark.file)
        head.bundleHead(name, metadata, attributes)
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
        room[4] = Message.bundleKind
        return UnsafeRawBufferPointer(rebasing: room[..<used])
    }
}
