internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// Copies what a walk shows: directories here, files in `CopyVisitor+File.swift`, the rest in `CopyVisitor+Special.swift`.
final class CopyVisitor: TreeVisitor {
    let context: CopyContext
    /// Nil where files get their names at once (`--fsync none` and `end`).
    let publisher: Publisher?
    /// Where to ask for help with large files; nil outside a walk.
    let queue: WalkQueue?
    /// Whom to ask about the source where that is on another machine.
    let questions: SourceQuestions?

    init(
        context: CopyContext,
        publisher: Publisher? = nil,
        queue: WalkQueue? = nil,
        questions: SourceQuestions? = nil
    ) {
        self.context = context
        self.publisher = publisher
        self.queue = queue
        self.questions = questions
    }

    func makeWorker(index: Int) -> CopyWorker {
        CopyWorker(context: context, index: index, queue: queue)
    }

    func prepare(_ node: DirectoryNode, worker: CopyWorker) {
        worker.stand(at: node)
    }

    // MARK: Opening

    func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: CopyWorker) -> Bool {
        let source: Metadata
        do throws(FileFault) {
            if node.parent != nil {
                node.source = try withPatience(context.control) { () throws(FileFault) in
                    try parent.source.openDirectory(node.name)
                }
            }
            source = try node.source.metadata()
        } catch {
            return give(up: node, context.sourceFailure(error, "could not read the directory \(node.path())"), worker)
        }
        if node.parent != nil, source.identity == context.targetRoot {
            // Seen through a bind mount: going on would copy the copy into itself without end.
            let error = SyncError(
                .unusable,
                "the target lies inside the source: \(node.path()) is the target itself",
                hint: "leave the directory out with --exclude, or choose another target"
            )
            context.control.stop(error)
            return give(up: node, .failed(error), worker)
        }
        if !openCounterpart(node, in: parent, source, worker) { return false }
        if context.options.oneFileSystem, source.device != context.sourceDevice {
            context.sink(
                .item(ItemEvent(path: node.path(), kind: .directory, outcome: .skipped(.mountPoint)))
            )
            // The directory itself is kept, what is mounted on it is not.
            node.set(.unlisted)
            return false
        }
        if context.selection.fileList != nil, !context.selection.reaches(into: node.path()) {
            // Listed by itself: made without its contents.
            node.set(.unlisted)
            return false
        }
        return true
    }

    /// Opens or makes the target's directory for one of the source. False where the entry is on the account.
    func openCounterpart(
        _ node: DirectoryNode,
        in parent: DirectoryHandles,
        _ source: Metadata,
        _ worker: CopyWorker
    ) -> Bool {
        node.wanted = context.attributeRules.wanted(source, kind: .directory)
        guard node.parent?.flags.contains(.absent) == true else { return openTarget(node, in: parent, source, worker) }
        node.set(.absent)
        node.changes = .new
        return true
    }

    func unreachable(_ node: DirectoryNode, fault: FileFault, worker: CopyWorker) {
        _ = give(up: node, context.sourceFailure(fault, "could not open the way to \(node.path()) again"), worker)
    }

    /// Puts a directory that cannot be handled on the account.
    func give(up node: DirectoryNode, _ outcome: Outcome, _ worker: CopyWorker) -> Bool {
        node.set([.failed, .unlisted])
        context.listingErrors.wrappingAdd(1, ordering: .relaxed)
        context.finish(outcome, .directory, in: node, name: nil, tally: worker.tally)
        return false
    }

    private func openTarget(
        _ node: DirectoryNode,
        in parent: DirectoryHandles,
        _ source: Metadata,
        _ worker: CopyWorker
    ) -> Bool {
        do throws(FileFault) {
            guard let above = node.parent else {
                if node.flags.contains(.fresh) {
                    node.changes = .new
                    try prepareFresh(node, parentInherits: node.flags.contains(.inherits))
                } else if !node.flags.contains(.absent) {
                    try prepareExisting(node, source)
                }
                return true
            }
            if above.flags.contains(.fresh) {
                return try makeTarget(node, in: parent.target, above: above, worker)
            }
            do throws(FileFault) {
                node.target = try withPatience(context.control) { () throws(FileFault) in
                    try parent.target.openDirectory(node.name)
                }
                try prepareExisting(node, source)
                return true
            } catch  where error.kind == .missing {
                return try makeTarget(node, in: parent.target, above: above, worker)
            } catch  where error.kind == .wrongKind && !node.target.isOpen {
                return try replaceWithDirectory(node, in: parent.target, above: above, worker)
            }
        } catch {
            return give(up: node, context.failure(error, "could not make the directory \(node.path())"), worker)
        }
    }

    private func makeTarget(
        _ node: DirectoryNode,
        in parent: HeldDirectory,
        above: DirectoryNode,
        _ worker: CopyWorker
    ) throws(FileFault) -> Bool {
        if context.options.existingOnly {
            node.set([.failed, .unlisted])
            context.finish(.skipped(.notExisting), .directory, in: node, name: nil, tally: worker.tally)
            return false
        }
        node.changes.insert(.new)
        if context.options.dryRun {
            node.set(.absent)
            return true
        }
        let ownerBits: UInt32 = context.host.isRoot ? 0 : 0o700
        let mode = node.wanted.permissions & 0o777 | ownerBits
        try context.willChange()
        try parent.makeDirectory(node.name, mode: mode)
        node.target = try withPatience(context.control) { () throws(FileFault) in try parent.openDirectory(node.name) }
        if mode != node.wanted.permissions { node.set(.lateMode) }
        above.set(.dirty)
        node.set(above.flags.contains(.otherDevice) ? [.fresh, .otherDevice] : .fresh)
        try prepareFresh(node, parentInherits: context.inherits(above))
        return true
    }

    /// Something else has the directory's name in the target: a link is never followed, it makes way.
    private func replaceWithDirectory(
        _ node: DirectoryNode,
        in parent: HeldDirectory,
        above: DirectoryNode,
        _ worker: CopyWorker
    ) throws(FileFault) -> Bool {
        node.changes.insert(.kind)
        if !context.options.dryRun, !context.options.existingOnly {
            try context.willChange()
            if let backup = context.backup {
                try backup.move(node.name, from: parent, of: above)
            } else {
                try parent.removeFile(node.name)
            }
        }
        return try makeTarget(node, in: parent, above: above, worker)
    }

    /// A directory this run made: owner and inherited bits are set before anything is put into it.
    private func prepareFresh(_ node: DirectoryNode, parentInherits: Bool) throws(FileFault) {
        if parentInherits { node.set([.inherits, .lateMode]) }
        node.set(.inheritanceKnown)
        let wanted = node.wanted
        if wanted.owner.map({ $0 != context.host.user }) ?? false
            || wanted.group.map({ $0 != context.host.group }) ?? false
            || ((parentInherits || context.inheritsGroups) && wanted.group != nil)
        {
            try node.target.setOwner(wanted.owner ?? .max, group: wanted.group ?? .max)
        }
    }

    private func attributeSource(of node: DirectoryNode) -> AttributeSource {
        context.isSourceElsewhere ? .sent(node.sentAttributes) : .file(node.source.raw)
    }

    private func prepareExisting(_ node: DirectoryNode, _ source: Metadata) throws(FileFault) {
        let target = try node.target.metadata()
        if target.device != context.targetDevice { node.set(.otherDevice) }
        node.changes.formUnion(node.wanted.changes(from: target, kind: .directory))
        if context.mayDifferInAttributes(source, target, node.changes),
            try !attributeSource(of: node).equals(node.target.raw, asRoot: context.host.isRoot)
        {
            node.changes.insert(.xattr)
        }
        if target.permissions & 0o2000 != 0 { node.set([.inherits, .inheritanceKnown]) }
        if !context.host.isRoot, target.permissions & 0o300 != 0o300, !context.options.dryRun {
            try node.target.setPermissions(target.permissions | 0o700)
            node.set(.lateMode)
        }
        if context.options.delete { context.targetEntries.wrappingAdd(1, ordering: .relaxed) }
    }

    // MARK: Entries

    func kind(of entry: WalkEntry, in node: DirectoryNode, worker: CopyWorker) -> EntryKind? {
        do throws(FileFault) {
            if let kind = try node.source.metadata(of: entry.name).kind { return kind }
            worker.tally.seen.add()
            context.finish(.skipped(.special), .fifo, in: node, name: entry.name, tally: worker.tally)
        } catch {
            worker.tally.seen.add()
            let outcome = context.sourceFailure(error, "could not look at \(node.path(of: entry.name))")
            context.finish(outcome, .file, in: node, name: entry.name, tally: worker.tally)
        }
        return nil
    }

    func descends(into entry: WalkEntry, of node: DirectoryNode, worker: CopyWorker) -> Bool {
        worker.tally.seen.add()
        worker.tally.directories.add()
        if worker.excludes(entry.bytes, isDirectory: true) {
            context.finish(.skipped(.excluded), .directory, in: node, name: entry.name, tally: worker.tally)
            return false
        }
        return true
    }

    func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: CopyWorker) {
        worker.tally.seen.add()
        let kind = entry.kind ?? .file
        if kind == .file { worker.tally.files.add() } else { worker.tally.others.add() }
        if TemporaryName.isOwn(entry.bytes) {
            context.finish(.skipped(.temporary), kind, in: node, name: entry.name, tally: worker.tally)
        } else if worker.excludes(entry.bytes, isDirectory: false) {
            context.finish(.skipped(.excluded), kind, in: node, name: entry.name, tally: worker.tally)
        } else if kind == .file {
            copyFile(entry.name, in: node, worker)
        } else {
            copySpecial(entry.name, kind, in: node, worker)
        }
    }

    func note(_ entry: WalkEntry, of node: DirectoryNode) {
        // The target is listed as well: what is not among these names is extraneous.
        if context.options.delete { node.nameHashes.append(NameHash.of(entry.bytes)) }
    }

    // MARK: The end of a directory

    func listed(_ node: DirectoryNode, worker: CopyWorker) {
        guard context.options.delete || !context.deadRuns.isEmpty else { return }
        guard node.target.isOpen, !node.flags.contains(.fresh) else { return }
        inspectTarget(node, worker)
    }

    func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: CopyWorker) {
        let outcome = context.sourceFailure(fault, "could not list the directory \(node.path())")
        context.listingErrors.wrappingAdd(1, ordering: .relaxed)
        node.set(.failed)
        context.finish(outcome, .directory, in: node, name: nil, tally: worker.tally)
    }

    func finish(_ node: DirectoryNode, worker: CopyWorker) {
        guard let outcome = context.makeFinal(node, tally: worker.tally) else { return }
        if let publisher {
            publisher.offer(.directory(node, outcome))
        } else {
            worker.publishing.finishDirectory(node, outcome)
        }
    }
}

extension CopyContext {
    /// Whether new entries of a target directory get more than they are given: a group, an ACL.
    func inherits(_ node: DirectoryNode) -> Bool {
        let flags = node.flags
        if flags.contains(.inheritanceKnown) { return flags.contains(.inherits) }
        let found = (try? ExtendedAttributes.hasDefaultACL(node.target)) ?? true
        node.set(found ? [.inherits, .inheritanceKnown] : .inheritanceKnown)
        return found
    }
}
