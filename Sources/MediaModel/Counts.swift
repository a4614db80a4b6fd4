/// How many entries reached which outcome, and the bytes moved. Values: add them up, take a snapshot, compare.
package struct Counts: Sendable, Equatable {
    /// Entries of the source that were looked at, the root included.
    package var seen = 0
    package var copied = 0
    package var created = 0
    package var linked = 0
    package var updated = 0
    package var unchanged = 0
    package var failed = 0
    /// Entries left out on purpose, by reason.
    package var skipped: [SkipReason: Int] = [:]

    /// Entries of the target removed (not part of `seen`), and those that could not be.
    package var deleted = 0
    package var deleteFailed = 0
    /// Failed entries whose source changed or vanished while it was read (part of `failed`).
    package var sourceChanged = 0
    /// Entries that differ, found by `verify`.
    package var different = 0

    /// Media of other servers that were fetched, that their servers have no more, and whose rows changed meanwhile.
    package var fetched = 0
    package var gone = 0
    package var superseded = 0

    /// Entries of the source by kind.
    package var files = 0
    package var directories = 0
    package var others = 0

    /// Bytes of content written to the target, and read for comparing.
    package var bytesWritten: Int64 = 0
    package var bytesCompared: Int64 = 0
    /// Bytes of all files of the source seen.
    package var bytesSeen: Int64 = 0
    package var bytesDeleted: Int64 = 0
    /// Bytes of written files that the target had already, in an older version or under another name.
    package var bytesMatched: Int64 = 0
    /// Bytes between two machines, both ways.
    package var bytesTransferred: Int64 = 0

    package init() {}

    package var skippedTotal: Int { skipped.values.reduce(0, +) }

    /// Entries that reached an outcome.
    package var finished: Int {
        copied + created + linked + updated + unchanged + failed + skippedTotal + different + fetched + gone
            + superseded
    }

    /// The rule every finished run must keep: nothing seen is lost from the account.
    package var balances: Bool { seen == finished }

    /// True when the run changed the target.
    package var changedTarget: Bool { copied + created + linked + updated + deleted + fetched > 0 }

    /// The accounts of two parts of a run.
    package static func + (one: Counts, other: Counts) -> Counts {
        var sum = one
        for field in numbers { sum[keyPath: field] += other[keyPath: field] }
        for field in sizes { sum[keyPath: field] += other[keyPath: field] }
        for (reason, count) in other.skipped { sum.skipped[reason, default: 0] += count }
        return sum
    }

    private static var numbers: [WritableKeyPath<Counts, Int>] {
        [
            \.seen, \.copied, \.created, \.linked, \.updated, \.unchanged, \.failed, \.deleted, \.deleteFailed,
            \.sourceChanged, \.different, \.fetched, \.gone, \.superseded, \.files, \.directories, \.others,
        ]
    }

    private static var sizes: [WritableKeyPath<Counts, Int64>] {
        [
            \.bytesWritten, \.bytesCompared, \.bytesSeen, \.bytesDeleted, \.bytesMatched, \.bytesTransferred,
        ]
    }
}
