internal import Dumps
internal import MediaModel
internal import Running
internal import Settings
internal import Storage

/// Reads an export back, all of it: every file against its digest, the dump by our own inspector, the media archive to its
/// last byte. Blocks, and stops when its task is cancelled.
struct BackupCheck {
    let path: BytePath
    let directory: HeldDirectory
    let control: RunControl
    let ledger: BackupLedger
    /// Whoever made the export in this very run has read the media archive back already, and knows what changed meanwhile.
    let isOwn: Bool

    func run() throws(SyncError) {
        let backup = try BackupDirectory(path, directory)
        for problem in backup.problems {
            ledger.add(path, .different, changes: .kind)
            ledger.notice(.warning, problem.description, hint: problem.hint)
        }
        try checkFiles(backup)
        if control.shouldStop { return }
        if backup.dump != nil { checkDump() }
        if control.shouldStop { return }
        if let lines = backup.configuration?.strangeLines, !lines.isEmpty {
            let numbers = lines.prefix(5).map(String.init).joined(separator: ", ")
            ledger.differ(BackupLayout.configuration, "lines that are no settings: \(numbers)")
        }
        if !isOwn, let media = backup.media { checkMedia(media.lastComponent) }
    }

    // MARK: Files

    /// Against the manifest of files, where there is one.
    private func checkFiles(_ backup: BackupDirectory) throws(SyncError) {
        guard try directory.regularFile(BackupLayout.fileManifest) != nil else {
            if backup.isOurs { ledger.differ(BackupLayout.fileManifest, "it is missing") }
            return
        }
        ledger.begin("files")
        let manifest = try BackupManifest(BackupLayout.fileManifest, in: directory)
        var named: Set<BytePath> = []
        do throws(SyncError) {
            while !control.shouldStop, let line = try manifest.next() {
                guard case .digest(let line) = line else { continue }
                named.insert(line.path)
                check(line)
            }
        } catch {
            ledger.differ(BackupLayout.fileManifest, error.description)
        }
        if control.shouldStop { return }
        for path in try BackupFiles.listed(in: directory) where !named.contains(path) {
            ledger.add(path, .different, changes: .extra)
        }
    }

    private func check(_ line: ManifestLine) {
        guard line.staysBelowRoot else { return ledger.differ(line.path, "the manifest names a path outside") }
        do throws(SyncError) {
            let folder: HeldDirectory
            do throws(FileFault) { folder = try directory.openDirectory(beneath: line.path.parent) } catch {
                if error.kind == .missing { return ledger.add(line.path, .different, changes: .new) }
                throw error.syncError("could not open \(line.path)")
            }
            defer { folder.close() }
            guard let metadata = try folder.regularFile(line.path.lastComponent) else {
                return ledger.add(line.path, .different, changes: .new)
            }
            let source = try FileSource(line.path.lastComponent, in: folder)
            let digest = try source.digest(line.digest.algorithm) { control.shouldStop }
            if control.shouldStop { return }
            if digest == line.digest {
                ledger.add(line.path, .unchanged, bytes: metadata.size)
            } else {
                ledger.add(line.path, .different, bytes: metadata.size, changes: .content)
            }
        } catch {
            ledger.add(line.path, .failed(error))
        }
    }

    // MARK: Dump

    private func checkDump() {
        do throws(SyncError) {
            let file = try DumpFile.open(path.appending(BackupLayout.dump), spoolDirectory: path)
            ledger.begin("database", total: file.size)
            let program = file.kind.isArchive ? try RestoreProgram.find(searchPath: "/usr/bin:/bin") : nil
            let inspection = try DumpInspector.inspect(file, program: program) { ledger.advance(to: $0) }
            guard let database = inspection.mastodonDatabase else {
                return ledger.differ(BackupLayout.dump, "it holds no database of Mastodon, or more than one")
            }
            if let refusal = database.vetting.firstRefusal {
                return ledger.differ(BackupLayout.dump, "it cannot be restored: line \(refusal.line)")
            }
            ledger.add(BackupLayout.dump, .unchanged)
        } catch {
            if control.shouldStop { return }
            ledger.differ(BackupLayout.dump, error.description)
        }
    }

    // MARK: Media

    private func checkMedia(_ name: BytePath) {
        let check = MediaArchiveCheck(
            directory: directory,
            name: name,
            control: control,
            ledger: ledger,
            toleratesChanged: false
        )
        do throws(SyncError) { try check.run() } catch { ledger.differ(name, error.description) }
    }
}
