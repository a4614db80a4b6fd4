internal import MediaModel
internal import Storage
internal import Synchronization

/// Files whose content is right and whose attributes are not.
extension CopyVisitor {
    /// - Parameter sent: the source's extended attributes where the source is on another machine.
    func updateAttributes(
        _ name: EntryName,
        _ existing: Metadata,
        _ wanted: Attributes,
        _ changes: ChangeSet,
        from sent: AttributeSource? = nil,
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
                try setAttributes(file, wanted, changes, from: sent, name, in: node)
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
        from sent: AttributeSource?,
        _ name: EntryName,
        in node: DirectoryNode
    ) throws(FileFault) {
        if !changes.isDisjoint(with: [.owner, .group]) {
            try file.setOwner(wanted.owner ?? .max, group: wanted.group ?? .max)
        }
        if changes.contains(.xattr) {
            let result: ExtendedAttributes.Result
            if let sent {
                result = try sent.give(to: file.raw, exact: true, asRoot: context.host.isRoot)
            } else {
                let source = try node.source.openFile(name)
                result = try AttributeSource.file(source.raw).give(
                    to: file.raw,
                    exact: true,
                    asRoot: context.host.isRoot
                )
            }
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
}
