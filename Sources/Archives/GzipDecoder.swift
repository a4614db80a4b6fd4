internal import CArchive
internal import MediaModel

/// gzip by zlib: every member's checksum and length are compared, which libarchive leaves out.
final class GzipDecoder: ByteSource {
    private static let inputBytes = 256 << 10

    private let source: any ByteSource
    private let input: UnsafeMutableRawBufferPointer
    /// zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>
    /// Inside a member: the end of the input is an error there.
    private var isInside = false
    private var sawMember = false
    private var isFinished = false

    init(_ source: any ByteSource) throws(SyncError) {
        self.source = source
        input = .allocate(byteCount: Self.inputBytes, alignment: 16)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        if mds_inflate_init_gzip(stream) != Z_OK {
            throw SyncError(.exhausted, "cannot decompress the stream", why: "no memory for zlib", retry: .abortStage)
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        guard !isFinished, !buffer.isEmpty else { return 0 }
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: buffer.count)
        let wanted = Int(stream.pointee.avail_out)
        while Int(stream.pointee.avail_out) == wanted {
            if stream.pointee.avail_in == 0, try !refill() { break }
            try step()
        }
        return wanted - Int(stream.pointee.avail_out)
    }

    /// False at the end of the stream.
    private func refill() throws(SyncError) -> Bool {
        let count = try source.read(into: input)
        if count > 0 {
            stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(count)
            return true
        }
        if isInside || !sawMember { throw CompressionError.cut(.gzip) }
        isFinished = true
        return false
    }

    private func step() throws(SyncError) {
        isInside = true
        switch inflate(stream, Z_NO_FLUSH) {
        case Z_OK, Z_BUF_ERROR: return
        case Z_STREAM_END:
            // Members may follow one another; what follows is one, or the stream is damaged.
            isInside = false
            sawMember = true
            inflateReset(stream)
        case Z_MEM_ERROR:
            throw SyncError(.exhausted, "cannot decompress the stream", why: "no memory for zlib", retry: .abortStage)
        default:
            let message = stream.pointee.msg.map { String(cString: $0) }
            throw CompressionError.damaged(.gzip, message ?? "not a gzip stream")
        }
    }
}
