internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// Files: compared (`+Compare`), copied to a file without a name or a temporary, given the source's attributes, published.
extension CopyVisitor {
    /// How often a file that changes while it is read is tried.
    private static let triesMax = 2

    func copyFile(_ name: EntryName, in node: DirectoryNode, _ worker: CopyWorker) {
        var replaces: Metadata?
        var changes: ChangeSet = .new
        if !node.flags.contains(.fresh) {
            switch compareFile(name, in: node, worker) {
            case .finished: return
            case .attributesNeeded: preconditionFailure("asked of a file that is here")
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

    func changedError(_ path: BytePath) -> SyncError {
        SyncError(
            .sourceChanged,
            "\(path) changed while it was read",
            why: "twice; nothing was written under its name",
            hint: "run the same command again when the source is quiet"
        )
    }

    private func copyFileDry(_ name: EntryName, in node: DirectoryNode, changes: ChangeSet, _ worker: CopyWorker) {
        do throws(FileFault) {
            let source = try node.source.metadata(of: name)
            copyFileDry(name, source, in: node, changes: changes, worker)
        } catch {
            let outcome = context.sourceFailure(error, "could not look at \(node.path(of: name))")
            context.finish(outcome, .file, in: node, name: name, tally: worker.tally)
        }
    }

    /// Accounts for what a copy would do.
    func copyFileDry(
        _ name: EntryName,
        _ source: Metadata,
        in node: DirectoryNode,
        changes: ChangeSet,
        _ worker: CopyWorker
    ) {
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
            if let sum = try buildFromOlder(
                name,
                in: node,
                replaces: replaces,
                from: source,
                metadata,
                to: target,
                worker
            ) {
                digest = context.options.digest == nil ? nil : sum
            } else {
                digest = try worker.content.copy(from: source, metadata, to: target)
            }
            let after: Metadata
            do throws(FileFault) { after = try source.metadata() } catch { throw .read(error) }
            if !after.sameVersion(as: metadata) { throw .changed }
            do throws(FileFault) {
                try finishAttributes(
                    from: .file(source.raw),
                    to: target,
                    wanted,
                    inherits: inherits,
                    path: node.path(of: name)
                )
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
            name: BytePath(name: name),
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
    func createTarget(
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

    func settleFailed(_ hardLink: FileIdentity?) {
        if let hardLink { context.hardLinks?.settle(hardLink, at: nil) }
    }

    /// Owner before mode (a change of owner clears set-id bits), ACLs before mode (both share the group's bits), times last.
    /// - Parameter setsMode: the file was made with another mode than it gets.
    func finishAttributes(
        from source: AttributeSource,
        to target: borrowing OpenFile,
        _ wanted: Attributes,
        inherits: Bool,
        setsMode: Bool = false,
        path: @autoclosure () -> BytePath
    ) throws(FileFault) {
        let owner = wanted.owner ?? context.host.user
        let group = wanted.group ?? context.host.group
        let isMine = owner == context.host.user && group == context.host.group
        let groupIsInherited = (inherits || context.inheritsGroups) && wanted.group != nil
        if !isMine || groupIsInherited {
            try target.setOwner(wanted.owner ?? .max, group: wanted.group ?? .max)
        }
        if context.options.extendedAttributes {
            if try source.give(to: target.raw, exact: inherits, asRoot: context.host.isRoot) == .unsupported {
                context.attributesUnsupported(path())
            }
        }
        if inherits || setsMode || wanted.permissions & 0o7000 != 0 { try target.setPermissions(wanted.permissions) }
        try target.setTimes(access: wanted.accessTime, modification: wanted.modificationTime)
    }

    func publish(
        _ target: consuming OpenFile,
        temporary: BytePath?,
        name: BytePath,
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
            name: name,
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
