internal import Caches
internal import Checksums
internal import MediaModel
internal import Running
internal import Storage

/// The small files of an export, and those of other programs.
struct ExportFiles {
    let export: HeldDirectory
    let ledger: BackupLedger
    let digest: DigestAlgorithm

    /// Text that is at hand.
    func write(_ name: BytePath, _ text: [UInt8]) throws(SyncError) {
        try export.writeFile(name, text)
        ledger.add(name, .copied, bytes: Int64(text.count))
    }

    /// A small file of the server. One that is missing is left out, one that cannot be read is told.
    func copySmall(_ path: BytePath?, to name: BytePath) throws(SyncError) -> Bool {
        guard let path, (try? Metadata(ofUserPath: path))?.kind == .file else { return false }
        let text: [UInt8]
        do throws(SyncError) {
            text = try UserFile.read(path, limit: BackupLayout.smallBytesMax)
        } catch {
            ledger.add(name, .failed(SyncError(.item, error.what, why: error.why, hint: error.hint)))
            return false
        }
        try write(name, text)
        return true
    }

    /// Redis' data, as they are now where Redis can be asked to save them, else as it saved them last: the age is told.
    /// - Parameter madeAt: the moment of the export.
    func copyRedis(_ redis: ExportOptions.Redis, madeAt: Int64, _ control: RunControl) throws(SyncError) {
        if let file = redis.file, let metadata = try? Metadata(ofUserPath: file), metadata.kind != .file { return }
        let saved = redis.server.map { RedisSave(settings: $0, control: control).run() }
        let path = redis.file ?? saved?.file ?? BytePath("/var/lib/redis/dump.rdb")
        guard let metadata = try? Metadata(ofUserPath: path), metadata.kind == .file, metadata.size > 0 else {
            return tellNone(path, redis, saved?.fault)
        }
        let source: OpenFile
        do throws(FileFault) { source = try OpenFile.openUserFile(path) } catch {
            let problem = error.syncError("could not read \(path)")
            return ledger.add(BackupLayout.redis, .failed(problem))
        }
        // It is replaced as a whole, so that whoever has it open reads one version.
        try copy(source, from: path, to: BackupLayout.redis, in: export)
        let age = madeAt - metadata.modificationTime.seconds
        if age > 0 { tellAge(age, metadata, path, redis, saved?.fault) }
    }

    private func tellNone(_ path: BytePath, _ redis: ExportOptions.Redis, _ fault: CacheFault?) {
        guard let server = redis.server else { return }
        var why = fault.map { "\(server) cannot be asked to save: \($0.message)" } ?? "\(server) saved elsewhere"
        why += "; there is no \(path)"
        ledger.notice(
            .warning,
            "there is no redis.rdb in this export: \(why)",
            hint: "name the file that Redis saves with --redis; without it Sidekiq's jobs are not in the export"
        )
    }

    private func tellAge(
        _ age: Int64,
        _ metadata: Metadata,
        _ path: BytePath,
        _ redis: ExportOptions.Redis,
        _ fault: CacheFault?
    ) {
        let time = UTCTime(secondsSince1970: metadata.modificationTime.seconds).iso8601
        var why = ""
        if let server = redis.server {
            why =
                fault.map { "; \(server) cannot be asked to save: \($0.message)" }
                ?? "; \(server) saves to another file"
        }
        ledger.notice(
            .warning,
            "redis.rdb is of \(time), \(Self.text(age)) before this export\(why)",
            hint: "run `redis-cli save`, or stop Mastodon and Redis, before the export; the file was \(path)"
        )
    }

    /// `3 days`, `5 hours`, in whole ones.
    private static func text(_ seconds: Int64) -> String {
        let units: [(Int64, String)] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")]
        let unit = units.first { seconds >= $0.0 } ?? (1, "second")
        let count = seconds / unit.0
        return "\(count) \(unit.1)\(count == 1 ? "" : "s")"
    }

