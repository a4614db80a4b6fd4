internal import CGzip

/// What gzip is decompressed by.
package enum GzipLibrary: Sendable, CaseIterable {
    /// It is always there.
    case zlib
    /// Faster; used where it is installed.
    case isal

    /// Whether it is there.
    package var isThere: Bool { self == .zlib || mds_gzip_open() != 0 }

    /// The fastest that is there.
    package static var preferred: GzipLibrary { GzipLibrary.isal.isThere ? .isal : .zlib }
}
