internal import Dumps
package import MediaModel
internal import Pacing
package import Running
package import Storage
internal import Synchronization

/// Makes an export of a server: a directory that the snap restores, and we do.
///
/// Everything is built in a directory beside the final name, put on the disk, read back and compared; then it gets its
/// name. Whatever goes wrong before, nothing is there under the name, and what is left is removed: by this run, or where it
/// was killed by the next one.
package final class ExportEngine: Engine {
    private let options: ExportOptions
    private let run: RunID
    private let host: Host
    private let madeAt: Int64
    private let control: RunControl
    private let ledger: BackupLedger

    /// - Parameter madeAt: the moment of the export, in seconds since 1970.
    package init(
        options: ExportOptions,
        run: RunID,
        host: Host,
        madeAt: Int64,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.options = options
        self.run = run
        self.host = host
        self.madeAt = madeAt
        self.control = control
        ledger = BackupLedger(sink: sink, reportsEveryItem: options.reportsEveryItem)
    }

    package func counts() -> Counts { ledger.counts }

    /// What is left is recognized by its name.
    package func abandon() {}
    package func totalCounter() -> (any TotalCounter)? { nil }
    package func work() -> WorkProgress? { ledger.work }

    /// Removing what was built of a large export takes its time.
    package var stopPatience: Duration { .seconds(30) }

    package func run() async -> RunResult {
        await runCancellable(control, { self.ledger.counts }) { () async throws(SyncError) in try await self.export() }
    }

    private func export() async throws(SyncError) {
        try options.checkName()
        let directory = try open()
        defer { directory.close() }
        try lock(directory)
        try removeLeftovers(directory)
        try requireFree(directory)
        let unfinished = BackupLayout.unfinished(run)
        let export = try make(unfinished, in: directory)
        do throws(SyncError) {
            defer { export.close() }
            let report = try await fill(export, below: options.directory.appending(unfinished))
            try stopIfAsked()
            try publish(export, unfinished, in: directory)
            ledger.report(report)
        } catch {
            try? BackupFiles.remove(unfinished, from: directory)
            throw error
        }
        if let days = options.keepDays { try retain(days, directory) }
    }

    private func stopIfAsked() throws(SyncError) {
        if let reason = control.stopReason { throw reason }
    }

    // MARK: Before

    private func open() throws(SyncError) -> HeldDirectory {
        do throws(FileFault) {
            return try HeldDirectory.openRoot(options.directory)
        } catch {
            throw SyncError(
                .unusable,
                "cannot open \(options.directory)",
                why: error.reason,
                hint: "make the directory that exports are kept in; if it is a mount, mount it first"
            )
        }
    }

    private func lock(_ directory: HeldDirectory) throws(SyncError) {
        do throws(FileFault) {
            if try directory.lock() { return }
        } catch {
            return ledger.notice(.warning, "\(options.directory) cannot be locked: \(error.reason)")
        }
        throw SyncError(
            .locked,
            "another export is being made in \(options.directory)",
            hint: "wait for it to end (mediasync status); nothing was changed"
        )
    }

    /// Whoever holds the lock knows that nobody works on them any more.
    private func removeLeftovers(_ directory: HeldDirectory) throws(SyncError) {
        for name in try directory.names(limit: 100_000) where BackupLayout.isUnfinished(name) {
            try BackupFiles.remove(name, from: directory)
            ledger.notice(.notice, "removed \(name), which a run that did not end left behind")
        }
    }

    private func requireFree(_ directory: HeldDirectory) throws(SyncError) {
        let existing: Metadata?
        do throws(FileFault) {
            existing = try options.name.withEntryName { (name) throws(FileFault) in try directory.lookUp(name) }
        } catch { throw error.syncError("could not look at \(options.name)") }
        if existing == nil { return }
        throw SyncError(
            .unusable,
            "\(options.directory.appending(options.name)) is there already",
            hint: "choose another --name; nothing is ever replaced"
        )
    }

    private func make(_ name: BytePath, in directory: HeldDirectory) throws(SyncError) -> HeldDirectory {
        do throws(FileFault) {
            return try name.withEntryName { (name) throws(FileFault) -> HeldDirectory in
                try directory.makeDirectory(name, mode: 0o700)
                return try directory.openDirectory(name)
            }
        } catch {
            var problem = error.syncError("cannot make a directory in \(options.directory)")
            if problem.code == .item { problem.code = .unusable }
            throw problem
        }
    }

    // MARK: The parts

    private func fill(_ export: HeldDirectory, below path: BytePath) async throws(SyncError) -> Report {
        let files = ExportFiles(export: export, ledger: ledger, digest: options.digest)
        var report = ExportReport(path: options.directory.appending(options.name))
        try export.writeFile(BackupLayout.marker, BackupMarker(madeAt: madeAt).text)
        ledger.begin("configuration")
        if try !files.copySmall(options.configuration, to: BackupLayout.configuration) {
            ledger.notice(
                .warning,
                "there is no mastodon.conf in this export",
                hint: "name Mastodon's settings with --env-file"
            )
        }
        // The snap reads this file without asking whether it is there.
        if try !files.copySmall(options.extra.settings, to: BackupLayout.settings) {
            try files.write(BackupLayout.settings, [])
        }
        try files.copyCertificates(options.extra.certificates)
        try files.copyRedis(options.redis, madeAt: madeAt, control)
        try stopIfAsked()
        if let database = options.database {
            let release = try dumpDatabase(database, export, path, &report)
            report.release = release
        }
        if try !files.copySmall(options.extra.version, to: BackupLayout.version), let release = report.release {
            try files.write(BackupLayout.version, Array("\(release)\n".utf8))
        }
        try stopIfAsked()
        if let media = options.media {
            let export = MediaExport(
                media: media,
                export: export,
                options: options,
                processors: host.processors,
                control: control,
                ledger: ledger
            )
            report.mediaBytes = try await export.run()
        }
        try files.writeManifest { control.shouldStop }
        try stopIfAsked()
        try check(export, path)
        return report.make(options)
    }

    private func dumpDatabase(
        _ database: ExportOptions.DatabaseDump,
        _ export: HeldDirectory,
        _ path: BytePath,
        _ report: inout ExportReport
    ) throws(SyncError) -> String? {
        ledger.begin("database")
        let written = Mutex<Int64>(0)
        try export.writeFile(BackupLayout.dump) { (file) throws(SyncError) in
            try DumpProgram(options: database).run(into: file) { count in written.withLock { $0 += Int64(count) } }
        }
        let bytes = written.withLock { $0 }
        ledger.add(BackupLayout.dump, .copied, bytes: bytes)
        report.dumpBytes = bytes
        let file = try DumpFile.open(path.appending(BackupLayout.dump), spoolDirectory: path)
        ledger.begin("inspect", total: bytes)
        let inspection = try DumpInspector.inspect(file) { self.ledger.advance(to: $0) }
        guard let found = inspection.mastodonDatabase else {
            throw SyncError(
                .schema,
                "the database that was dumped is not Mastodon's",
                why: inspection.databases.count > 1 ? "none of the server's, or more than one" : nil,
                hint: "check Mastodon's settings: DB_NAME and the like"
            )
        }
        return found.release.release
    }

    /// Everything is read back; what a file system lost or a disk changed is known before the export has a name.
    private func check(_ export: HeldDirectory, _ path: BytePath) throws(SyncError) {
        ledger.begin("verify")
        let own = BackupLedger(sink: { [ledger] in ledger.forward($0) }, reportsEveryItem: false)
        try BackupCheck(path: path, directory: export, control: control, ledger: own, isOwn: true).run()
        try stopIfAsked()
        let counts = own.counts
        if counts.different + counts.failed > 0 { throw BackupFault.differs(counts) }
    }

    // MARK: After

    private func publish(_ export: HeldDirectory, _ unfinished: BytePath, in directory: HeldDirectory) throws(SyncError)
    {
        do throws(FileFault) {
            try export.setPermissions(BackupLayout.directoryMode)
            try export.synchronize()
            try unfinished.withEntryName { (old) throws(FileFault) in
                try options.name.withEntryName { (new) throws(FileFault) in
                    try directory.renameWithoutReplacing(old, as: new)
                }
            }
            try directory.synchronize()
        } catch {
            throw error.syncError("could not put \(options.name) in place")
        }
    }

    private func retain(_ days: Double, _ directory: HeldDirectory) throws(SyncError) {
        let retention = BackupRetention(days: days, now: madeAt)
        for old in retention.expired(try BackupRetention.candidates(in: directory)) where old.name != options.name {
            try stopIfAsked()
            let unfinished = BackupLayout.unfinished(run)
            do throws(FileFault) {
                // Half an export is not to be found under its name.
                try old.name.withEntryName { (name) throws(FileFault) in
                    try unfinished.withEntryName { (gone) throws(FileFault) in
                        try directory.rename(name, to: directory, as: gone)
                    }
                }
            } catch { throw error.syncError("could not remove the export \(old.name)") }
            try BackupFiles.remove(unfinished, from: directory)
            ledger.notice(.notice, "removed the export \(old.name), older than \(Self.text(days)) days")
        }
    }

    private static func text(_ days: Double) -> String {
        days == days.rounded() ? String(Int(days)) : String(days)
    }
}

/// What was made, for the end of the run.
struct ExportReport {
    let path: BytePath
    var release: String?
    var dumpBytes: Int64?
    var mediaBytes: Int64?

    init(path: BytePath) {
        self.path = path
    }

    func make(_ options: ExportOptions) -> Report {
        var parts: [String] = []
        if let dumpBytes {
            let what = options.database?.isCluster == true ? "all databases" : "the database"
            parts.append("\(what) of Mastodon \(release ?? "(unknown release)"), \(ByteCount.describe(dumpBytes))")
        }
        if let mediaBytes { parts.append("\(options.compression.archiveName), \(ByteCount.describe(mediaBytes))") }
        let number = { (value: Int64?) in value.map { Report.Value.number($0) } ?? .null }
        return Report(
            name: "export",
            fields: [
                .init("path", .text(path.description)), .init("release", .init(release)),
                .init("database_bytes", number(dumpBytes)), .init("media_bytes", number(mediaBytes)),
            ],
            lines: ["\(path)" + (parts.isEmpty ? "" : ": " + parts.joined(separator: "; "))],
            isAsked: false
        )
    }
}
