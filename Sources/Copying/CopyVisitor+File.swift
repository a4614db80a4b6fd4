internal import MediaModel
internal import Storage
internal import Synchronization

/// Files: compare, copy to a temporary, give it the source's attributes, publish.
extension CopyVisitor {
    /// How often a file that changes while it is read is tried.
    private static let triesMax = 2

    func copyFile(_ name: EntryName, in node: DirectoryNode, _ worker: CopyWorker) {
        var replaces: Metadata?
        var changes: ChangeSet = .new
        if !node.flags.contains(.fresh) {
            switch compareFile(name, in: node, worker) {
            case .finished: return
            case .copy(let existing, let differences):
                replaces = existing
                changes = differences
            }
        }
        if context.options.dryRun {
            return copyFileDry(name, in: node, changes: changes, worker)
        }
        for attempt in 1...Self.triesMax {
            let again = attempt < Self.triesMax
            if transfer(name, in: node, replaces: replaces, changes: changes, mayTryAgain: again, worker) { return }
        }
    }

    // MARK: Comparing

    private enum Verdict {
        /// The entry is on the account.
        case finished
        /// Copy it, replacing what the target has.
        case copy(Metadata?, ChangeSet)
    }

    /// Looks at both sides and decides.
    private func compareFile(_ name: EntryName, in node: DirectoryNode, _ worker: CopyWorker) -> Verdict {
        let absent = node.flags.contains(.absent)
        let existing: Metadata?
        do throws(FileFault) {
            existing = absent ? nil : try node.target.lookUp(name)
        } catch {
            context.finish(
                context.failure(error, "could not look at \(node.path(of: name)) in the target"),
                .file,
                in: node,
                name: name,
                tally: worker.tally
            )
            return .finished
        }
        guard let existing else {
            if context.options.existingOnly { return skip(.notExisting, name, node, worker) }
            return .copy(nil, .new)
        }
        if context.options.ignoreExisting { return skip(.existing, name, node, worker) }
        if existing.kind == .directory {
            guard makeWay(name, .file, in: node, worker) else { return .finished }
            return .copy(nil, [.new, .kind])
        }
        guard existing.kind == .file else { return .copy(existing, [.new, .kind]) }
        return compareFile(name, existing, in: node, worker)
    }

    private func skip(_ reason: SkipReason, _ name: EntryName, _ node: DirectoryNode, _ worker: CopyWorker) -> Verdict {
        context.finish(.skipped(reason), .file, in: node, name: name, tally: worker.tally)
        return .finished
    }

    private func compareFile(
        _ name: EntryName,
        _ existing: Metadata,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) -> Verdict {
        let source: Metadata
        do throws(FileFault) {
            source = try node.source.metadata(of: name)
        } catch {
            let outcome = context.sourceFailure(error, "could not look at \(node.path(of: name))")
            context.finish(outcome, .file, in: node, name: name, tally: worker.tally)
            return .finished
        }
        guard source.kind == .file else { return .copy(existing, .kind) }
        if context.options.update, existing.modificationTime > source.modificationTime {
            return skip(.newerInTarget, name, node, worker)
        }
        let wanted = context.attributeRules.wanted(source, kind: .file)
        var changes = wanted.changes(from: existing, kind: .file)
        if source.size != existing.size { changes.formUnion([.size, .content]) }
        let contentMayDiffer = context.options.checksum ? source.size == existing.size : changes.contains(.time)
        if !changes.contains(.content), contentMayDiffer {
            if context.options.checksum {
                switch contentsEqual(name, source, in: node, worker) {
                case .success(true): break
                case .success(false): changes.insert(.content)
                case .failure(let error):
                    context.finish(context.failure(error), .file, in: node, name: name, tally: worker.tally)
                    return .finished
                }
            } else {
                changes.insert(.content)
            }
        }
        if changes.contains(.content) {
            // As rsync says it: a content is known to differ only where it was compared.
            return .copy(existing, context.options.checksum ? changes : changes.subtracting(.content))
        }
        return settleUnchanged(name, source, existing, wanted, changes, in: node, worker)
    }

