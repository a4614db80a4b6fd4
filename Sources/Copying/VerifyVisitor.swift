package import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// What `verify` compares.
package struct VerifyOptions: Sendable {
    package var digest = DigestAlgorithm.xxh3
    /// Kinds, sizes and contents alone: no modes, owners, times.
    package var contentOnly = false
    /// Extended attributes and ACLs of files and directories as well.
    package var extendedAttributes = false
    /// Read the target past the page cache: from the disk.
    package var uncached = false
    package var selection = CopyOptions()
    package var jobs: Int?
    package var reportsEveryItem = false

    package init() {}
}

/// Compares what a walk shows with the target, entry by entry; both files of a pair are read and digested.
final class VerifyVisitor: TreeVisitor {
    final class Worker {
        let copy: CopyWorker
        var tally: Tally { copy.tally }

        init(_ copy: CopyWorker) { self.copy = copy }
    }

    let context: CopyContext
    let options: VerifyOptions

    init(context: CopyContext, options: VerifyOptions) {
        self.context = context
        self.options = options
    }

    func makeWorker(index: Int) -> Worker {
        Worker(CopyWorker(context: context, index: index, queue: nil))
    }

    func prepare(_ node: DirectoryNode, worker: Worker) {
        worker.copy.stand(at: node)
    }

    // MARK: Directories

