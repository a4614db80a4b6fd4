internal import Archives
internal import Checksums
internal import MediaModel
internal import Storage

/// One thread's hands: reads files, makes their entries and digests, and compresses what came together as one block.
final class ArchiveWorker {
    /// Content of a block, more or less; larger files are blocks of their own.
    static let blockBytes = 1 << 20
    /// A file that changes while it is read is read once more.
    private static let triesMax = 2

    private let compressor: BlockCompressor
    private let algorithm: DigestAlgorithm
    private let digest: StreamingDigest
    private let output: ArchiveOutput
    private let share: MediaShare
    private let shouldStop: () -> Bool
    private let tell: (BytePath, Outcome, Int64) -> Void
    private var tar: [UInt8] = []
    private var lines: [UInt8] = []

    /// - Parameter tell: hears what became of each file, and its size.
    init(
        _ compression: Compression,
        _ algorithm: DigestAlgorithm,
        to output: ArchiveOutput,
        share: MediaShare,
        shouldStop: @escaping () -> Bool,
        tell: @escaping (BytePath, Outcome, Int64) -> Void
    ) throws(SyncError) {
        compressor = try BlockCompressor(compression)
        self.algorithm = algorithm
        digest = StreamingDigest(algorithm)
        self.output = output
        self.share = share
        self.shouldStop = shouldStop
        self.tell = tell
        tar.reserveCapacity(2 * Self.blockBytes)
    }

    /// Adds what stands in the archive as it is: the first entry, the end.
    func add(_ bytes: [UInt8]) {
        tar += bytes
    }

    /// Writes what was added.
    func flush() {
        guard !tar.isEmpty else { return }
        put(output.reserve(1), tar, lines)
        tar.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
    }

    private func put(_ number: Int, _ tar: [UInt8], _ lines: [UInt8]) {
        do throws(SyncError) {
            let packed = try tar.withUnsafeBytes { bytes -> Result<[UInt8], SyncError> in
                do throws(SyncError) { return .success(try compressor.compress(bytes)) } catch {
                    return .failure(error)
                }
            }.get()
            output.put(number, ArchiveBlock(bytes: packed, lines: lines))
        } catch {
            output.fail(error)
        }
    }

    // MARK: Small files

    /// What became of an attempt to read a file.
    private enum Reading {
        case whole(Int64)
        case large(LargeMedia)
        /// It changed meanwhile.
        case changed
    }

    /// Adds a file by its name.
    func add(_ name: BytePath, of folder: MediaFolder) {
        let path = folder.path.appending(name)
        let (start, startOfLine) = (tar.count, lines.count)
        do throws(FileFault) {
            for _ in 0..<Self.triesMax {
                tar.removeSubrange(start...)
                lines.removeSubrange(startOfLine...)
                switch try read(name, path, of: folder) {
                case .whole(let size):
                    tell(path, .copied, size)
                    if tar.count >= Self.blockBytes { flush() }
                    return
                case .large(let large): return addParts(of: large)
                case .changed: continue
                }
            }
            tar.removeSubrange(start...)
            tell(path, .failed(MediaFault.changed(path)), 0)
        } catch {
            tar.removeSubrange(start...)
            let isGone = error.kind == .missing
            tell(path, .failed(isGone ? MediaFault.vanished(path) : error.syncError("could not read \(path)")), 0)
        }
    }

    private func read(_ name: BytePath, _ path: BytePath, of folder: MediaFolder) throws(FileFault) -> Reading {
        let file = try name.withEntryName { (name) throws(FileFault) in try folder.handle.openFile(name) }
        let metadata = try file.metadata()
        // It was a file when it was listed.
        guard metadata.kind == .file else { return .changed }
        guard metadata.size <= Self.blockBytes else { return .large(LargeMedia(file, path: path, metadata)) }
        appendHeader(path, metadata)
        let start = tar.count
        let size = Int(metadata.size)
        tar.append(contentsOf: repeatElement(0, count: size + TarHeader.padding(metadata.size)))
        let (count, fault) = tar.withUnsafeMutableBytes { bytes -> (Int, FileFault?) in
            let room = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + size)])
            do throws(FileFault) { return (try file.readFully(into: room, at: 0), nil) } catch { return (0, error) }
        }
        if let fault { throw fault }
        guard count == size, try file.metadata().sameVersion(as: metadata) else { return .changed }
        let found = tar.withUnsafeBytes { bytes in
            digest.digest(of: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)]))
        }
        lines += ManifestLine(digest: found, path: path).bytes
        return .whole(metadata.size)
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

    /// Adds a large file, whose parts follow each other in the archive: who finds it takes part after part, and others that
    /// have nothing to do take parts between.
    private func addParts(of large: LargeMedia) {
        // What is at hand does not wait for all of it.
        flush()
        large.firstNumber = output.reserve(large.parts)
        share.begin(large)
        help(large)
        share.end(large)
    }

    /// Takes parts of a large file as long as there are any.
    func help(_ large: LargeMedia) {
        flush()
        while !shouldStop(), let index = large.takePart() { add(large, index) }
    }

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
        if large.isLast(index) {
            if let found {
                lines += ManifestLine(digest: found, path: large.path).bytes
                tell(large.path, .copied, large.metadata.size)
            } else {
                lines += BackupManifest.changedLine
                tell(large.path, .failed(MediaFault.changed(large.path)), 0)
            }
        }
        put(large.firstNumber + index, tar, lines)
        tar.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
    }
}
