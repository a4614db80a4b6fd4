package import MediaModel
internal import Pacing
package import Running
internal import Settings
package import Storage
internal import Synchronization

/// Takes over what an export has beside database and media: Mastodon's settings with their secrets, certificates, Redis' data.
/// What this machine has of its own, its database and password first of all, stays. A file that is replaced is kept beside
/// the new one.
package final class ConfigurationEngine: Engine {
    /// Where things go on this machine; nil leaves them where they are.
    package struct Places: Sendable {
        /// Mastodon's settings.
        package var settings: BytePath
        /// What Redis reads when it starts.
        package var redis: BytePath?
        /// The directory of certificates.
        package var certificates: BytePath?

        package init(settings: BytePath, redis: BytePath? = nil, certificates: BytePath? = nil) {
            self.settings = settings
            self.redis = redis
            self.certificates = certificates
        }
    }

    private let backup: BackupDirectory
    private let places: Places
    private let here: @Sendable (String) -> String?
    private let run: RunID
    private let isRoot: Bool
    private let isDryRun: Bool
    private let control: RunControl
    private let sink: EventSink
    private let ledger = Mutex(Counts())

    /// - Parameter here: a setting of this machine; nil where it has none.
    package init(
        backup: BackupDirectory,
        places: Places,
        here: @escaping @Sendable (String) -> String?,
        run: RunID,
        host: Host,
        isDryRun: Bool,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.backup = backup
        self.places = places
        self.here = here
        self.run = run
        isRoot = host.isRoot
        self.isDryRun = isDryRun
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { ledger.withLock { $0 } }
    package func abandon() {}
    package func totalCounter() -> (any TotalCounter)? { nil }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        sink(.stage("configuration"))
        let error = await withTaskExecutorPreference(pool) { () -> SyncError? in
            do throws(SyncError) {
                try install()
                return nil
            } catch {
                return error
            }
        }
        return RunResult(counts: counts(), error: control.stopReason ?? error)
    }

    private func install() throws(SyncError) {
        let directory = try BackupDirectory.open(backup.path)
        defer { directory.close() }
        if let exported = backup.configurationText {
            let transfer = SettingsTransfer(exported: exported, here: here)
            if !transfer.leftOut.isEmpty {
                let names = transfer.leftOut.joined(separator: ", ")
                sink(.notice(Notice(.notice, "left out, since they are of the old machine: \(names)")))
            }
            try put(.bytes(transfer.text), at: places.settings)
        }
        if let source = backup.redis {
            if let target = places.redis {
                try put(.file(directory, source.lastComponent), at: target)
            } else {
                tell("\(source) is left where it is", hint: "with Redis stopped, name its file with --redis")
            }
        }
        guard !backup.certificates.isEmpty else { return }
        guard let target = places.certificates else {
            return tell("certificates are left in \(backup.path)", hint: "name their directory with --certificates")
        }
        for path in backup.certificates {
            if let reason = control.stopReason { throw reason }
            try put(.file(directory, BackupLayout.certificates.appending(path)), at: target.appending(path))
        }
    }

    private func tell(_ message: String, hint: String) { sink(.notice(Notice(.notice, message, hint: hint))) }

    // MARK: One file

    private enum Content {
        case bytes([UInt8])
        /// A file of the export, by its path in it.
        case file(HeldDirectory, BytePath)
    }

    private func put(_ content: Content, at path: BytePath) throws(SyncError) {
        ledger.withLock { counts in
            counts.seen += 1
            counts.files += 1
        }
        do throws(FileFault) {
            let written = try place(content, at: path)
            ledger.withLock { counts in
                if let written {
                    counts.copied += 1
                    counts.bytesWritten += written
                } else {
                    counts.unchanged += 1
                }
            }
            let outcome: Outcome = written == nil ? .unchanged : .copied
            sink(.item(ItemEvent(path: path, kind: .file, outcome: outcome, bytes: written ?? 0)))
        } catch {
            throw error.syncError("cannot install \(path)")
        }
    }

    /// - Returns: bytes written; nil where it was there.
    private func place(_ content: Content, at path: BytePath) throws(FileFault) -> Int64? {
        let folder = try makeFolder(path.parent)
        defer { folder.close() }
        let name = path.lastComponent
        let old = try name.withEntryName { (name) throws(FileFault) in try folder.lookUp(name) }
        if case .bytes(let bytes) = content, let old, old.kind == .file, old.size == Int64(bytes.count),
            try name.withEntryName({ (name) throws(FileFault) in
                try Self.bytes(of: folder.openFile(name), count: bytes.count)
            })
                == bytes
        {
            return nil
        }
        if isDryRun { return 0 }
        let temporary = BytePath(".mediasync-tmp-\(run.text)-configuration")
        var written: Int64 = 0
        try temporary.withEntryName { (temporary) throws(FileFault) in
            let file = try folder.createFile(temporary, mode: 0o600)
            do throws(FileFault) {
                written = try Self.fill(file, with: content)
                // Of a new file: whoever owns the directory, and readable by its group, as Mastodon's guide has it.
                let model: Metadata
                if let old, old.kind == .file { model = old } else { model = try folder.metadata() }
                if isRoot { try file.setOwner(model.owner, group: model.group) }
                try file.setPermissions(old?.kind == .file ? model.permissions & 0o777 : 0o640)
                try file.synchronize()
                try name.withEntryName { (name) throws(FileFault) in
                    if old != nil {
                        let kept = BytePath(bytes: path.lastComponent.bytes + Array(".before-\(run.text)".utf8))
                        try kept.withEntryName { (kept) throws(FileFault) in try folder.link(name, to: folder, as: kept)
                        }
                    }
                    try folder.rename(temporary, to: folder, as: name)
                }
            } catch {
                try? folder.removeFile(temporary)
                throw error
            }
        }
        try folder.synchronize()
        return written
    }

    private static func fill(_ file: borrowing OpenFile, with content: Content) throws(FileFault) -> Int64 {
        switch content {
        case .bytes(let bytes):
            try file.write(bytes, at: 0)
            return Int64(bytes.count)
        case .file(let directory, let path):
            let source = try path.withEntryName { (path) throws(FileFault) in try directory.openFile(beneath: path) }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { buffer.deallocate() }
            var at: Int64 = 0
            while true {
                let count = try source.readFully(into: buffer, at: at)
                if count == 0 { return at }
                try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: at)
                at += Int64(count)
            }
        }
    }

    private static func bytes(of file: consuming OpenFile, count: Int) throws(FileFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try file.readFully(into: &bytes)
        return Array(bytes.prefix(read))
    }

    /// The directory of a file, made where it is missing; only the last part of it.
    private func makeFolder(_ path: BytePath) throws(FileFault) -> HeldDirectory {
        do throws(FileFault) {
            return try HeldDirectory.openRoot(path)
        } catch {
            guard error.kind == .missing, !isDryRun else { throw error }
            let above = try HeldDirectory.openRoot(path.parent)
            defer { above.close() }
            try path.lastComponent.withEntryName { (name) throws(FileFault) in
                try above.makeDirectory(name, mode: 0o750)
                let made = try above.openDirectory(name)
                defer { made.close() }
                let model = try above.metadata()
                if isRoot { try made.setOwner(model.owner, group: model.group) }
            }
            return try HeldDirectory.openRoot(path)
        }
    }
}
