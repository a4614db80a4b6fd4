internal import Checksums
internal import MediaModel
internal import Pacing
internal import Storage

/// A file that several threads read in parts, each compressed on its own, while its digest sees the bytes in order.
///
/// Sendable without checks: `digest` and `isChanged` have one owner at a time, the part whose turn it is; turns are handed
/// on under the lock of `turn`.
final class LargeMedia: @unchecked Sendable {
    let path: BytePath
    let metadata: Metadata
    private let descriptor: Int32
    private let turn = Monitor(0)
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

    var parts: Int { Int((metadata.size + MediaWalk.jobBytes - 1) / MediaWalk.jobBytes) }

    func isLast(_ index: Int) -> Bool { index == parts - 1 }

    /// Bytes of a part.
    func count(of index: Int) -> Int {
        Int(min(MediaWalk.jobBytes, metadata.size - Int64(index) * MediaWalk.jobBytes))
    }

    /// Reads a part; what cannot be read any more is zeros, and the file is known to have changed.
    func read(_ index: Int, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let offset = Int64(index) * MediaWalk.jobBytes
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
