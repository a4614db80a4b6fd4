/// How a stream is compressed, told by its first bytes.
package enum Compression: String, Sendable, CaseIterable {
    case none, gzip, zstd, xz, lz4, bzip2

    /// Bytes that are enough for telling.
    package static let prefixLength = 6

    /// - Parameter prefix: the first bytes of the stream.
    package init(prefix: some Collection<UInt8>) {
        let known: [(Compression, [UInt8])] = [
            (.gzip, [0x1F, 0x8B, 0x08]),
            (.zstd, [0x28, 0xB5, 0x2F, 0xFD]),
            (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),
            (.lz4, [0x04, 0x22, 0x4D, 0x18]),
            (.bzip2, [0x42, 0x5A, 0x68]),
        ]
        self = known.first { prefix.starts(with: $0.1) }?.0 ?? .none
    }
}
