/// What rows and files say of one kind of media, local or remote. Values: add them up.
package struct MediaTally: Sendable, Equatable {
    /// Attachments that rows say are stored here.
    package var rows = 0
    /// Files that were looked at: the variants of those attachments.
    package var files = 0
    package var missing = 0
    /// Files of no byte.
    package var empty = 0
    /// Files of another size or kind than the row says.
    package var different = 0
    /// Files that could not be looked at.
    package var failed = 0
    /// What the rows say of the originals.
    package var bytesInRows: Int64 = 0
    /// What the files that are there have, all variants.
    package var bytesOnDisk: Int64 = 0

    package init() {}

    package static func += (left: inout MediaTally, right: MediaTally) {
        left.rows += right.rows
        left.files += right.files
        left.missing += right.missing
        left.empty += right.empty
        left.different += right.different
        left.failed += right.failed
        left.bytesInRows += right.bytesInRows
        left.bytesOnDisk += right.bytesOnDisk
    }
}

/// One line of a table of media.
package struct MediaTallyLine: Sendable, Equatable {
    /// `attachment`, `avatar`: as programs read it.
    package var kind: String
    /// `attachments`, `custom emoji`: as people do.
    package var title: String
    package var isLocal: Bool
    package var tally: MediaTally

    package init(kind: String, title: String, isLocal: Bool, tally: MediaTally) {
        self.kind = kind
        self.title = title
        self.isLocal = isLocal
        self.tally = tally
    }
}
