internal import Archives
internal import Checksums
internal import MediaModel
internal import Storage

/// One thread's hands: reads files, makes their entries and digests, and compresses them as one block.
final class ArchiveWorker {
    /// A file that changes while it is read is read once more.
    private static let triesMax = 2

    private let compressor: BlockCompressor
    private let algorithm: DigestAlgorithm
    private let digest: StreamingDigest
    private let tell: (BytePath, Outcome, Int64) -> Void
    private var tar: [UInt8] = []
    private var lines: [UInt8] = []

    /// - Parameter tell: hears what became of each file, and its size.
    init(
        _ compression: Compression,
        _ algorithm: DigestAlgorithm,
        tell: @escaping (BytePath, Outcome, Int64) -> Void
    ) throws(SyncError) {
        compressor = try BlockCompressor(compression)
        self.algorithm = algorithm
        digest = StreamingDigest(algorithm)
        self.tell = tell
    }

    func make(_ job: ArchiveJob) throws(SyncError) -> ArchiveBlock {
        tar.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        switch job.content {
        case .bytes(let bytes): tar = bytes
        case .files(let folder, let names): for name in names { add(name, of: folder) }
        case .part(let large, let index): add(large, index)
        }
        if tar.isEmpty { return ArchiveBlock() }
        let packed = try withTar { (bytes) throws(SyncError) in try compressor.compress(bytes) }
        return ArchiveBlock(bytes: packed, lines: lines)
    }

    private func withTar(_ body: (UnsafeRawBufferPointer) throws(SyncError) -> [UInt8]) throws(SyncError) -> [UInt8] {
        try tar.withUnsafeBytes { bytes -> Result<[UInt8], SyncError> in
            do throws(SyncError) { return .success(try body(bytes)) } catch { return .failure(error) }
        }.get()
    }

    // MARK: Small files

    private func add(_ name: BytePath, of folder: MediaFolder) {
        let path = folder.path.appending(name)
        let start = tar.count
        do throws(FileFault) {
            for _ in 0..<Self.triesMax {
                tar.removeSubrange(start...)
                if let size = try read(name, path, of: folder) { return tell(path, .copied, size) }
            }
            tar.removeSubrange(start...)
            tell(path, .failed(MediaWalk.changed(path)), 0)
        } catch {
            tar.removeSubrange(start...)
            let isGone = error.kind == .missing
            tell(path, .failed(isGone ? MediaWalk.vanished(path) : error.syncError("could not read \(path)")), 0)
        }
    }

    /// The size of the file, which is in the block now; nil where it changed meanwhile.
    private func read(_ name: BytePath, _ path: BytePath, of folder: MediaFolder) throws(FileFault) -> Int64? {
        let file = try name.withEntryName { (name) throws(FileFault) in try folder.handle.openFile(name) }
        let metadata = try file.metadata()
        // It was a small file when it was listed.
        guard metadata.kind == .file, metadata.size <= 4 * MediaWalk.jobBytes else { return nil }
        appendHeader(path, metadata)
        let start = tar.count
        let size = Int(metadata.size)
        tar.append(contentsOf: repeatElement(0, count: size + TarHeader.padding(metadata.size)))
        let (count, fault) = tar.withUnsafeMutableBytes { bytes -> (Int, FileFault?) in
            let room = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + size)])
            do throws(FileFault) { return (try file.readFully(into: room, at: 0), nil) } catch { return (0, error) }
        }
        if let fault { throw fault }
        guard count == size, try file.metadata().sameVersion(as: metadata) else { return nil }
        let found = tar.withUnsafeBytes { bytes in
            digest.digest(of: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)]))
        }
        lines += ManifestLine(digest: found, path: path).bytes
        return metadata.size
    }

    private func appendHeader(_ path: BytePath, _ metadata: Metadata) {
        tar += TarHeader.file(
            BackupLayout.mediaPrefix.appending(path),
            size: metadata.size,
            permissions: metadata.permissions & 0o777,
            modified: metadata.modificationTime.seconds
        )
    }

    // MARK: Large files

    private func add(_ large: LargeMedia, _ index: Int) {
        if index == 0 { appendHeader(large.path, large.metadata) }
        let start = tar.count
        let count = large.count(of: index)
        let padding = large.isLast(index) ? TarHeader.padding(large.metadata.size) : 0
        tar.append(contentsOf: repeatElement(0, count: count + padding))
        let isWhole = tar.withUnsafeMutableBytes { bytes in
            large.read(index, into: UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + count)]))
        }
        let found = tar.withUnsafeBytes { bytes in
            large.digest(
                index,
                UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)]),
                algorithm,
                isWhole: isWhole
            )
        }
        guard large.isLast(index) else { return }
        if let found {
            lines += ManifestLine(digest: found, path: large.path).bytes
            tell(large.path, .copied, large.metadata.size)
        } else {
            lines += BackupManifest.changedLine
            tell(large.path, .failed(MediaWalk.changed(large.path)), 0)
        }
    }
}
