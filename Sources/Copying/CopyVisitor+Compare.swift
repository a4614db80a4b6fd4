internal import MediaModel
internal import Storage
internal import Synchronization

/// What a file of the source and the target's entry of its name have to do with each other.
extension CopyVisitor {
    enum Verdict {
        /// The entry is on the account.
        case finished
        /// Copy it, replacing what the target has.
        case copy(Metadata?, ChangeSet)
        /// The source's extended attributes are needed first; only where the source is on another machine.
        case attributesNeeded
    }

    /// What the source's side has to say about a file beside its metadata.
    struct FileSource {
        /// Whether the content is the target's; asked where contents are compared and sizes are equal.
        let contentsEqual: (Metadata) -> Result<Bool, SyncError>
        /// Whether the extended attributes are the target's; nil where they were not sent yet.
        let attributesEqual: () -> Bool?
        /// The attributes themselves, where they were sent.
        var attributes: AttributeSource?
    }

    /// Looks at both sides and decides.
    func compareFile(_ name: EntryName, in node: DirectoryNode, _ worker: CopyWorker) -> Verdict {
        compareFile(name, in: node, worker) { existing in compareFile(name, existing, in: node, worker) }
    }

    /// Looks at the target and decides what needs no look at the source.
    /// - Parameter judge: decides about two files.
    func compareFile(
        _ name: EntryName,
        in node: DirectoryNode,
        _ worker: CopyWorker,
        judge: (Metadata) -> Verdict
    ) -> Verdict {
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
        return judge(existing)
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
        let side = FileSource(
            contentsEqual: { self.contentsEqual(name, $0, in: node, worker) },
            attributesEqual: { self.attributesEqual(name, in: node) }
        )
        return compareFile(name, source, existing, side, in: node, worker)
    }

    /// Decides about two files whose metadata is known.
    func compareFile(
        _ name: EntryName,
        _ source: Metadata,
        _ existing: Metadata,
        _ side: FileSource,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) -> Verdict {
        if context.options.update, existing.modificationTime > source.modificationTime {
            return skip(.newerInTarget, name, node, worker)
        }
        let wanted = context.attributeRules.wanted(source, kind: .file)
        var changes = wanted.changes(from: existing, kind: .file)
        if source.size != existing.size { changes.formUnion([.size, .content]) }
        let contentMayDiffer = context.options.checksum ? source.size == existing.size : changes.contains(.time)
        if !changes.contains(.content), contentMayDiffer {
            if context.options.checksum {
                switch side.contentsEqual(source) {
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
        return settleUnchanged(name, source, existing, wanted, changes, side, in: node, worker)
    }

    /// The content is equal: at most links and attributes are left to do.
    private func settleUnchanged(
        _ name: EntryName,
        _ source: Metadata,
        _ existing: Metadata,
        _ wanted: Attributes,
        _ changes: ChangeSet,
        _ side: FileSource,
        in node: DirectoryNode,
        _ worker: CopyWorker
    ) -> Verdict {
        var changes = changes
        if context.mayDifferInAttributes(source, existing, changes) {
            guard let areEqual = side.attributesEqual() else { return .attributesNeeded }
            if !areEqual { changes.insert(.xattr) }
        }
        // A second name of the target's file may lie anywhere: attributes are not written through it.
        if !changes.isEmpty, existing.linkCount > 1 { return .copy(existing, changes) }
        if source.linkCount > 1, let links = context.hardLinks {
            let place = HardLinkTable.Place(node: node, name: BytePath(name: name), identity: existing.identity)
            switch links.claim(source, at: place) {
            case .first: break
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
        updateAttributes(name, existing, wanted, changes, from: side.attributes, in: node, worker)
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

    /// Whether a file of the target has a digest that another machine sent.
    func content(
        of name: EntryName,
        in node: DirectoryNode,
        is sum: Digest,
        _ size: Int64,
        _ worker: CopyWorker
    ) -> Result<Bool, SyncError> {
        do throws(ContentFault) {
            let target: OpenFile
            do throws(FileFault) { target = try node.target.openFile(name) } catch { throw .read(error) }
            if context.options.comparison?.uncached == true { target.forgetCache() }
            let found = try worker.content.digest(of: target, size)
            worker.tally.bytesCompared.add(Int(size))
            return .success(found == sum)
        } catch {
            let path = node.path(of: name)
            switch error {
            case .read(let fault), .write(let fault):
                return .failure(fault.syncError("could not read \(path) in the target"))
            case .changed: return .success(false)
            case .stopped: return .failure(SyncError(.interrupted, "stopped while comparing \(path)"))
            }
        }
    }
}