    func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: Worker) -> Bool {
        let source: Metadata
        do throws(FileFault) {
            if node.parent != nil {
                node.source = try withPatience(context.control) { () throws(FileFault) in
                    try parent.source.openDirectory(node.name)
                }
            }
            source = try node.source.metadata()
        } catch {
            return fail(node, error, "could not read the directory \(node.path())", worker)
        }
        node.wanted = context.attributeRules.wanted(source, kind: .directory)
        if node.parent?.flags.contains(.absent) == true {
            node.set(.absent)
            node.changes = .new
            return true
        }
        return openTarget(node, in: parent, worker)
    }

    private func openTarget(_ node: DirectoryNode, in parent: DirectoryHandles, _ worker: Worker) -> Bool {
        do throws(FileFault) {
            if node.parent != nil {
                node.target = try withPatience(context.control) { () throws(FileFault) in
                    try parent.target.openDirectory(node.name)
                }
            }
            let target = try node.target.metadata()
            node.changes = differences(node.wanted, target, .directory)
            if try attributesDiffer(node.source.raw, node.target.raw) { node.changes.insert(.xattr) }
            return true
        } catch {
            switch error.kind {
            case .missing:
                node.set(.absent)
                node.changes = .new
                return true
            case .wrongKind:
                node.set(.absent)
                node.changes = .kind
                return true
            default:
                return fail(node, error, "could not read the directory \(node.path()) in the target", worker)
            }
        }
    }

    private func fail(_ node: DirectoryNode, _ fault: FileFault, _ what: String, _ worker: Worker) -> Bool {
        node.set(.failed)
        context.finish(context.sourceFailure(fault, what), .directory, in: node, name: nil, tally: worker.tally)
        return false
    }

    func unreachable(_ node: DirectoryNode, fault: FileFault, worker: Worker) {
        _ = fail(node, fault, "could not open the way to \(node.path()) again", worker)
    }

    func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: Worker) {
        _ = fail(node, fault, "could not list the directory \(node.path())", worker)
    }

    func note(_ entry: WalkEntry, of node: DirectoryNode) {
        node.nameHashes.append(NameHash.of(entry.bytes))
    }

    func descends(into entry: WalkEntry, of node: DirectoryNode, worker: Worker) -> Bool {
        worker.tally.seen.add()
        worker.tally.directories.add()
        if worker.copy.excludes(entry.bytes, isDirectory: true) {
            context.finish(.skipped(.excluded), .directory, in: node, name: entry.name, tally: worker.tally)
            return false
        }
        return true
    }

    /// Entries that only the target has; what lies below such a directory is counted with it.
    func listed(_ node: DirectoryNode, worker: Worker) {
        guard node.target.isOpen else { return }
        node.nameHashes.sort()
        let known = node.nameHashes
        node.nameHashes = []
        do throws(FileFault) {
            try context.forEachEntry(of: node.target, worker.copy) { entry in
                let kind = entry.kind ?? .file
                guard !known.contains(sorted: NameHash.of(entry.bytes)), !TemporaryName.isOwn(entry.bytes),
                    !worker.copy.excludes(entry.bytes, isDirectory: kind == .directory)
                else { return }
                worker.tally.seen.add()
                context.finish(.different, kind, in: node, name: entry.name, tally: worker.tally, changes: .extra)
            }
        } catch {
            worker.tally.seen.add()
            let outcome = context.failure(error, "could not list the directory \(node.path()) in the target")
            context.finish(outcome, .directory, in: node, name: nil, tally: worker.tally)
        }
    }

    func finish(_ node: DirectoryNode, worker: Worker) {
        let failed = node.flags.contains(.failed)
        if node.depth > 0 { node.closeHandles() }
        guard !failed else { return }
        let outcome: Outcome = node.changes.isEmpty ? .unchanged : .different
        context.finish(outcome, .directory, in: node, name: nil, tally: worker.tally, changes: node.changes)
    }

    // MARK: Entries

    func kind(of entry: WalkEntry, in node: DirectoryNode, worker: Worker) -> EntryKind? {
        if let kind = (try? node.source.metadata(of: entry.name))?.kind { return kind }
        worker.tally.seen.add()
        context.finish(.skipped(.special), .fifo, in: node, name: entry.name, tally: worker.tally)
        return nil
    }

    func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: Worker) {
        let kind = entry.kind ?? .file
        worker.tally.seen.add()
        if kind == .file { worker.tally.files.add() } else { worker.tally.others.add() }
        let outcome: Outcome
        var changes = ChangeSet.nothing
        if TemporaryName.isOwn(entry.bytes) {
            outcome = .skipped(.temporary)
        } else if worker.copy.excludes(entry.bytes, isDirectory: false) {
            outcome = .skipped(.excluded)
        } else if node.flags.contains(.absent) {
            changes = .new
            outcome = .different
        } else {
            (outcome, changes) = compare(entry.name, kind, in: node, worker)
        }
        context.finish(outcome, kind, in: node, name: entry.name, tally: worker.tally, changes: changes)
    }

    private func differences(_ wanted: Attributes, _ target: Metadata, _ kind: EntryKind) -> ChangeSet {
        options.contentOnly ? [] : wanted.changes(from: target, kind: kind)
    }

    private func compare(
        _ name: EntryName,
        _ kind: EntryKind,
        in node: DirectoryNode,
        _ worker: Worker
    ) -> (Outcome, ChangeSet) {
        let path = { node.path(of: name) }
        let source: Metadata
        let found: Metadata?
        do throws(FileFault) { source = try node.source.metadata(of: name) } catch {
            return (context.sourceFailure(error, "could not look at \(path())"), [])
        }
        do throws(FileFault) { found = try node.target.lookUp(name) } catch {
            return (context.failure(error, "could not look at \(path()) in the target"), [])
        }
        guard let target = found else { return (.different, .new) }
        guard source.kind == target.kind else { return (.different, .kind) }
        var changes = differences(context.attributeRules.wanted(source, kind: kind), target, kind)
        switch kind {
        case .file:
            worker.tally.bytesSeen.add(Int(source.size))
            if source.size != target.size {
                changes.formUnion([.size, .content])
            } else {
                switch compareContents(name, source, in: node, worker) {
                case .success(let found): changes.formUnion(found)
                case .failure(let error): return (context.failure(error), [])
                }
            }
        case .symlink:
            if (try? node.source.readLink(name)) != (try? node.target.readLink(name)) { changes.insert(.content) }
        case .blockDevice, .characterDevice:
            if source.deviceNumber != target.deviceNumber { changes.insert(.content) }
        case .directory, .fifo, .socket:
            break
        }
        return (changes.isEmpty ? .unchanged : .different, changes)
    }

    private func attributesDiffer(_ source: Int32, _ target: Int32) throws(FileFault) -> Bool {
        guard options.extendedAttributes else { return false }
        return try !ExtendedAttributes.equal(source, target, asRoot: context.host.isRoot)
    }

    /// What differs between two files of one size: their content, their extended attributes.
    private func compareContents(
        _ name: EntryName,
        _ metadata: Metadata,
        in node: DirectoryNode,
        _ worker: Worker
    ) -> Result<ChangeSet, SyncError> {
        let path = { node.path(of: name) }
        let source: OpenFile
        let target: OpenFile
        do throws(FileFault) {
            source = try node.source.openFile(name, keepAccessTime: context.host.isRoot)
        } catch { return .failure(error.syncError("could not open \(path())")) }
        do throws(FileFault) {
            target = try node.target.openFile(name, keepAccessTime: context.host.isRoot)
        } catch { return .failure(error.syncError("could not open \(path()) in the target")) }
        if options.uncached { target.forgetCache() }
        do throws(ContentFault) {
            let first = try worker.copy.content.digest(of: source, metadata.size)
            let second: Digest
            do throws(ContentFault) {
                second = try worker.copy.content.digest(of: target, metadata.size)
            } catch {
                switch error {
                case .changed: return .success(.content)
                case .read(let fault): return .failure(fault.syncError("could not read \(path()) in the target"))
                default: throw error
                }
            }
            worker.tally.bytesCompared.add(Int(metadata.size) * 2)
            var changes: ChangeSet = first == second ? [] : .content
            do throws(FileFault) {
                if try attributesDiffer(source.raw, target.raw) { changes.insert(.xattr) }
            } catch { throw .read(error) }
            return .success(changes)
        } catch {
            switch error {
            case .read(let fault), .write(let fault): return .failure(fault.syncError("could not read \(path())"))
            case .changed:
                return .failure(SyncError(.sourceChanged, "\(path()) changed while it was read"))
            case .stopped: return .failure(SyncError(.interrupted, "stopped while comparing \(path())"))
            }
        }
    }
}
