package import MediaModel

/// Decompresses a stream. A stream that is cut or damaged is an error, never an end.
package final class DecompressingSource: ByteSource {
    private let decoder: any ByteSource

    /// - Parameters:
    ///   - compression: not `none`.
    ///   - library: one that is there.
    package init(
        _ source: any ByteSource,
        compression: Compression,
        gzip library: GzipLibrary = .preferred
    ) throws(SyncError) {
        precondition(compression != .none)
        decoder =
            switch (compression, library) {
            case (.gzip, .isal): try FastGzipDecoder(source)
            case (.gzip, .zlib): try GzipDecoder(source)
            default: try FilterDecoder(source, compression: compression)
            }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        try decoder.read(into: buffer)
    }
}