    /// The content is equal: at most links and attributes are left to do.
    private func settleUnchanged(
        _ name: EntryName,
        _ source: Metadata,
        _ existing: Metadata,
        _ wanted: Attributes,
        _ changes: ChangeSet,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) -> Verdict {
        var changes = changes
        if context.mayDifferInAttributes(source, existing, changes), !attributesEqual(name, in: node) {
            changes.insert(.xattr)
        }
        // A second name of the target's file may lie anywhere: attributes are not written through it.
        if !changes.isEmpty, existing.linkCount > 1 { return .copy(existing, changes) }
        if source.linkCount > 1, let links = context.hardLinks {
            switch links.claim(source) {
            case .first:
                let place = HardLinkTable.Place(node: node, name: BytePath(name: name), identity: existing.identity)
                links.settle(source.identity, at: place)
            case .pending:
                deferLink(name, source, in: node)
                return .finished
            case .published(let place):
                if place.identity != existing.identity {
                    link(name, to: place, in: node, existing: existing, tally: worker.tally)
                    return .finished
                }
            }
        }
        if changes.isEmpty {
            worker.tally.bytesSeen.add(Int(source.size))
            context.finish(.unchanged, .file, in: node, name: name, tally: worker.tally)
            return .finished
        }
        worker.tally.bytesSeen.add(Int(source.size))
        updateAttributes(name, existing, wanted, changes, in: node, worker)
        return .finished
    }

    private func attributesEqual(_ name: EntryName, in node: DirectoryNode) -> Bool {
        guard let source = try? node.source.openFile(name), let target = try? node.target.openFile(name) else {
            return true
        }
        return (try? ExtendedAttributes.equal(source.raw, target.raw, asRoot: context.host.isRoot)) ?? true
    }

    /// Compares both files' digests.
    private func contentsEqual(
        _ name: EntryName,
        _ metadata: Metadata,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) -> Result<Bool, SyncError> {
        let path = { node.path(of: name) }
        do throws(ContentFault) {
            let source: OpenFile
            let target: OpenFile
            do throws(FileFault) {
                source = try node.source.openFile(name, keepAccessTime: context.host.isRoot)
            } catch { throw .read(error) }
            do throws(FileFault) { target = try node.target.openFile(name) } catch { throw .write(error) }
            let first = try worker.content.digest(of: source, metadata.size)
            let second: Digest
            do throws(ContentFault) {
                second = try worker.content.digest(of: target, metadata.size)
            } catch {
                if case .changed = error { return .success(false) }
                throw error
            }
            worker.tally.bytesCompared.add(Int(metadata.size) * 2)
            return .success(first == second)
        } catch {
            switch error {
            case .read(let fault): return .failure(fault.syncError("could not read \(path())"))
            case .write(let fault): return .failure(fault.syncError("could not read \(path()) in the target"))
            case .changed: return .failure(changedError(path()))
            case .stopped: return .failure(SyncError(.interrupted, "stopped while comparing \(path())"))
            }
        }
    }

    func changedError(_ path: BytePath) -> SyncError {
        SyncError(
            .sourceChanged,
            "\(path) changed while it was read",
            why: "twice; nothing was written under its name",
            hint: "run the same command again when the source is quiet"
        )
    }

    // MARK: Attributes alone

    private func updateAttributes(
        _ name: EntryName,
        _ existing: Metadata,
        _ wanted: Attributes,
        _ changes: ChangeSet,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) {
        if context.options.dryRun {
            context.finish(.updated, .file, in: node, name: name, tally: worker.tally, changes: changes)
            return
        }
        do throws(FileFault) {
            try context.willChange()
            // Through a real descriptor where it opens (it can be made durable), else through a handle to the entry.
            do throws(FileFault) {
                let file = try node.target.openFile(name)
                // Somebody may have given the name to another file since it was compared.
                guard try file.metadata().identity == existing.identity else {
                    return changedTarget(name, node, worker)
                }
                try setAttributes(file, wanted, changes, name, existing, in: node)
                if let publisher, context.options.durability == .file {
                    node.hold()
                    publisher.offer(
                        .attributes(
                            Publication(
                                node: node,
                                descriptor: file.detach(),
                                temporary: nil,
                                name: BytePath(name: name),
                                replaces: existing.identity,
                                size: 0,
                                changes: changes,
                                digest: nil,
                                hardLink: nil
                            )
                        )
                    )
                    return
                }
            } catch  where error.kind == .denied {
                let entry = try node.target.openEntry(name)
                guard try entry.metadata().identity == existing.identity else {
                    return changedTarget(name, node, worker)
                }
                try setAttributes(entry, wanted, changes)
            }
            context.finish(.updated, .file, in: node, name: name, tally: worker.tally, changes: changes)
        } catch {
            let outcome = context.failure(error, "could not set the attributes of \(node.path(of: name))")
            context.finish(outcome, .file, in: node, name: name, tally: worker.tally)
        }
    }

    private func changedTarget(_ name: EntryName, _ node: DirectoryNode, _ worker: CopyWorker) {
        let error = SyncError(
            .item,
            "\(node.path(of: name)) was replaced in the target while its attributes were compared",
            hint: "another program writes there: run the same command again"
        )
        context.finish(.failed(error), .file, in: node, name: name, tally: worker.tally)
    }

