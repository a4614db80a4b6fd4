internal import MediaModel
internal import Storage

/// What an entry of the target must have: the source's attributes after `--chown`, `--chmod` and the user's rights.
struct Attributes: Sendable {
    var permissions: UInt32
    /// Nil: not set and not compared.
    var owner: UInt32?
    var group: UInt32?
    var accessTime: Timestamp
    var modificationTime: Timestamp

    static let none = Attributes(
        permissions: 0,
        owner: nil,
        group: nil,
        accessTime: Timestamp(seconds: 0, nanoseconds: 0),
        modificationTime: Timestamp(seconds: 0, nanoseconds: 0)
    )

    /// What differs from what an entry of the target has now. Links have no permissions.
    func changes(from target: Metadata, kind: EntryKind) -> ChangeSet {
        var changes = ChangeSet.nothing
        if modificationTime != target.modificationTime { changes.insert(.time) }
        if kind != .symlink, permissions != target.permissions { changes.insert(.mode) }
        if let owner, owner != target.owner { changes.insert(.owner) }
        if let group, group != target.group { changes.insert(.group) }
        return changes
    }
}

/// How the source's attributes become the target's.
struct AttributeRules: Sendable {
    var preservesOwner: Bool
    var chown: Ownership?
    var chmod: ModeRules?

    func wanted(_ source: Metadata, kind: EntryKind) -> Attributes {
        var permissions = source.permissions
        if let chmod, kind != .symlink {
            permissions = chmod.apply(to: permissions, isDirectory: kind == .directory)
        }
        return Attributes(
            permissions: permissions,
            owner: chown?.owner ?? (preservesOwner ? source.owner : nil),
            group: chown?.group ?? (preservesOwner ? source.group : nil),
            accessTime: source.accessTime,
            modificationTime: source.modificationTime
        )
    }
}

/// The owner and group that `--chown` gives; nil leaves the source's.
package struct Ownership: Sendable, Equatable {
    package var owner: UInt32?
    package var group: UInt32?

    package init(owner: UInt32?, group: UInt32?) {
        self.owner = owner
        self.group = group
    }
}
