/// Why an entry of the source was left out on purpose.
package enum SkipReason: String, Sendable, CaseIterable {
    /// A filter rule, `--only` or `--files-from` leaves it out.
    case excluded
    /// `--existing`: it is not in the target.
    case notExisting = "not existing"
    /// `--ignore-existing`: it is in the target already.
    case existing
    /// `--update`: the target's file is newer.
    case newerInTarget = "newer in target"
    /// `--one-file-system`, or a mount point that must not be crossed.
    case mountPoint = "mount point"
    /// A device, fifo or socket that cannot be made here.
    case special
    /// A temporary or marker of mediasync itself.
    case temporary
    /// The row says nowhere it could be fetched from.
    case noAddress = "no address"
    /// A block of the domain refuses its media.
    case rejected = "media rejected"
    /// Its server said lately that it is gone.
    case goneBefore = "gone before"
}

/// What became of one entry. Every entry that a run sees ends in exactly one of these.
package enum Outcome: Sendable {
    /// A file's content was written under its final name.
    case copied
    /// A directory, link or special entry was made.
    case created
    /// A hard link to an entry copied before.
    case linked
    /// Only attributes differed and were set.
    case updated
    /// Source and target were equal already.
    case unchanged
    /// An entry of the target that the source does not have was removed.
    case deleted
    /// `verify` found source and target unequal; the change set says in what.
    case different
    /// Its bytes came from another server and are in place.
    case fetched
    /// The other server has it no more. No failure: nobody can do anything about it.
    case gone
    /// The row changed or went while this run worked on it; it is left as it is.
    case superseded
    case skipped(SkipReason)
    case failed(SyncError)

    /// The outcome as JSON and the run state name it.
    package var name: String {
        switch self {
        case .copied: "copied"
        case .created: "created"
        case .linked: "linked"
        case .updated: "updated"
        case .unchanged: "unchanged"
        case .deleted: "deleted"
        case .different: "different"
        case .fetched: "fetched"
        case .gone: "gone"
        case .superseded: "superseded"
        case .skipped: "skipped"
        case .failed: "failed"
        }
    }
}

/// What differs between source and target: the letters of an itemized line.
package struct ChangeSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Nothing differs. An empty list says the same, but is made into a set at run time, which shows where every entry has one.
    @inlinable
    package static var nothing: ChangeSet { ChangeSet(rawValue: 0) }

    /// The target does not have the entry.
    package static let new = ChangeSet(rawValue: 1)
    /// The content differs (or, without a checksum, is taken to).
    package static let content = ChangeSet(rawValue: 2)
    package static let size = ChangeSet(rawValue: 4)
    package static let time = ChangeSet(rawValue: 8)
    package static let mode = ChangeSet(rawValue: 16)
    package static let owner = ChangeSet(rawValue: 32)
    package static let group = ChangeSet(rawValue: 64)
    package static let acl = ChangeSet(rawValue: 128)
    package static let xattr = ChangeSet(rawValue: 256)
    /// The entry is another kind in the target (a file where the source has a directory, another link text, device).
    package static let kind = ChangeSet(rawValue: 512)
    /// Only the target has the entry.
    package static let extra = ChangeSet(rawValue: 1024)
    /// A file without a byte where there should be some.
    package static let empty = ChangeSet(rawValue: 2048)
    /// The content is of another type than is said of it.
    package static let type = ChangeSet(rawValue: 4096)
    /// The content cannot be decoded to its end.
    package static let undecodable = ChangeSet(rawValue: 8192)
}
