internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// Hard links within the tree.
extension CopyVisitor {
    /// Puts a name aside until the first name of its inode is in place.
    func deferLink(_ name: EntryName, _ source: Metadata, in node: DirectoryNode) {
        let link = DeferredLink(node: node, name: BytePath(name: name), source: source)
        context.deferredLinks.withLock { $0.append(link) }
    }

    /// Makes `name` another name of the file at `place`.
    /// - Parameter existing: what the target has under the name now.
    func link(
        _ name: EntryName,
        to place: HardLinkTable.Place,
        in node: DirectoryNode,
        existing: Metadata?,
        tally: Tally
    ) {
        let changes: ChangeSet = existing == nil ? .new : .content
        if context.options.dryRun {
            return context.finish(.linked, .file, in: node, name: name, tally: tally, changes: changes)
        }
        do throws(FileFault) {
            let first = try reopen(place.node, from: context.root.target, context.control)
            defer { first.close() }
            try place.name.withEntryName { (firstName) throws(FileFault) in
                if let existing {
                    if let there = try first.lookUp(firstName), there.identity == existing.identity {
                        return context.finish(.unchanged, .file, in: node, name: name, tally: tally)
                    }
                    let temporary = TemporaryNamer(
                        run: context.run,
                        thread: Int(existing.inode % 1_000_000_007) + 10_000
                    )
                    let temporaryName = temporary.next()
                    try context.willChange()
                    try first.link(firstName, to: node.target, as: temporaryName)
                    do throws(FileFault) {
                        try context.rename(temporaryName, to: name, in: node, replaces: true)
                    } catch {
                        try? node.target.removeFile(temporaryName)
                        throw error
                    }
                } else {
                    try context.willChange()
                    try first.link(firstName, to: node.target, as: name)
                    node.set(.dirty)
                }
                context.finish(.linked, .file, in: node, name: name, tally: tally, changes: changes)
            }
        } catch {
            let outcome = context.failure(error, "could not link \(node.path(of: name))")
            context.finish(outcome, .file, in: node, name: name, tally: tally)
        }
    }

    /// Makes the links that waited. Everything else is in place; one thread does this.
    func makeDeferredLinks(_ worker: CopyWorker) {
        let links = context.deferredLinks.withLock { links in
            defer { links = [] }
            return links
        }
        for deferred in links where !context.control.shouldStop {
            if context.options.dryRun {
                deferred.name.withEntryName {
                    context.finish(
                        .linked,
                        .file,
                        in: deferred.node,
                        name: $0,
                        tally: worker.tally,
                        changes: .new
                    )
                }
                continue
            }
            withReopened(deferred.node, worker) {
                guard let place = context.hardLinks?.place(of: deferred.source.identity) else {
                    if context.isSourceElsewhere { return failLink(deferred, worker) }
                    // The first name could not be copied: this one becomes the first.
                    deferred.name.withEntryName { copyFile($0, in: deferred.node, worker) }
                    return
                }
                deferred.name.withEntryName { name in
                    let existing = try? deferred.node.target.lookUp(name)
                    link(name, to: place, in: deferred.node, existing: existing, tally: worker.tally)
                }
            }
        }
    }

    /// A name whose file did not come, and will not come again in this run.
    private func failLink(_ deferred: DeferredLink, _ worker: CopyWorker) {
        let error = SyncError(
            .item,
            "could not link \(deferred.node.path().appending(deferred.name))",
            why: "another name of the file could not be copied",
            hint: "run the same command again"
        )
        deferred.name.withEntryName {
            context.finish(.failed(error), .file, in: deferred.node, name: $0, tally: worker.tally)
        }
    }

    /// Opens a directory pair again for late work, and afterwards sets the directory's times again and makes it durable.
    func withReopened(_ node: DirectoryNode, _ worker: CopyWorker, dryRun: Bool = false, _ body: () -> Void) {
        let isRoot = node.depth == 0
        do throws(FileFault) {
            if !isRoot {
                if !context.isSourceElsewhere {
                    node.source = try reopen(node, from: context.root.source, context.control)
                }
                node.target = try reopen(node, from: context.root.target, context.control)
            }
            worker.stand(at: node)
            if !dryRun { try context.willChange() }
            let isClosed = !dryRun && !context.host.isRoot && node.wanted.permissions & 0o300 != 0o300
            if isClosed { try node.target.setPermissions(node.wanted.permissions | 0o700) }
            body()
            if dryRun {
                if !isRoot { node.closeHandles() }
                return
            }
            if isClosed { try node.target.setPermissions(node.wanted.permissions) }
            try node.target.setTimes(access: node.wanted.accessTime, modification: node.wanted.modificationTime)
            if context.synchronizesItself(node) {
                try node.target.synchronize()
            }
        } catch {
            let problem = error.syncError("could not finish the directory \(node.path())")
            context.finish(context.failure(problem), .directory, in: node, name: nil, tally: worker.tally)
            worker.tally.seen.add()
        }
        if !isRoot { node.closeHandles() }
    }
}
