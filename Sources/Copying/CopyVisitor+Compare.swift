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
    }

    /// Looks at both sides and decides.
    func compareFile(_ name: EntryName, in node: DirectoryNode, _ worker: CopyWorker) -> Verdict {
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
}
