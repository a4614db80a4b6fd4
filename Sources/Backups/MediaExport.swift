internal import Archives
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Writes the media archive and its manifest, in parallel: threads list, read and compress, and what one has together is a
/// block of the archive. One more reads the archive back meanwhile.
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
        let growth = ArchiveGrowth()
        let output = ArchiveOutput(
            archive: archive.raw,
            manifest: manifest.raw,
            name: name,
            waitingMax: 4 * workers,
            growth: growth
        )
        let share = MediaShare(.folders([.path(.root, depth: 0)]), threads: workers)
        let pool = WorkerPool(threads: workers + 1)
        defer { pool.shutDown() }
        guard pool.started == workers + 1 else {
            throw SyncError(.exhausted, "no threads can be started", retry: .abortStage)
        }
        // Read back right behind the writers, while the kernel still has it; a write that is lost later shows in the flush.
        let check = Task(executorPreference: pool) { self.check(name, growth) }
        await work(root, output, share, pool, workers)
        growth.finish()
        let flushed = flush(archive, manifest, name, output)
        let checked = await check.value
        if let reason = control.stopReason { throw reason }
        if let failure = output.failure ?? flushed ?? checked { throw failure }
        return growth.archiveBytes
    }

    /// Puts both files on the disk.
    private func flush(
        _ archive: borrowing OpenFile,
        _ manifest: borrowing OpenFile,
        _ name: BytePath,
        _ output: ArchiveOutput
    ) -> SyncError? {
        if control.shouldStop || output.failure != nil { return nil }
        do throws(SyncError) {
            try export.finish(archive, name)
            try export.finish(manifest, BackupLayout.mediaManifest)
            return nil
        } catch { return error }
    }

    /// Reads the archive back while it is written, and compares it with its manifest.
    private func check(_ name: BytePath, _ growth: ArchiveGrowth) -> SyncError? {
        let own = BackupLedger(sink: { [ledger] in ledger.forward($0) }, reportsEveryItem: false)
        let check = MediaArchiveCheck(
            directory: export,
            name: name,
            control: control,
            ledger: own,
            toleratesChanged: true,
            growth: growth
        )
        do throws(SyncError) { try check.run() } catch { return error }
        let counts = own.counts
        return counts.different + counts.failed > 0 ? BackupFault.differs(counts) : nil
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

    private func work(
        _ root: HeldDirectory,
        _ output: ArchiveOutput,
        _ share: MediaShare,
        _ pool: WorkerPool,
        _ workers: Int
    ) async {
        add(TarHeader.directory(BackupLayout.mediaPrefix, permissions: 0o755, modified: 0), output, share)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers {
                group.addTask(executorPreference: pool) { self.serve(root, output, share) }
            }
        }
        add(TarHeader.end, output, share)
    }

    /// Adds what is no file.
    private func add(_ bytes: [UInt8], _ output: ArchiveOutput, _ share: MediaShare) {
        do throws(SyncError) {
            let worker = try worker(output, share)
            worker.add(bytes)
            worker.flush()
        } catch { output.fail(error) }
    }

    /// One worker.
    private func serve(_ root: HeldDirectory, _ output: ArchiveOutput, _ share: MediaShare) {
        do throws(SyncError) {
            let worker = try worker(output, share)
            let walk = MediaWalk(
                root,
                includesCache: options.includesCache,
                share: share,
                shouldStop: { shouldStop(output) },
                tell: { path, kind, outcome in ledger.add(path, outcome, kind: kind) }
            )
            while let work = share.take() {
                switch work {
                case .folders(let steps): walk.run(steps) { folder, name in worker.add(name, of: folder) }
                case .files(let folder, let names):
                    for name in names where !shouldStop(output) { worker.add(name, of: folder) }
                case .parts(let large): worker.help(large)
                }
            }
            worker.flush()
        } catch {
            output.fail(error)
            // The others wait until all have nothing to do.
            while share.take() != nil {}
        }
    }

    private func worker(_ output: ArchiveOutput, _ share: MediaShare) throws(SyncError) -> ArchiveWorker {
        try ArchiveWorker(
            options.compression == .gzip ? .gzip : .zstd,
            options.digest,
            to: output,
            share: share,
            shouldStop: { shouldStop(output) },
            tell: { path, outcome, size in ledger.add(path, outcome, bytes: size) }
        )
    }

    /// Nobody waits for blocks that do not come any more.
    private func shouldStop(_ output: ArchiveOutput) -> Bool {
        if control.shouldStop, let reason = control.stopReason { output.fail(reason) }
        return output.failure != nil
    }
}
