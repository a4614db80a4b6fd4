internal import CArchive
internal import MediaModel

/// zstd, xz, lz4 and bzip2 by libarchive: one filter around a raw stream.
final class FilterDecoder: ByteSource {
    private let archive: OpaquePointer
    private let compression: Compression
    private let feed: ArchiveFeed
    private var isAtEnd = false

    init(_ source: any ByteSource, compression: Compression) throws(SyncError) {
        guard let archive = archive_read_new() else {
            throw SyncError(.exhausted, "cannot decompress the stream", why: "no memory", retry: .abortStage)
        }
        self.archive = archive
        self.compression = compression
        feed = ArchiveFeed(source)
        try start()
    }

    deinit {
        archive_read_free(archive)
    }

    private func start() throws(SyncError) {
        let (code, expected) = support()
        // A warning means that libarchive would run a program for it.
        guard code == ARCHIVE_OK else {
            throw SyncError(
                .unusable,
                "cannot decompress \(compression.rawValue)",
                why: "libarchive was built without it"
            )
        }
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        let opened = archive_read_open2(
            archive,
            Unmanaged.passUnretained(feed).toOpaque(),
            nil,
            archiveFeedRead,
            nil,
            nil
        )
        try check(opened)
        // Where the stream's first bytes are not the filter's, libarchive would hand them through as they are.
        if archive_filter_count(archive) != 2 || archive_filter_code(archive, 0) != expected {
            throw CompressionError.damaged(compression, "it does not begin as one")
        }
        var entry: OpaquePointer?
        let header = archive_read_next_header(archive, &entry)
        if header == ARCHIVE_EOF { return try finish() }
        try check(header)
    }

    /// Exactly one filter, named: libarchive's own guessing would look into what is inside as well.
    private func support() -> (code: Int32, filter: Int32) {
        switch compression {
        case .zstd: (archive_read_support_filter_zstd(archive), ARCHIVE_FILTER_ZSTD)
        case .xz: (archive_read_support_filter_xz(archive), ARCHIVE_FILTER_XZ)
        case .lz4: (archive_read_support_filter_lz4(archive), ARCHIVE_FILTER_LZ4)
        case .bzip2: (archive_read_support_filter_bzip2(archive), ARCHIVE_FILTER_BZIP2)
        case .gzip, .none: preconditionFailure("\(compression) is not libarchive's here")
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        if isAtEnd { return 0 }
        let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
        if count < 0 || feed.failure != nil { try check(ARCHIVE_FATAL) }
        if count == 0 { try finish() }
        return count
    }

    /// The end is one only where nothing follows: libarchive takes whatever is no further stream for padding.
    private func finish() throws(SyncError) {
        isAtEnd = true
        let total = try feed.drain()
        if archive_filter_bytes(archive, -1) != total {
            throw CompressionError.damaged(compression, "something else follows the stream")
        }
    }

    private func check(_ code: Int32) throws(SyncError) {
        if let failure = feed.failure { throw failure }
        if code == ARCHIVE_OK { return }
        let message = archive_error_string(archive).map { String(cString: $0) }
        throw CompressionError.damaged(compression, message ?? "libarchive cannot read it")
    }
}
