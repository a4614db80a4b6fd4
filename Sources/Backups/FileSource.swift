internal import Archives
internal import Checksums
internal import MediaModel
internal import Storage

/// The bytes of a file of an export, from its beginning. One owner, on one thread.
final class FileSource: ByteSource {
    let size: Int64
    /// The beginning, for telling what it is.
    let compression: Compression
    private let file: OpenFile
    private let name: BytePath
    private let advance: (Int64) -> Void
    private let growth: ArchiveGrowth?
    private var offset: Int64 = 0

    /// - Parameters:
    ///   - growth: of a file that is being written: it is read as far as it is there, and then waited for.
    ///   - advance: told how far it was read.
    init(
        _ name: BytePath,
        in directory: HeldDirectory,
        growth: ArchiveGrowth? = nil,
        advance: @escaping (Int64) -> Void = { _ in }
    ) throws(SyncError) {
        self.name = name
        self.growth = growth
        self.advance = advance
        _ = growth?.length(of: .archive, beyond: Int64(Compression.prefixLength))
        do throws(FileFault) {
            file = try name.withEntryName { (name) throws(FileFault) in try directory.openFile(name) }
            file.willReadSequentially()
            size = try file.metadata().size
            var head = [UInt8](repeating: 0, count: Compression.prefixLength)
            let count = try file.readFully(into: &head)
            compression = Compression(prefix: head.prefix(count))
        } catch {
            throw error.syncError("could not read \(name)")
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        do throws(FileFault) {
            var buffer = buffer
            if let growth {
                let rest = growth.length(of: .archive, beyond: offset) - offset
                if rest < buffer.count { buffer = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(rest)]) }
            }
            let count = try file.readFully(into: buffer, at: offset)
            offset += Int64(count)
            advance(offset)
            return count
        } catch {
            throw error.syncError("could not read \(name)")
        }
    }

    /// Its tar, or whatever is in it.
    func decompressed() throws(SyncError) -> any ByteSource {
        compression == .none ? self : try DecompressingSource(self, compression: compression)
    }

    /// The digest of all its bytes.
    func digest(_ algorithm: DigestAlgorithm, shouldStop: () -> Bool) throws(SyncError) -> Digest {
        let digest = StreamingDigest(algorithm)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        defer { buffer.deallocate() }
        while !shouldStop() {
            let count = try read(into: buffer)
            if count == 0 { break }
            digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return digest.finish()
    }
}
