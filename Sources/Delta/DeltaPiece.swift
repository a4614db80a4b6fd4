/// One piece of a file, as whoever has an older version of it is told.
package enum DeltaPiece {
    /// These bytes of the older version.
    case copy(offset: Int64, count: Int64)
    /// These new bytes. They are there for the time of the call.
    case literal(UnsafeRawBufferPointer)
}

/// What a delta came to.
package struct DeltaFigures: Sendable, Equatable {
    /// Bytes that the older version has, and those that it has not.
    package var matchedBytes: Int64 = 0
    package var literalBytes: Int64 = 0
    /// Windows whose weak checksum was known and whose strong one was not.
    package var falseAlarms = 0

    package init() {}
}
