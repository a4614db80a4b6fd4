package import MediaModel

/// Decompresses a stream. A stream that is cut or damaged is an error, never an end.
package final class DecompressingSource: ByteSource {
    private let decoder: any ByteSource

    /// - Parameter compression: not `none`.
    package init(_ source: any ByteSource, compression: Compression) throws(SyncError) {
        precondition(compression != .none)
        decoder = compression == .gzip ? try GzipDecoder(source) : try FilterDecoder(source, compression: compression)
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        try decoder.read(into: buffer)
    }
}
