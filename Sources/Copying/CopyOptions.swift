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
    /// Nothing is copied: what differs is told. Only where one side is on another machine.
    package var comparison: Comparison?

    package init() {}
}

/// What a comparison with another machine tells.
package struct Comparison: Sendable {
    /// Kinds, sizes and contents alone: no modes, owners, times.
    package var contentOnly = false
    /// The target is read past the page cache: from the disk.
    package var uncached = false

    package init(contentOnly: Bool = false, uncached: Bool = false) {
        self.contentOnly = contentOnly
        self.uncached = uncached
    }

    private static let attributes: ChangeSet = [.time, .mode, .owner, .group, .acl, .xattr]

    /// What a copy would do with an entry, as what differs.
    func judge(_ outcome: inout Outcome, _ changes: inout ChangeSet, _ bytes: inout Int64) {
        switch outcome {
        case .copied, .created, .linked, .updated: break
        default: return
        }
        bytes = 0
        // The kind alone matters, and that there is none.
        if changes.contains(.kind) {
            changes = .kind
        } else if changes.contains(.new) {
            changes = .new
        } else if contentOnly {
            changes.subtract(Self.attributes)
        }
        outcome = changes.isEmpty ? .unchanged : .different
    }
}
