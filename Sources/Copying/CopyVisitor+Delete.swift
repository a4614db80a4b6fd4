internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// `--delete`: what the target has and the source does not. Found during the walk and only counted; removed after
/// everything else, each entry looked up in the source once more.
extension CopyVisitor {
    /// Lists a directory of the target whose source was listed to its end: counts what is extraneous and clears away what
    /// dead runs left.
    func inspectTarget(_ node: DirectoryNode, _ worker: CopyWorker) {
        // Sorted where they are: a directory of a million entries has eight megabytes of them.
        node.nameHashes.sort()
        let known = node.nameHashes
        node.nameHashes = []
        defer { if context.isSourceElsewhere, node.flags.contains(.hasExtraneous) { node.sentNames = known } }
        let remover = context.extraneousCounter()
        do throws(FileFault) {
            try context.forEachEntry(of: node.target, worker) { entry in
                if TemporaryName.isOwn(entry.bytes) { return removeLitter(entry, node) }
                guard context.options.delete else { return }
                if known.contains(sorted: NameHash.of(entry.bytes)) {
                    if entry.kind != .directory { context.targetEntries.wrappingAdd(1, ordering: .relaxed) }
                } else if !worker.excludes(entry.bytes, isDirectory: entry.kind == .directory) {
                    if context.options.comparison != nil { return tellExtra(entry, node, worker) }
                    node.set(.hasExtraneous)
                    remover.handle(entry.name, in: node.target, path: node.path(of: entry.name))
                }
            }
        } catch {
            context.listingErrors.wrappingAdd(1, ordering: .relaxed)
            let problem = error.syncError("could not list the directory \(node.path()) in the target")
            context.sink(.notice(Notice(.warning, "\(problem)", hint: "nothing will be deleted")))
        }
        if node.flags.contains(.hasExtraneous) { context.extraneous.withLock { $0.append(node) } }
    }

    /// Of a comparison: an entry that only the target has; what lies below such a directory is counted with it.
    private func tellExtra(_ entry: WalkEntry, _ node: DirectoryNode, _ worker: CopyWorker) {
        worker.tally.seen.add()
        context.finish(
            .different,
            entry.kind ?? .file,
            in: node,
            name: entry.name,
            tally: worker.tally,
            changes: .extra
        )
    }

    /// Removes a temporary of a run that is known to be dead.
    private func removeLitter(_ entry: WalkEntry, _ node: DirectoryNode) {
        guard !context.options.dryRun, let run = TemporaryName.run(of: entry.bytes), context.deadRuns.contains(run)
        else {
            return
        }
        // A thread may be at work with it.
        if context.isSourceElsewhere, TemporaryName.isPartial(entry.bytes) {
            return context.note(partialFile: BytePath(name: entry.name), in: node)
        }
        try? node.target.removeFile(entry.name)
        node.set(.dirty)
    }

