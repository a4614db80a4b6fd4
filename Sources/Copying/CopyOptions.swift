package import Filtering
package import MediaModel

/// What a copy does: every flag of the command as a value.
package struct CopyOptions: Sendable {
    /// When content is made durable.
    package enum Durability: String, Sendable, CaseIterable {
        /// Each file before its rename, each directory after its last entry.
        case file
        /// One flush of the target's whole file system before the end.
        case end
        /// Left to the kernel.
        case none
    }

    /// How many deletions `--delete` may do.
    package enum DeleteLimit: Sendable, Equatable {
        case count(Int)
        /// Of the entries in the target.
        case percent(Double)
    }

    /// How files are made that the target has in an older version.
    package enum DeltaMode: String, Sendable, CaseIterable {
        /// From that version where it pays.
        case auto
        case always
        case never
    }

    package var digest: DigestAlgorithm? = .xxh3
    package var durability = Durability.file
    package var dryRun = false
    /// Compare by content instead of size and time.
    package var checksum = false
    /// Re-read every written file past the page cache before it gets its name.
    package var verify = false
    package var delete = false
    package var deleteLimit = DeleteLimit.percent(50)
    /// Where replaced and deleted entries are kept.
    package var backupDirectory: BytePath?
    package var filters = FilterRules()
    package var fileList: FileList?
    package var half: MediaLayout.Half?
    package var existingOnly = false
    package var ignoreExisting = false
    package var update = false
    package var oneFileSystem = false
    package var chown: Ownership?
    package var chmod: ModeRules?
    package var extendedAttributes = true
    package var hardLinks = true
    package var delta = DeltaMode.auto
    /// Make files that are new from others of the target that look like them, instead of sending them.
    package var detectRenames = false
    /// Bytes a second, all workers together.
    package var bandwidthLimit: Int64?
    /// Workers; nil lets the run decide and grow where calls wait.
    package var jobs: Int?
    /// Send an event for every entry, not for failures and skips alone.
    package var reportsEveryItem = false

    package init() {}
}
