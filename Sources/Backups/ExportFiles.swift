internal import Checksums
internal import MediaModel
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

    /// The file that Redis saves: it is replaced as a whole, so that whoever has it open reads one version.
    func copyRedis(_ path: BytePath?) throws(SyncError) {
        guard let path, let metadata = try? Metadata(ofUserPath: path), metadata.kind == .file, metadata.size > 0 else {
            return
        }
        let source: OpenFile
        do throws(FileFault) { source = try OpenFile.openUserFile(path) } catch {
            let problem = error.syncError("could not read \(path)")
            return ledger.add(BackupLayout.redis, .failed(problem))
        }
        try copy(source, from: path, to: BackupLayout.redis, in: export)
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
