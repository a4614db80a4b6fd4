internal import MediaModel

/// Errors of compressed streams.
enum CompressionError {
    private static let hint = "copy or make the file again, and compare its size and checksum with the original"

    static func cut(_ compression: Compression) -> SyncError {
        SyncError(.unusable, "the \(compression.rawValue) stream is broken", why: "it was cut off", hint: hint)
    }

    /// - Parameter why: the library's own words; escaped here.
    static func damaged(_ compression: Compression, _ why: String) -> SyncError {
        SyncError(
            .unusable,
            "the \(compression.rawValue) stream is broken",
            why: BytePath.escaped(Array(why.utf8)),
            hint: hint
        )
    }
}
