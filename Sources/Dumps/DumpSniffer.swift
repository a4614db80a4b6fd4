internal import Archives
internal import MediaModel
internal import Storage

/// Tells what a dump's file is, by its content.
enum DumpSniffer {
    /// Text is looked at this far: a header stands in the first lines.
    private static let textBytes = 1 << 16
    private static let tarBlock = 512

    /// - Parameter descriptor: kept open by somebody else.
    static func identify(_ descriptor: Int32, path: BytePath) throws(SyncError) -> (DumpKind, Compression) {
        let start = try head(FileReader(descriptor: descriptor, path: path), tarBlock)
        if start.isEmpty { throw DumpError.noDump(path, "the file is empty", hint: "make the dump again") }
        if let archive = archive(start) { return (archive, .none) }
        let compression = Compression(prefix: start)
        let reader = FileReader(descriptor: descriptor, path: path)
        let source: any ByteSource =
            compression == .none ? reader : try DecompressingSource(reader, compression: compression)
        let text = try head(source, textBytes)
        if compression != .none, archive(text) != nil {
            throw DumpError.noDump(
                path,
                "it is an archive of pg_dump inside a \(compression.rawValue) stream, which pg_restore cannot read",
                hint: "decompress it first"
            )
        }
        guard let kind = kind(ofText: text) else {
            throw DumpError.noDump(path, "it does not begin as one")
        }
        return (kind, compression)
    }

    private static func head(_ source: any ByteSource, _ count: Int) throws(SyncError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { buffer.deallocate() }
        var filled = 0
        while filled < count {
            let read = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if read == 0 { break }
            filled += read
        }
        return Array(buffer[..<filled])
    }

    /// An archive by its first block: `PGDMP`, or a tar whose first member is the table of contents.
    static func archive(_ start: [UInt8]) -> DumpKind? {
        if start.starts(with: "PGDMP".utf8) { return .custom }
        let isTar = start.count >= tarBlock && start[257...].starts(with: "ustar".utf8)
        return isTar && start.starts(with: Array("toc.dat".utf8) + [0]) ? .tar : nil
    }

    /// Text by its first comment. Only a byte order mark, blank lines, comments and psql's `\restrict` may stand before it.
    static func kind(ofText text: [UInt8]) -> DumpKind? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let body = text.starts(with: mark) ? text.dropFirst(3) : text[...]
        for line in body.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            switch HeaderComment(line: line) {
            case .dump: return .plain
            case .cluster: return .cluster
            default: break
            }
            let isComment = line.starts(with: "--".utf8)
            let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            if !isComment && !isBlank && !line.starts(with: "\\restrict ".utf8) { return nil }
        }
        return nil
    }
}
