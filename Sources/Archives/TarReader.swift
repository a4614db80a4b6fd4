internal import CArchive
package import MediaModel

/// Reads a tar archive from its beginning to its end, by libarchive: ustar, pax, GNU's long names and sparse files. An
/// archive that is cut or damaged is an error, never an end: libarchive takes one that is cut between two entries for a
/// whole one. One owner, used on one thread.
package final class TarReader {
    /// A piece of an entry's content and where it belongs; valid until the next call.
    package struct Piece {
        package let bytes: UnsafeRawBufferPointer
        package let offset: Int64
    }

    private static let block: Int64 = 512

    private let archive: OpaquePointer
    private let feed: ArchiveFeed
    private var entry: OpaquePointer?

    /// - Parameter source: decompressed.
    package init(_ source: any ByteSource) throws(SyncError) {
        guard let archive = archive_read_new() else {
            throw SyncError(.exhausted, "cannot read the archive", why: "no memory", retry: .abortStage)
        }
        self.archive = archive
        feed = ArchiveFeed(source)
        archive_read_support_format_tar(archive)
        let context = Unmanaged.passUnretained(feed).toOpaque()
        try check(archive_read_open2(archive, context, nil, archiveFeedRead, nil, nil))
    }

    deinit {
        archive_read_free(archive)
    }

    /// The next entry; what was not read of the one before is passed over. Nil at the end of the archive, which is the end
    /// of the stream as well.
    package func next() throws(SyncError) -> TarEntry? {
        let result = archive_read_next_header(archive, &entry)
        if result == ARCHIVE_EOF {
            try finish()
            return nil
        }
        // A warning is about a name or an attribute that libarchive cannot translate: names are taken as bytes here.
        if result != ARCHIVE_WARN { try check(result) }
        guard let entry else { throw ArchiveError.damaged("libarchive tells of no entry") }
        return try Self.value(of: entry)
    }

    private static func value(of entry: OpaquePointer) throws(SyncError) -> TarEntry {
        guard let path = bytes(archive_entry_pathname(entry)) ?? bytes(archive_entry_pathname_utf8(entry)) else {
            throw ArchiveError.damaged("an entry has no name")
        }
        let nanoseconds = archive_entry_mtime_nsec(entry)
        return TarEntry(
            path: path,
            kind: kind(of: entry),
            size: archive_entry_size(entry),
            permissions: UInt32(archive_entry_perm(entry)),
            modificationSeconds: Int64(archive_entry_mtime(entry)),
            modificationNanoseconds: (1..<1_000_000_000).contains(nanoseconds) ? UInt32(nanoseconds) : nil
        )
    }

    private static func kind(of entry: OpaquePointer) -> TarEntry.Kind {
        if let target = bytes(archive_entry_hardlink(entry)) ?? bytes(archive_entry_hardlink_utf8(entry)) {
            return .hardLink(target)
        }
        // The types of `st_mode`, which Swift does not see as libarchive's constants.
        switch UInt32(archive_entry_filetype(entry)) {
        case 0o100000: return .file
        case 0o040000: return .directory
        case 0o120000: return .symlink
        default: return .special
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> BytePath? {
        text.map { BytePath(bytes: Array(UnsafeRawBufferPointer(start: $0, count: length(of: $0)))) }
    }

    private static func length(of text: UnsafePointer<CChar>) -> Int {
        var length = 0
        while text[length] != 0 { length += 1 }
        return length
    }

    /// The next piece of the content of the entry at hand; nil at its end. Holes of sparse files are between pieces.
    package func content() throws(SyncError) -> Piece? {
        var start: UnsafeRawPointer?
        var count = 0
        var offset: Int64 = 0
        let result = archive_read_data_block(archive, &start, &count, &offset)
        if result == ARCHIVE_EOF { return nil }
        try check(result)
        return Piece(bytes: UnsafeRawBufferPointer(start: start, count: count), offset: offset)
    }

    /// The end is marked by a block of zeros, behind which nothing else may stand.
    private func finish() throws(SyncError) {
        let end = archive_read_header_position(archive)
        let total = try feed.drain()
        if total - end < Self.block { throw ArchiveError.cut }
        if feed.lastContent > end { throw ArchiveError.damaged("something else follows its end") }
    }

    private func check(_ code: Int32) throws(SyncError) {
        if let failure = feed.failure { throw failure }
        if code == ARCHIVE_OK { return }
        let message = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive cannot read it"
        // libarchive's words for an end that comes too early all begin so.
        if message.hasPrefix("Truncated") { throw ArchiveError.cut }
        throw ArchiveError.damaged(BytePath.escaped(Array(message.utf8)))
    }
}

/// Errors of archives.
enum ArchiveError {
    private static let hint = "copy or make the file again, and compare its size and checksum with the original"

    static let cut = SyncError(.unusable, "the archive is broken", why: "it was cut off", hint: hint)

    /// - Parameter why: escaped.
    static func damaged(_ why: String) -> SyncError {
        SyncError(.unusable, "the archive is broken", why: why, hint: hint)
    }
}
