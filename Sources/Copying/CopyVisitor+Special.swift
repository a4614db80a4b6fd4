internal import MediaModel
internal import Storage
internal import Synchronization

/// Links, fifos, sockets and devices: made anew under a temporary name, never opened.
extension CopyVisitor {
    func copySpecial(_ name: EntryName, _ kind: EntryKind, in node: DirectoryNode, _ worker: CopyWorker) {
        let account = { (outcome: Outcome, changes: ChangeSet) in
            self.context.finish(outcome, kind, in: node, name: name, tally: worker.tally, changes: changes)
        }
        let source: Metadata
        var text: [UInt8] = []
        do throws(FileFault) {
            source = try node.source.metadata(of: name)
            if kind == .symlink { text = try node.source.readLink(name) }
        } catch {
            return account(context.sourceFailure(error, "could not read \(node.path(of: name))"), [])
        }
        guard source.kind == kind else { return account(.failed(changedError(node.path(of: name))), []) }
        copySpecial(name, kind, source, text, in: node, worker)
    }

    /// Makes an entry of which all is known.
    /// - Parameter text: of a link.
    func copySpecial(
        _ name: EntryName,
        _ kind: EntryKind,
        _ source: Metadata,
        _ text: [UInt8],
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) {
        let account = { (outcome: Outcome, changes: ChangeSet) in
            self.context.finish(outcome, kind, in: node, name: name, tally: worker.tally, changes: changes)
        }
        if !context.host.isRoot, kind == .blockDevice || kind == .characterDevice {
            return account(.skipped(.special), [])
        }
        let wanted = context.attributeRules.wanted(source, kind: kind)
        var existing: Metadata?
        if !node.flags.contains(.fresh), !node.flags.contains(.absent) {
            do throws(FileFault) {
                existing = try node.target.lookUp(name)
            } catch {
                return account(context.failure(error, "could not look at \(node.path(of: name)) in the target"), [])
            }
        }
        var changes: ChangeSet = .new
        if let existing {
            if context.options.ignoreExisting { return account(.skipped(.existing), []) }
            if existing.kind == .directory {
                guard makeWay(name, kind, in: node, worker) else { return }
                return make(name, kind, source, text, wanted, replaces: nil, changes: [.new, .kind], in: node, worker)
            }
            if sameEntry(name, kind, source, text, existing, in: node) {
                changes = wanted.changes(from: existing, kind: kind)
                if changes.isEmpty { return account(.unchanged, []) }
                if existing.linkCount == 1 {
                    return account(update(name, existing, wanted, changes, in: node), changes)
                }
            } else {
                changes =
                    existing.kind == kind
                    ? wanted.changes(from: existing, kind: kind).union(.content) : [.new, .kind]
            }
        } else if context.options.existingOnly {
            return account(.skipped(.notExisting), [])
        }
        make(name, kind, source, text, wanted, replaces: existing, changes: changes, in: node, worker)
    }

    private func sameEntry(
        _ name: EntryName,
        _ kind: EntryKind,
        _ source: Metadata,
        _ text: [UInt8],
        _ existing: Metadata,
        in node: DirectoryNode
    ) -> Bool {
        guard existing.kind == kind else { return false }
        switch kind {
        case .symlink: return (try? node.target.readLink(name)) == text
        case .blockDevice, .characterDevice: return existing.deviceNumber == source.deviceNumber
        default: return true
        }
    }

    private func update(
        _ name: EntryName,
        _ existing: Metadata,
        _ wanted: Attributes,
        _ changes: ChangeSet,
        in node: DirectoryNode
    ) -> Outcome {
        if context.options.dryRun { return .updated }
        do throws(FileFault) {
            try context.willChange()
            let entry = try node.target.openEntry(name)
            if try entry.metadata().identity == existing.identity {
                try setAttributes(entry, wanted, changes, isLink: existing.kind == .symlink)
            }
            return .updated
        } catch {
            return context.failure(error, "could not set the attributes of \(node.path(of: name))")
        }
    }

    private func make(
        _ name: EntryName,
        _ kind: EntryKind,
        _ source: Metadata,
        _ text: [UInt8],
        _ wanted: Attributes,
        replaces: Metadata?,
        changes: ChangeSet,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) {
        var outcome = Outcome.created
        if !context.options.dryRun {
            let temporary = worker.names.next()
            do throws(FileFault) {
                try context.willChange()
                if kind == .symlink {
                    try node.target.makeSymlink(temporary, text: text)
                } else {
                    let type = source.mode & 0o170000
                    try node.target.makeSpecial(temporary, mode: type | 0o600, deviceNumber: source.deviceNumber)
                }
                do throws(FileFault) {
                    try finishSpecial(temporary, kind, wanted, in: node)
                    try context.rename(temporary, to: name, in: node, replaces: replaces != nil)
                } catch {
                    try? node.target.removeFile(temporary)
                    throw error
                }
            } catch {
                outcome =
                    error.kind == .exists
                    ? context.nameFailure(error, node.path(of: name))
                    : context.failure(error, "could not make \(node.path(of: name))")
            }
        }
        context.finish(outcome, kind, in: node, name: name, tally: worker.tally, changes: changes)
    }

    /// Attributes are set through a handle to what was made: a name swapped meanwhile is not followed.
    private func finishSpecial(
        _ temporary: EntryName,
        _ kind: EntryKind,
        _ wanted: Attributes,
        in node: DirectoryNode
    ) throws(FileFault) {
        let entry = try node.target.openEntry(temporary)
        guard try entry.metadata().kind == kind else { return }
        if wanted.owner != nil || wanted.group != nil {
            try entry.setOwner(wanted.owner ?? .max, group: wanted.group ?? .max)
        }
        if kind != .symlink { try entry.setPermissions(wanted.permissions) }
        try entry.setTimes(access: wanted.accessTime, modification: wanted.modificationTime)
    }

    /// A directory of the target has the name of something else in the source. An empty one makes way; one with entries
    /// makes way with `--delete`, after everything else.
    /// - Returns: false where the entry is on the account or put off.
    func makeWay(_ name: EntryName, _ kind: EntryKind, in node: DirectoryNode, _ worker: CopyWorker) -> Bool {
        if context.options.dryRun, worker.settlesConflicts { return true }
        // A comparison tells that the kinds differ, and no more.
        if context.options.comparison != nil { return true }
        do throws(FileFault) {
            if context.options.dryRun {
                try node.target.requireEmptyDirectory(name)
            } else {
                try context.willChange()
                try node.target.removeDirectory(name)
                node.set(.dirty)
            }
            return true
        } catch {
            if error.kind == .notEmpty || error.kind == .exists, context.options.delete, !worker.settlesConflicts {
                let conflict = Conflict(node: node, name: BytePath(name: name), kind: kind)
                context.conflicts.withLock { $0.append(conflict) }
                // Everything in it counts against the limit of deletions.
                context.extraneousCounter().handle(name, in: node.target, path: node.path(of: name))
                return false
            }
            let problem = SyncError(
                .item,
                "could not replace the directory \(node.path(of: name)) by a \(kind.name)",
                why: error.reason,
                hint: "pass --delete to remove directories that are in the way, or move it away"
            )
            context.finish(.failed(problem), kind, in: node, name: name, tally: worker.tally)
            return false
        }
    }
}

/// A directory of the target that must go before an entry of the source can have its name.
struct Conflict: Sendable {
    let node: DirectoryNode
    let name: BytePath
    let kind: EntryKind
}
