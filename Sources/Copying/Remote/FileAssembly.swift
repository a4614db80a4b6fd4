internal import Checksums
internal import MediaModel
internal import Storage
internal import Wire

/// A file of the target while its bytes come in: without a name where the file system can, else under a temporary one. One
/// owner.
final class FileAssembly {
    /// Zeros of this length become a hole in a file that has holes.
    private static let holeBytes = 4096
    private static let reservedBytes: Int64 = 16 << 20

    let file: WireFile
    let metadata: Metadata
    let wanted: Attributes
    let inherits: Bool
    let temporary: BytePath?
    /// Of a file that the next run can go on with.
    let keeper: PartialKeeper?
    private let node: DirectoryNode
    private var descriptor: Int32
    /// Of what comes in pieces.
    private let digest: StreamingDigest
    private var position: Int64 = 0
    private let leavesHoles: Bool

    init(
        _ file: WireFile,
        wanted: Attributes,
        inherits: Bool,
        node: DirectoryNode,
        target: consuming OpenFile,
        temporary: BytePath?,
        keeper: PartialKeeper?,
        digest: DigestAlgorithm
    ) {
        self.keeper = keeper
        self.file = file
        metadata = Metadata(file.metadata)
        self.wanted = wanted
        self.inherits = inherits
        self.node = node
        self.temporary = temporary
        self.digest = StreamingDigest(digest)
        leavesHoles = file.metadata.isSparse
        descriptor = target.detach()
    }

    /// Makes room for a file's bytes before the first of them: a full disk shows before the work and not after it.
    static func prepare(_ target: borrowing OpenFile, for metadata: Metadata) throws(FileFault) {
        if metadata.isSparse {
            try target.truncate(to: metadata.size)
        } else if metadata.size >= reservedBytes {
            try target.reserve(metadata.size)
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        if keeper?.keeps(position, in: node.target) == true {
            _ = OpenFile(raw: descriptor)
        } else {
            discard()
        }
    }

    /// Takes the next bytes. False where they are more than the file has.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileFault) -> Bool {
        if Int64(bytes.count) > metadata.size - position { return false }
        digest.update(bytes)
        try write(bytes)
        position += Int64(bytes.count)
        return true
    }

    /// Takes all bytes at once, of which the digest is known already.
    func fill(_ bytes: [UInt8]) throws(FileFault) {
        let fault = bytes.withUnsafeBytes { buffer -> FileFault? in
            do throws(FileFault) {
                try write(buffer)
                return nil
            } catch { return error }
        }
        if let fault { throw fault }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(FileFault) {
        guard leavesHoles else { return try OpenFile.write(descriptor: descriptor, bytes, at: position) }
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Self.holeBytes)
            let block = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if block.contains(where: { $0 != 0 }) {
                try OpenFile.write(descriptor: descriptor, block, at: position + Int64(start))
            }
            start = end
        }
    }

    /// The digest of all bytes; nil where some are missing.
    func finish() -> Digest? {
        position == metadata.size ? digest.finish() : nil
    }

    /// Gives the file away; the new owner closes it.
    func detach() -> OpenFile {
        defer { descriptor = -1 }
        return OpenFile(raw: descriptor)
    }

    /// Nothing of it stays.
    func discard() {
        guard descriptor >= 0 else { return }
        _ = OpenFile(raw: descriptor)
        descriptor = -1
        temporary?.withEntryName { try? node.target.removeFile($0) }
    }
}
