package import MediaModel
internal import Pacing
package import Running
package import Storage
internal import Synchronization

/// Digests every file of a tree, in parallel. Lines come as files are done: their order is not fixed.
package final class ManifestEngine: Engine {
    let rootPath: BytePath
    let options: VerifyOptions
    private let run: RunID
    let host: Host
    private let control: RunControl
    private let sink: EventSink
    private let account = Account()

    /// - Parameter sink: gets an item event with a digest for every file.
    package init(
        root: BytePath,
        options: VerifyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        rootPath = root
        self.options = options
        self.run = run
        self.host = host
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { account.counts() }

    package func abandon() {}

    package func run() async -> RunResult {
        await runOnOwnThread(account, control) { () async throws(SyncError) in try await self.digestAll() }
    }

    private func digestAll() async throws(SyncError) {
        let source = try TreePair.openSource(rootPath, role: "directory")
        defer { source.close() }
        var selection = options.selection
        selection.digest = options.digest
        selection.jobs = options.jobs
        selection.reportsEveryItem = true
        let walk: ReadingWalk
        do throws(FileFault) {
            walk = try ReadingWalk(
                source: source,
                options: selection,
                run: run,
                host: host,
                control: control,
                account: account,
                sink: sink
            )
        } catch {
            throw error.syncError("cannot look at \(rootPath)")
        }
        await walk.run(ManifestVisitor(context: walk.context), stage: "manifest")
    }
}

/// Digests what a walk shows.
final class ManifestVisitor: TreeVisitor {
    let context: CopyContext

    init(context: CopyContext) {
        self.context = context
    }

    func makeWorker(index: Int) -> CopyWorker {
        CopyWorker(context: context, index: index, queue: nil)
    }

    func prepare(_ node: DirectoryNode, worker: CopyWorker) {
        worker.stand(at: node)
    }

    func note(_ entry: WalkEntry, of node: DirectoryNode) {}

    func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: CopyWorker) -> Bool {
        node.set(.absent)
        guard node.parent != nil else { return true }
        do throws(FileFault) {
            node.source = try withPatience(context.control) { () throws(FileFault) in
                try parent.source.openDirectory(node.name)
            }
            return true
        } catch {
            return fail(node, error, worker)
        }
    }

    private func fail(_ node: DirectoryNode, _ fault: FileFault, _ worker: CopyWorker) -> Bool {
        node.set(.failed)
        let outcome = context.sourceFailure(fault, "could not read the directory \(node.path())")
        context.finish(outcome, .directory, in: node, name: nil, tally: worker.tally)
        return false
    }

    func unreachable(_ node: DirectoryNode, fault: FileFault, worker: CopyWorker) {
        _ = fail(node, fault, worker)
    }

    func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: CopyWorker) {
        _ = fail(node, fault, worker)
    }

    func descends(into entry: WalkEntry, of node: DirectoryNode, worker: CopyWorker) -> Bool {
        worker.tally.seen.add()
        worker.tally.directories.add()
        if worker.excludes(entry.bytes, isDirectory: true) {
            worker.tally.skip(.excluded)
            return false
        }
        return true
    }

    func kind(of entry: WalkEntry, in node: DirectoryNode, worker: CopyWorker) -> EntryKind? {
        if let kind = (try? node.source.metadata(of: entry.name))?.kind { return kind }
        worker.tally.seen.add()
        worker.tally.skip(.special)
        return nil
    }

    /// Links and special entries have no content and no line.
    func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: CopyWorker) {
        worker.tally.seen.add()
        guard entry.kind == .file else {
            worker.tally.others.add()
            return worker.tally.skip(.special)
        }
        worker.tally.files.add()
        if TemporaryName.isOwn(entry.bytes) { return worker.tally.skip(.temporary) }
        if worker.excludes(entry.bytes, isDirectory: false) { return worker.tally.skip(.excluded) }
        let outcome: Outcome
        var digest: Digest?
        do throws(ContentFault) {
            let file: OpenFile
            let metadata: Metadata
            do throws(FileFault) {
                file = try node.source.openFile(entry.name, keepAccessTime: context.host.isRoot)
            } catch { throw .read(error) }
            do throws(FileFault) { metadata = try file.metadata() } catch { throw .read(error) }
            guard metadata.kind == .file else { throw .changed }
            digest = try worker.content.digest(of: file, metadata.size)
            let after: Metadata
            do throws(FileFault) { after = try file.metadata() } catch { throw .read(error) }
            if !after.sameVersion(as: metadata) { throw .changed }
            worker.tally.bytesSeen.add(Int(metadata.size))
            worker.tally.bytesCompared.add(Int(metadata.size))
            outcome = .unchanged
        } catch {
            let path = node.path(of: entry.name)
            switch error {
            case .read(let fault), .write(let fault): outcome = context.sourceFailure(fault, "could not read \(path)")
            case .changed:
                outcome = .failed(
                    SyncError(.sourceChanged, "\(path) changed while it was read", hint: "run the command again")
                )
            case .stopped: return
            }
        }
        context.finish(outcome, .file, in: node, name: entry.name, tally: worker.tally, digest: digest)
    }

    func listed(_ node: DirectoryNode, worker: CopyWorker) {}

    func finish(_ node: DirectoryNode, worker: CopyWorker) {
        let failed = node.flags.contains(.failed)
        if node.depth > 0 { node.closeHandles() }
        if !failed { worker.tally.unchanged.add() }
    }
}
