internal import Archives
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Writes the media archive and its manifest, in parallel: one thread lists, the others read files and compress blocks,
/// which are written in the order they were listed in.
struct MediaExport {
    let media: BytePath
    let export: HeldDirectory
    let options: ExportOptions
    let processors: Int
    let control: RunControl
    let ledger: BackupLedger

    /// Bytes of the archive; nil where there are no media, and no archive was made.
    func run() async throws(SyncError) -> Int64? {
        let root: HeldDirectory
        do throws(FileFault) { root = try HeldDirectory.openRoot(media) } catch {
            throw SyncError(
                .unusable,
                "cannot open the media root \(media)",
                why: error.reason,
                hint: "name it with --media-root; if it is a mount, mount it first; --no-media leaves it out"
            )
        }
        defer { root.close() }
        if try isEmpty(root) { return nil }
        let name = options.compression.archiveName
        let archive = try export.makeFile(name)
        let manifest = try export.makeFile(BackupLayout.mediaManifest)
        ledger.begin("media")
        let workers = max(1, min(64, options.jobs ?? 2 * processors))
        let output = ArchiveOutput(
            archive: archive.raw,
            manifest: manifest.raw,
            name: name,
            waitingMax: 4 * workers
        )
        await work(root, output, workers)
        if let reason = control.stopReason { throw reason }
        if let failure = output.failure { throw failure }
        try export.finish(archive, name)
        try export.finish(manifest, BackupLayout.mediaManifest)
        return output.written
    }

    /// As the snap leaves an empty directory out. One with other things than media in it is not Mastodon's.
    private func isEmpty(_ root: HeldDirectory) throws(SyncError) -> Bool {
        let names = Set(try root.names(limit: 10_000))
        if !names.isDisjoint(with: MediaLayout.folders.map { BytePath($0) }) { return false }
        if names.isEmpty {
            ledger.notice(.warning, "the media root \(media) is empty: there is no media archive in this export")
            return true
        }
        throw SyncError(
            .refused,
            "\(media) does not look like a media root",
            why: "it holds none of Mastodon's folders",
            hint: "name the directory that holds media_attachments/ and accounts/ with --media-root"
        )
    }

    private func work(_ root: HeldDirectory, _ output: ArchiveOutput, _ workers: Int) async {
        let queue = BoundedQueue<ArchiveJob>(capacity: 2 * workers)
        let pool = WorkerPool(threads: workers)
        defer { pool.shutDown() }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<pool.started {
                group.addTask(executorPreference: pool) { self.serve(queue, output) }
            }
            let walk = MediaWalk(
                root,
                includesCache: options.includesCache,
                shouldStop: { control.shouldStop || output.failure != nil },
                offer: { _ = queue.offer($0) },
                tell: { path, kind, outcome in ledger.add(path, outcome, kind: kind) }
            )
            walk.add(TarHeader.directory(BackupLayout.mediaPrefix, permissions: 0o755, modified: 0))
            walk.run()
            walk.add(TarHeader.end)
            queue.close()
        }
    }

    /// One worker. What is in the queue is finished whatever happens: others wait for it.
    private func serve(_ queue: BoundedQueue<ArchiveJob>, _ output: ArchiveOutput) {
        do throws(SyncError) {
            let worker = try ArchiveWorker(
                options.compression == .gzip ? .gzip : .zstd,
                options.digest,
                tell: { path, outcome, size in ledger.add(path, outcome, bytes: size) }
            )
            while let job = queue.take() {
                do throws(SyncError) {
                    output.put(job.number, try worker.make(job))
                } catch {
                    output.fail(error)
                }
            }
        } catch {
            output.fail(error)
            while queue.take() != nil {}
        }
    }
}
