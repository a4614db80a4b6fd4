internal import Checksums
internal import MediaModel
internal import Pacing
internal import Storage
internal import Synchronization

/// A file that several threads read in parts, each compressed on its own, while its digest sees the bytes in order.
///
/// Sendable without checks: `digest` and `isChanged` have one owner at a time, the part whose turn it is; turns are handed
/// on under the lock of `turn`. `firstNumber` is written before the file is shared.
final class LargeMedia: @unchecked Sendable {
    let path: BytePath
    let metadata: Metadata
    private let descriptor: Int32
    /// Of its parts among the blocks of the archive.
    var firstNumber = 0
    private let turn = Monitor(0)
    private let taken = Atomic<Int>(0)
    private var digest: DigestBox?
    private var isChanged = false

    private final class DigestBox {
        let digest: StreamingDigest
        init(_ algorithm: DigestAlgorithm) { digest = StreamingDigest(algorithm) }
    }

    init(_ file: consuming OpenFile, path: BytePath, _ metadata: Metadata) {
        self.path = path
        self.metadata = metadata
        descriptor = file.detach()
    }

    deinit {
        _ = OpenFile(raw: descriptor)
    }

    var parts: Int { Int((metadata.size + Int64(ArchiveWorker.blockBytes) - 1) / Int64(ArchiveWorker.blockBytes)) }

    func isLast(_ index: Int) -> Bool { index == parts - 1 }

    var hasParts: Bool { taken.load(ordering: .relaxed) < parts }

    /// The next part that nobody has taken; nil where all are. Whoever takes one feeds it to the digest.
    func takePart() -> Int? {
        let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < parts ? index : nil
    }

    /// Bytes of a part.
    func count(of index: Int) -> Int {
        Int(min(Int64(ArchiveWorker.blockBytes), metadata.size - Int64(index) * Int64(ArchiveWorker.blockBytes)))
    }

    /// Reads a part; what cannot be read any more is zeros, and the file is known to have changed.
    func read(_ index: Int, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let offset = Int64(index) * Int64(ArchiveWorker.blockBytes)
        let count = (try? OpenFile.read(descriptor: descriptor, into: buffer, at: offset)) ?? 0
        if count < buffer.count {
            UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(as: UInt8.self, repeating: 0)
        }
        return count == buffer.count
    }

    /// Feeds a part to the digest when those before it were.
    /// - Returns: with the last part: the digest, nil where the file changed meanwhile.
    func digest(_ index: Int, _ bytes: UnsafeRawBufferPointer, _ algorithm: DigestAlgorithm, isWhole: Bool) -> Digest? {
        _ = turn.wait { $0 == index ? true : nil }
        defer {
            turn.withLock { $0 = index + 1 }
            turn.wakeAll()
        }
        if !isWhole { isChanged = true }
        let box = digest ?? DigestBox(algorithm)
        digest = box
        box.digest.update(bytes)
        guard isLast(index) else { return nil }
        guard !isChanged, let now = try? Metadata(ofOpen: descriptor), now.sameVersion(as: metadata) else { return nil }
        return box.digest.finish()
    }
}