    /// Removes what is extraneous, with as many threads as the walk had. The guards have agreed.
    func deleteExtraneous(threads: Int) async {
        let nodes = context.extraneous.withLock { $0 }
        guard !nodes.isEmpty else { return }
        // One that asks another machine waits most of its time.
        let threads = questions == nil ? threads : Bounds(host: context.host, jobs: nil).publishers
        let pool = WorkerPool(threads: min(threads, nodes.count))
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<pool.started {
                group.addTask(executorPreference: pool) { [self] in
                    let worker = makeWorker(index: 1000 + index)
                    while !context.control.shouldStop {
                        let position = context.nextDeletion.wrappingAdd(1, ordering: .relaxed).oldValue
                        guard position < nodes.count else { return }
                        withReopened(nodes[position], worker, dryRun: context.options.dryRun) {
                            deleteExtraneous(of: nodes[position], worker)
                        }
                    }
                }
            }
        }
        pool.shutDown()
    }

    private func deleteExtraneous(of node: DirectoryNode, _ worker: CopyWorker) {
        let remover = TreeRemover(
            purpose: context.options.dryRun ? .pretend : .remove,
            device: context.targetDevice,
            spared: context.sparedRoots,
            protects: { [context] path, isDirectory in context.protects(path, isDirectory: isDirectory) },
            report: { [self] path, kind, bytes, error in account(path, kind, bytes, error, worker) }
        )
        do throws(FileFault) {
            try node.target.rewind()
            try forEachGone(of: node, worker) { entry in
                let path = node.path(of: entry.name)
                if let backup = context.backup { return keep(entry, path, backup, in: node, worker) }
                remover.handle(entry.name, in: node.target, path: path)
            }
        } catch {
            let problem = error.syncError("could not list the directory \(node.path()) in the target")
            account(node.path(), .directory, 0, problem, worker)
        }
    }

    /// Shows the target's entries that the source does not have now: it has the last word, and whatever cannot be looked up
    /// there stays.
    private func forEachGone(
        of node: DirectoryNode,
        _ worker: CopyWorker,
        _ body: (WalkEntry) -> Void
    ) throws(FileFault) {
        var waiting: [(name: BytePath, kind: EntryKind?)] = []
        try context.forEachEntry(of: node.target, worker) { entry in
            guard !context.control.shouldStop, !TemporaryName.isOwn(entry.bytes),
                !worker.excludes(entry.bytes, isDirectory: entry.kind == .directory)
            else { return }
            guard let questions else {
                guard case .some(.none) = try? node.source.lookUp(entry.name) else { return }
                return body(entry)
            }
            guard !node.sentNames.contains(sorted: NameHash.of(entry.bytes)) else { return }
            waiting.append((BytePath(name: entry.name), entry.kind))
            if waiting.count == Self.namesAsked { ask(questions, &waiting, of: node, body) }
        }
        if let questions { ask(questions, &waiting, of: node, body) }
    }

    /// Names of one question: what another machine looks up in a millisecond or two.
    private static let namesAsked = 512

    private func ask(
        _ questions: SourceQuestions,
        _ waiting: inout [(name: BytePath, kind: EntryKind?)],
        of node: DirectoryNode,
        _ body: (WalkEntry) -> Void
    ) {
        defer { waiting = [] }
        guard !waiting.isEmpty, let areGone = questions.areGone(waiting.map(\.name), in: node.path()) else { return }
        for (entry, isGone) in zip(waiting, areGone) where isGone && !context.control.shouldStop {
            entry.name.withEntryName {
                body(WalkEntry(name: $0, length: entry.name.bytes.count, kind: entry.kind))
            }
        }
    }

    /// Moves an entry to the backup directory instead of removing it.
    private func keep(
        _ entry: WalkEntry,
        _ path: BytePath,
        _ backup: BackupStore,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) {
        do throws(FileFault) {
            guard let metadata = try node.target.lookUp(entry.name), !context.sparedRoots.contains(metadata.identity)
            else {
                return
            }
            if !context.options.dryRun { try backup.move(entry.name, from: node.target, of: node) }
            account(path, metadata.kind ?? .file, metadata.kind == .file ? metadata.size : 0, nil, worker)
        } catch {
            account(
                path,
                entry.kind ?? .file,
                0,
                error.syncError("could not move \(path) to the backup directory"),
                worker
            )
        }
    }

    private func account(_ path: BytePath, _ kind: EntryKind, _ bytes: Int64, _ error: SyncError?, _ worker: CopyWorker)
    {
        let outcome: Outcome
        if let error {
            worker.tally.deleteFailed.add()
            outcome = .failed(error)
        } else {
            worker.tally.deleted.add()
            worker.tally.bytesDeleted.add(Int(bytes))
            outcome = .deleted
        }
        if error != nil || context.options.reportsEveryItem {
            context.sink(.item(ItemEvent(path: path, kind: kind, outcome: outcome)))
        }
    }

    /// Removes the directories that were in the way and copies what they stood in the way of.
    func settleConflicts(_ worker: CopyWorker, mayDelete: Bool) {
        let conflicts = context.conflicts.withLock { conflicts in
            defer { conflicts = [] }
            return conflicts
        }
        for conflict in conflicts where !context.control.shouldStop {
            let path = conflict.node.path(of: conflict.name)
            guard mayDelete else {
                let error = SyncError(
                    .item,
                    "could not replace the directory \(path) by a \(conflict.kind.name)",
                    why: "deletions were refused"
                )
                conflict.name.withEntryName {
                    context.finish(.failed(error), conflict.kind, in: conflict.node, name: $0, tally: worker.tally)
                }
                continue
            }
            worker.settlesConflicts = true
            defer { worker.settlesConflicts = false }
            withReopened(conflict.node, worker, dryRun: context.options.dryRun) {
                conflict.name.withEntryName { name in
                    removeConflict(conflict, name, worker)
                    if conflict.kind == .file {
                        copyFile(name, in: conflict.node, worker)
                    } else {
                        copySpecial(name, conflict.kind, in: conflict.node, worker)
                    }
                }
            }
        }
    }

    /// Removes a directory that is in the way, or keeps it where a backup is.
    func removeConflict(_ conflict: Conflict, _ name: EntryName, _ worker: CopyWorker) {
        let path = conflict.node.path(of: conflict.name)
        let remover = TreeRemover(
            purpose: context.options.dryRun ? .pretend : .remove,
            device: context.targetDevice,
            spared: context.sparedRoots,
            protects: { [context] path, isDirectory in context.protects(path, isDirectory: isDirectory) },
            report: { [self] path, kind, bytes, error in account(path, kind, bytes, error, worker) }
        )
        if let backup = context.backup {
            let entry = WalkEntry(name: name, length: conflict.name.bytes.count, kind: .directory)
            return keep(entry, path, backup, in: conflict.node, worker)
        }
        remover.handle(name, in: conflict.node.target, path: path)
    }
}

extension CopyContext {
    /// Directories that are never deleted wherever they turn up: the backup directory, and the source, which a bind mount
    /// can have put into the target.
    var sparedRoots: [FileIdentity] { [backup?.identity, sourceRoot].compactMap { $0 } }

    /// Counts what a deletion would remove.
    func extraneousCounter() -> TreeRemover {
        TreeRemover(
            purpose: .count,
            device: targetDevice,
            spared: sparedRoots,
            protects: { path, isDirectory in self.protects(path, isDirectory: isDirectory) },
            report: { _, _, _, _ in
                self.extraneousEntries.wrappingAdd(1, ordering: .relaxed)
                self.targetEntries.wrappingAdd(1, ordering: .relaxed)
            }
        )
    }

    /// Whether the rules keep an extraneous entry, as rsync does without `--delete-excluded`.
    func protects(_ path: BytePath, isDirectory: Bool) -> Bool {
        guard !selection.takesAll else { return false }
        return path.bytes.withUnsafeBufferPointer { selection.excludes($0, isDirectory: isDirectory) }
    }

    /// Shows every entry of a directory, its kind told.
    func forEachEntry(
        of directory: HeldDirectory,
        _ worker: CopyWorker,
        _ body: (WalkEntry) -> Void
    ) throws(FileFault) {
        let listing = worker.targetListing
        while try directory.list(into: listing) > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) {
                var kind = entry.kind
                if kind == nil { kind = try directory.lookUp(entry.name)?.kind }
                body(WalkEntry(name: entry.name, length: entry.length, kind: kind))
            }
        }
    }
}

extension Array where Element: Comparable {
    /// Whether a sorted array has an element.
    func contains(sorted element: Element) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == element
    }
}