    private func setAttributes(
        _ file: borrowing OpenFile,
        _ wanted: Attributes,
        _ changes: ChangeSet,
        _ name: EntryName,
        _ existing: Metadata,
        in node: DirectoryNode
    ) throws(FileFault) {
        if !changes.isDisjoint(with: [.owner, .group]) {
            try file.setOwner(wanted.owner ?? .max, group: wanted.group ?? .max)
        }
        if changes.contains(.xattr) {
            let source = try node.source.openFile(name)
            let result = try ExtendedAttributes.copy(
                from: source.raw,
                to: file.raw,
                exact: true,
                asRoot: context.host.isRoot
            )
            if result == .unsupported { context.attributesUnsupported(node.path(of: name)) }
        }
        if !changes.isDisjoint(with: [.mode, .owner, .group, .xattr]) { try file.setPermissions(wanted.permissions) }
        try file.setTimes(access: wanted.accessTime, modification: wanted.modificationTime)
    }

    /// Links have no permissions to set.
    func setAttributes(
        _ entry: borrowing EntryHandle,
        _ wanted: Attributes,
        _ changes: ChangeSet,
        isLink: Bool = false
    ) throws(FileFault) {
        if !changes.isDisjoint(with: [.owner, .group]) {
            try entry.setOwner(wanted.owner ?? .max, group: wanted.group ?? .max)
        }
        if !isLink, !changes.isDisjoint(with: [.mode, .owner, .group]) {
            try entry.setPermissions(wanted.permissions)
        }
        try entry.setTimes(access: wanted.accessTime, modification: wanted.modificationTime)
    }

    // MARK: Copying

    private func copyFileDry(_ name: EntryName, in node: DirectoryNode, changes: ChangeSet, _ worker: CopyWorker) {
        do throws(FileFault) {
            let source = try node.source.metadata(of: name)
            worker.tally.bytesSeen.add(Int(source.size))
            if source.linkCount > 1, let links = context.hardLinks {
                if case .first = links.claim(source) {
                    links.settle(source.identity, at: .init(node: node, name: BytePath(name: name), identity: nil))
                } else {
                    context.finish(.linked, .file, in: node, name: name, tally: worker.tally, changes: changes)
                    return
                }
            }
            context.finish(
                .copied,
                .file,
                in: node,
                name: name,
                tally: worker.tally,
                changes: changes,
                bytes: source.size
            )
        } catch {
            let outcome = context.sourceFailure(error, "could not look at \(node.path(of: name))")
            context.finish(outcome, .file, in: node, name: name, tally: worker.tally)
        }
    }

    /// Copies a file once. False where the source changed meanwhile and it should be tried again.
    private func transfer(
        _ name: EntryName,
        in node: DirectoryNode,
        replaces: Metadata?,
        changes: ChangeSet,
        mayTryAgain: Bool,
        _ worker: CopyWorker
    ) -> Bool {
        let fail = { (outcome: Outcome) -> Bool in
            self.context.finish(outcome, .file, in: node, name: name, tally: worker.tally)
            return true
        }
        let source: OpenFile
        do throws(FileFault) {
            source = try withPatience(context.control) { () throws(FileFault) in
                try node.source.openFile(name, keepAccessTime: context.host.isRoot)
            }
        } catch {
            // A link where a file was listed.
            if error.kind == .wrongKind {
                return mayTryAgain ? false : fail(.failed(changedError(node.path(of: name))))
            }
            return fail(context.sourceFailure(error, "could not open \(node.path(of: name))"))
        }
        var metadata: Metadata
        do throws(FileFault) {
            metadata = try source.metadata()
            if CopyContext.settle(metadata) { metadata = try source.metadata() }
        } catch {
            return fail(context.sourceFailure(error, "could not look at \(node.path(of: name))"))
        }
        guard metadata.kind == .file else {
            return mayTryAgain ? false : fail(.failed(changedError(node.path(of: name))))
        }
        var hardLink: FileIdentity?
        if metadata.linkCount > 1, let links = context.hardLinks {
            switch links.claim(metadata) {
            case .first:
                hardLink = metadata.identity
            case .pending:
                deferLink(name, metadata, in: node)
                return true
            case .published(let place):
                link(name, to: place, in: node, existing: replaces, tally: worker.tally)
                return true
            }
        }
        let wanted = context.attributeRules.wanted(metadata, kind: .file)
        let inherits = context.inherits(node)
        var temporary: BytePath?
        let target: OpenFile
        do throws(FileFault) {
            try context.willChange()
            let mode = inherits ? 0o600 : wanted.permissions & 0o777
            target = try createTarget(mode: mode, in: node, isNew: replaces == nil, &temporary, worker)
        } catch {
            settleFailed(hardLink)
            return fail(context.failure(error, "could not create a file for \(node.path(of: name))"))
        }
        let digest: Digest?
        do throws(ContentFault) {
            digest = try worker.content.copy(from: source, metadata, to: target)
            let after: Metadata
            do throws(FileFault) { after = try source.metadata() } catch { throw .read(error) }
            if !after.sameVersion(as: metadata) { throw .changed }
            do throws(FileFault) {
                try finishAttributes(from: source, to: target, wanted, inherits: inherits, name, node)
            } catch { throw .write(error) }
        } catch {
            temporary?.withEntryName { try? node.target.removeFile($0) }
            settleFailed(hardLink)
            switch error {
            case .changed:
                return mayTryAgain ? false : fail(.failed(changedError(node.path(of: name))))
            case .stopped:
                return true
            case .read(let fault):
                return fail(context.sourceFailure(fault, "could not read \(node.path(of: name))"))
            case .write(let fault):
                return fail(context.failure(fault, "could not write \(node.path(of: name))"))
            }
        }
        worker.tally.bytesSeen.add(Int(metadata.size))
        publish(
            target,
            temporary: temporary,
            name: name,
            in: node,
            replaces: replaces,
            changes: changes,
            metadata: metadata,
            digest: digest,
            hardLink: hardLink,
            worker
        )
        return true
    }

