internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// The last steps of an entry, the same for every thread that takes them.
extension CopyContext {
    /// Gives a finished file its name. On failure nothing of it stays and the old entry does.
    func giveName(_ publication: Publication) -> Outcome {
        let node = publication.node
        do throws(FileFault) {
            try publication.name.withEntryName { (name) throws(FileFault) in
                guard let temporary = publication.temporary else {
                    try node.target.link(unnamed: publication.descriptor, as: name)
                    node.set(.dirty)
                    return
                }
                try temporary.withEntryName { (temporary) throws(FileFault) in
                    try rename(temporary, to: name, in: node, replaces: publication.replaces != nil)
                }
            }
            return .copied
        } catch {
            publication.removeTemporary()
            return nameFailure(error, node.path(of: publication.name))
        }
    }

    /// Renames a temporary within its directory; what is replaced is kept first where the user wants backups.
    func rename(_ temporary: EntryName, to name: EntryName, in node: DirectoryNode, replaces: Bool) throws(FileFault) {
        if replaces {
            if let backup { try backup.keepForReplacement(name, of: node) }
            try node.target.rename(temporary, to: node.target, as: name)
        } else {
            try node.target.renameWithoutReplacing(temporary, as: name)
        }
        node.set(.dirty)
    }

    /// Why a name could not be given.
    func nameFailure(_ fault: FileFault, _ path: BytePath) -> Outcome {
        guard fault.kind == .exists else { return failure(fault, "could not put \(path) in place") }
        return .failed(
            SyncError(
                .item,
                "\(path) appeared in the target while it was copied",
                why: fault.reason,
                hint: "another program writes there, or the file system takes two names for one (case, Unicode form)"
            )
        )
    }

    // MARK: Directories

    /// Makes a directory's own attributes final after its last entry.
    /// - Returns: the outcome to account for after the directory was made durable; nil where it is on the account already.
    func makeFinal(_ node: DirectoryNode, tally: Tally) -> Outcome? {
        let flags = node.flags
        if flags.contains(.failed) {
            node.closeHandles()
            return nil
        }
        let natural: Outcome =
            flags.contains(.fresh) || flags.contains(.absent)
            ? .created : (node.changes.isEmpty ? .unchanged : .updated)
        if options.dryRun {
            close(node, natural, tally: tally)
            return nil
        }
        if flags.isDisjoint(with: [.fresh, .dirty, .lateMode]), node.changes.isEmpty {
            close(node, natural, tally: tally)
            return nil
        }
        do throws(FileFault) {
            if flags.contains(.evicted) {
                if !isSourceElsewhere { node.source = try reopen(node, from: root.source, control) }
                node.target = try reopen(node, from: root.target, control)
            }
            // The root comes last, when the marker is gone again.
            if node.depth > 0 { try willChange() }
            try setAttributes(of: node, flags)
        } catch {
            close(node, failure(error, "could not set the attributes of the directory \(node.path())"), tally: tally)
            return nil
        }
        if synchronizesItself(node) { return natural }
        close(node, natural, tally: tally)
        return nil
    }

    /// Whether a directory gets an fsync of its own. Asked once for each directory that was changed.
    func synchronizesItself(_ node: DirectoryNode) -> Bool {
        // Another file system mounted below the target is reached by nothing else.
        if node.flags.contains(.otherDevice) { return directoryDurability != .none }
        switch directoryDurability {
        case .none: return false
        // The root stands for the whole journal.
        case .journal: return node.depth == 0
        case .each:
            let before = synchronizedDirectories.wrappingAdd(1, ordering: .relaxed).oldValue
            return before < DirectoryDurability.eachMax || node.depth == 0
        }
    }

    /// Whether more directories were changed than get an fsync of their own: the file system is flushed at the end.
    var needsFlush: Bool {
        options.durability == .end
            || synchronizedDirectories.load(ordering: .relaxed) > DirectoryDurability.eachMax
    }

    private func setAttributes(of node: DirectoryNode, _ flags: DirectoryNode.Flags) throws(FileFault) {
        let isFresh = flags.contains(.fresh)
        if !isFresh, !node.changes.isDisjoint(with: [.owner, .group]) {
            try node.target.setOwner(node.wanted.owner ?? .max, group: node.wanted.group ?? .max)
        }
        if options.extendedAttributes, isFresh || node.changes.contains(.xattr) {
            let exact = !isFresh || flags.contains(.inherits)
            let source = isSourceElsewhere ? AttributeSource.sent(node.sentAttributes) : .file(node.source.raw)
            if try source.give(to: node.target.raw, exact: exact, asRoot: host.isRoot) == .unsupported {
                attributesUnsupported(node.path())
            }
        }
        if flags.contains(.lateMode) || (!isFresh && !node.changes.isDisjoint(with: [.mode, .owner, .group, .xattr])) {
            try node.target.setPermissions(node.wanted.permissions)
        }
        try node.target.setTimes(access: node.wanted.accessTime, modification: node.wanted.modificationTime)
    }

    /// Closes a directory and puts its outcome on the account.
    func close(_ node: DirectoryNode, _ outcome: Outcome, tally: Tally) {
        if node.depth > 0 || !node.flags.contains(.keepsHandles) { node.closeHandles() }
        finish(outcome, .directory, in: node, name: nil, tally: tally, changes: node.changes)
    }
}