    private func copy(
        _ source: borrowing OpenFile,
        from path: BytePath,
        to name: BytePath,
        in folder: HeldDirectory,
        at shown: BytePath? = nil
    ) throws(SyncError) {
        let target = try folder.makeFile(name)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        defer { buffer.deallocate() }
        var total: Int64 = 0
        while total < BackupLayout.redisBytesMax {
            let count: Int
            do throws(FileFault) { count = try source.readFully(into: buffer, at: total) } catch {
                throw error.syncError("could not read \(path)")
            }
            if count == 0 { break }
            do throws(FileFault) {
                try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: total)
            } catch { throw error.syncError("could not write \(name)") }
            total += Int64(count)
        }
        try folder.finish(target, name)
        ledger.add(shown ?? name, .copied, bytes: total)
    }

    // MARK: Certificates

    /// Files of a directory and of those in it. Links are told and left out.
    func copyCertificates(_ path: BytePath?) throws(SyncError) {
        guard let path, (try? Metadata(ofUserPath: path))?.kind == .directory else { return }
        let folder: HeldDirectory
        do throws(FileFault) { folder = try HeldDirectory.openRoot(path) } catch {
            return ledger.add(
                BackupLayout.certificates,
                .failed(error.syncError("could not open \(path)")),
                kind: .directory
            )
        }
        defer { folder.close() }
        if try folder.names(limit: BackupLayout.certificatesMax).isEmpty { return }
        try copyFolder(folder, as: BackupLayout.certificates, in: export, BackupLayout.certificates, depth: 0)
    }

    private func copyFolder(
        _ source: HeldDirectory,
        as name: BytePath,
        in parent: HeldDirectory,
        _ shown: BytePath,
        depth: Int
    ) throws(SyncError) {
        let target = try Self.makeDirectory(name, in: parent)
        defer { target.close() }
        for name in try source.names(limit: BackupLayout.certificatesMax) {
            let path = shown.appending(name)
            let metadata: Metadata?
            do throws(FileFault) {
                metadata = try name.withEntryName { (name) throws(FileFault) in try source.lookUp(name) }
            } catch { throw error.syncError("could not look at \(path)") }
            switch metadata?.kind {
            case .file where (metadata?.size ?? 0) <= BackupLayout.certificateBytesMax:
                let file: OpenFile
                do throws(FileFault) {
                    file = try name.withEntryName { (name) throws(FileFault) in try source.openFile(name) }
                } catch {
                    ledger.add(path, .failed(error.syncError("could not read \(path)")))
                    continue
                }
                try copy(file, from: path, to: name, in: target, at: path)
            case .directory where depth < 4:
                guard let next = try source.directory(name) else { continue }
                defer { next.close() }
                try copyFolder(next, as: name, in: target, path, depth: depth + 1)
            default:
                ledger.add(path, .skipped(.special), kind: metadata?.kind ?? .file)
            }
        }
        do throws(FileFault) { try target.synchronize() } catch {
            throw error.syncError("could not write \(shown) to the disk")
        }
    }

    private static func makeDirectory(_ name: BytePath, in parent: HeldDirectory) throws(SyncError) -> HeldDirectory {
        do throws(FileFault) {
            return try name.withEntryName { (name) throws(FileFault) -> HeldDirectory in
                try parent.makeDirectory(name, mode: BackupLayout.directoryMode)
                return try parent.openDirectory(name)
            }
        } catch {
            throw error.syncError("could not make \(name)")
        }
    }

    // MARK: The manifest

    /// A line for every file but the media archive, which has a manifest of its own.
    func writeManifest(shouldStop: () -> Bool) throws(SyncError) {
        var text: [UInt8] = []
        for path in try BackupFiles.listed(in: export) {
            let folder: HeldDirectory
            do throws(FileFault) { folder = try export.openDirectory(beneath: path.parent) } catch {
                throw error.syncError("could not open \(path)")
            }
            defer { folder.close() }
            let source = try FileSource(path.lastComponent, in: folder)
            text += ManifestLine(digest: try source.digest(digest, shouldStop: shouldStop), path: path).bytes
        }
        try export.writeFile(BackupLayout.fileManifest, text)
    }
}