    /// Makes the file that receives the bytes: without a name where the name it is for is free and the file system can,
    /// else under a temporary name.
    private func createTarget(
        mode: UInt32,
        in node: DirectoryNode,
        isNew: Bool,
        _ temporary: inout BytePath?,
        _ worker: CopyWorker
    ) throws(FileFault) -> OpenFile {
        if isNew, context.makesUnnamedFiles.load(ordering: .relaxed) {
            let unnamed = try withPatience(context.control) { () throws(FileFault) in
                try node.target.createUnnamedFile(mode: mode)
            }
            if let unnamed { return unnamed }
            context.makesUnnamedFiles.store(false, ordering: .relaxed)
        }
        let name = worker.names.next()
        temporary = BytePath(name: name)
        return try withPatience(context.control) { () throws(FileFault) in
            try node.target.createFile(name, mode: mode)
        }
    }

    private func settleFailed(_ hardLink: FileIdentity?) {
        if let hardLink { context.hardLinks?.settle(hardLink, at: nil) }
    }

    /// Owner before mode (a change of owner clears set-id bits), ACLs before mode (both share the group's bits), times last.
    private func finishAttributes(
        from source: borrowing OpenFile,
        to target: borrowing OpenFile,
        _ wanted: Attributes,
        inherits: Bool,
        _ name: EntryName,
        _ node: DirectoryNode
    ) throws(FileFault) {
        let owner = wanted.owner ?? context.host.user
        let group = wanted.group ?? context.host.group
        let isMine = owner == context.host.user && group == context.host.group
        let groupIsInherited = (inherits || context.inheritsGroups) && wanted.group != nil
        if !isMine || groupIsInherited {
            try target.setOwner(wanted.owner ?? .max, group: wanted.group ?? .max)
        }
        if context.options.extendedAttributes {
            let result = try ExtendedAttributes.copy(
                from: source.raw,
                to: target.raw,
                exact: inherits,
                asRoot: context.host.isRoot
            )
            if result == .unsupported { context.attributesUnsupported(node.path(of: name)) }
        }
        if inherits || wanted.permissions & 0o7000 != 0 { try target.setPermissions(wanted.permissions) }
        try target.setTimes(access: wanted.accessTime, modification: wanted.modificationTime)
    }

    private func publish(
        _ target: consuming OpenFile,
        temporary: BytePath?,
        name: EntryName,
        in node: DirectoryNode,
        replaces: Metadata?,
        changes: ChangeSet,
        metadata: Metadata,
        digest: Digest?,
        hardLink: FileIdentity?,
        _ worker: CopyWorker
    ) {
        let publication = Publication(
            node: node,
            descriptor: target.detach(),
            temporary: temporary,
            name: BytePath(name: name),
            replaces: replaces?.identity,
            size: metadata.size,
            changes: changes,
            digest: digest,
            hardLink: hardLink
        )
        guard let publisher else { return worker.publishing.publish(publication) }
        node.hold()
        publisher.offer(.file(publication))
    }
}
