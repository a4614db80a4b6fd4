internal import CArchive
package import MediaModel

/// Compresses one block after the other, each into a stream of its own: members of gzip, frames of zstd. What reads such
/// streams reads them one behind the other as one, so that blocks may be compressed by many threads. One owner, one thread.
package final class BlockCompressor {
    package let compression: Compression
    /// Media are compressed already: more effort gains nothing.
    private static let gzipLevel: Int32 = 1
    /// zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>?

    /// - Parameter compression: `gzip` or `zstd`.
    package init(_ compression: Compression) throws(SyncError) {
        precondition(compression == .gzip || compression == .zstd)
        self.compression = compression
        guard compression == .gzip else {
            stream = nil
            return
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.stream = stream
        if mds_deflate_init_gzip(stream, Self.gzipLevel) != Z_OK { throw Self.noMemory }
    }

    deinit {
        guard let stream else { return }
        deflateEnd(stream)
        stream.deallocate()
    }

    private static let noMemory = SyncError(
        .exhausted,
        "cannot compress",
        why: "no memory",
        retry: .abortStage
    )

    /// The block as a stream of its own.
    package func compress(_ block: UnsafeRawBufferPointer) throws(SyncError) -> [UInt8] {
        if let stream { return try deflated(block, stream) }
        return try zstandard(block)
    }

    private func deflated(
        _ block: UnsafeRawBufferPointer,
        _ stream: UnsafeMutablePointer<z_stream>
    ) throws(SyncError) -> [UInt8] {
        deflateReset(stream)
        let room = Int(deflateBound(stream, UInt(block.count)))
        var isFinished = false
        let result = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: block.baseAddress?.assumingMemoryBound(to: UInt8.self)
            )
            stream.pointee.avail_in = UInt32(block.count)
            stream.pointee.next_out = buffer.baseAddress
            stream.pointee.avail_out = UInt32(buffer.count)
            isFinished = deflate(stream, Z_FINISH) == Z_STREAM_END
            count = buffer.count - Int(stream.pointee.avail_out)
        }
        // The room is what zlib says it needs.
        if !isFinished { throw SyncError(.unexpected, "cannot compress", why: "zlib did not finish a block") }
        return result
    }

    /// By libarchive: a raw stream behind the filter.
    private func zstandard(_ block: UnsafeRawBufferPointer) throws(SyncError) -> [UInt8] {
        guard let archive = archive_write_new(), let entry = archive_entry_new() else { throw Self.noMemory }
        defer {
            archive_entry_free(entry)
            archive_write_free(archive)
        }
        let sink = Sink(capacity: block.count + block.count / 128 + 1024)
        // A warning means that libarchive would run a program for it.
        guard archive_write_add_filter_zstd(archive) == ARCHIVE_OK else {
            throw SyncError(.unusable, "cannot compress by zstd", why: "libarchive was built without it")
        }
        archive_write_set_format_raw(archive)
        archive_write_set_bytes_per_block(archive, 0)
        archive_entry_set_filetype(entry, 0o100000)
        var done = archive_write_open2(archive, Unmanaged.passUnretained(sink).toOpaque(), nil, takeBytes, nil, nil)
        if done == ARCHIVE_OK { done = archive_write_header(archive, entry) }
        if done == ARCHIVE_OK, archive_write_data(archive, block.baseAddress, block.count) != block.count {
            done = ARCHIVE_FATAL
        }
        if done == ARCHIVE_OK { done = archive_write_close(archive) }
        if done != ARCHIVE_OK {
            let message = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive failed"
            throw SyncError(.unexpected, "cannot compress", why: BytePath.escaped(Array(message.utf8)))
        }
        return sink.bytes
    }
}

/// Where libarchive puts what it wrote. It keeps a pointer to this; one owner, the compressor.
private final class Sink {
    fileprivate(set) var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }
}

/// `archive_write_callback`.
private func takeBytes(
    _ archive: OpaquePointer?,
    _ sink: UnsafeMutableRawPointer?,
    _ bytes: UnsafeRawPointer?,
    _ count: Int
) -> Int {
    guard let sink else { return -1 }
    let taken = UnsafeRawBufferPointer(start: bytes, count: count)
    Unmanaged<Sink>.fromOpaque(sink).takeUnretainedValue().bytes.append(contentsOf: taken)
    return count
}
