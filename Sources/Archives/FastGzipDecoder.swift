internal import CGzip
internal import MediaModel

/// gzip by ISA-L, where it is there; what is accepted is the same as with zlib.
final class FastGzipDecoder: ByteSource {
    private static let inputBytes = 256 << 10

    private let source: any ByteSource
    private let input: UnsafeMutableRawBufferPointer
    private let gzip: OpaquePointer
    /// Where in the input the bytes are that were not used.
    private var unused: UnsafePointer<UInt8>?
    private var unusedBytes = 0
    private var isFinished = false

    init(_ source: any ByteSource) throws(SyncError) {
        guard let gzip = mds_gzip_new() else {
            throw SyncError(.exhausted, "cannot decompress the stream", why: "no memory for ISA-L", retry: .abortStage)
        }
        self.gzip = gzip
        self.source = source
        input = .allocate(byteCount: Self.inputBytes, alignment: 16)
    }

    deinit {
        mds_gzip_free(gzip)
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        guard !isFinished, !buffer.isEmpty else { return 0 }
        var out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var room = buffer.count
        while true {
            var why: UnsafePointer<CChar>?
            let result = mds_gzip_step(gzip, &unused, &unusedBytes, &out, &room, &why)
            if result == Int32(MDS_GZIP_DAMAGED.rawValue) {
                throw CompressionError.damaged(.gzip, why.map { String(cString: $0) } ?? "not a gzip stream")
            }
            if room < buffer.count { return buffer.count - room }
            if try !refill() { return 0 }
        }
    }

    /// False at the end of the stream.
    private func refill() throws(SyncError) -> Bool {
        let count = try source.read(into: input)
        if count > 0 {
            unused = UnsafePointer(input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unusedBytes = count
            return true
        }
        if mds_gzip_is_whole(gzip) == 0 { throw CompressionError.cut(.gzip) }
        isFinished = true
        return false
    }
}
