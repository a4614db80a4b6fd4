internal import CArchive
internal import MediaModel

/// What libarchive asks for bytes. It keeps a pointer to this; one owner, the reader.
final class ArchiveFeed {
    private static let bufferBytes = 256 << 10

    private let source: any ByteSource
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 16)
    /// The source's own error, which says more than libarchive's.
    private(set) var failure: SyncError?
    /// Bytes handed over so far.
    private(set) var total: Int64 = 0
    /// Where the last byte that is not zero ended.
    private(set) var lastContent: Int64 = 0

    init(_ source: any ByteSource) {
        self.source = source
    }

    deinit {
        buffer.deallocate()
    }

    func next() -> UnsafeRawBufferPointer? {
        do throws(SyncError) {
            let count = try source.read(into: buffer)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if let last = bytes.lastIndex(where: { $0 != 0 }) { lastContent = total + Int64(last) + 1 }
            total += Int64(count)
            return bytes
        } catch {
            failure = error
            return nil
        }
    }

    /// Reads what libarchive did not ask for; the bytes there were in all.
    func drain() throws(SyncError) -> Int64 {
        while let bytes = next(), !bytes.isEmpty {}
        if let failure { throw failure }
        return total
    }
}

/// `archive_read_callback`: the next bytes, 0 at the end, -1 for an error.
func archiveFeedRead(
    _ archive: OpaquePointer?,
    _ feed: UnsafeMutableRawPointer?,
    _ block: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> Int {
    guard let feed, let block, let bytes = Unmanaged<ArchiveFeed>.fromOpaque(feed).takeUnretainedValue().next() else {
        return -1
    }
    block.pointee = bytes.baseAddress
    return bytes.count
}
