internal import Dumps
internal import Glibc
internal import MediaModel
internal import Pacing
internal import Postgres
internal import Running
internal import Storage

/// Loads an archive into the stage by the installed `pg_restore`, with a list from which everything is taken out that is
/// not to be run; then the same checks and statistics as after a plain dump.
struct ArchiveLoader: Sendable {
    let file: DumpFile
    let program: RestoreProgram
    let inspection: DatabaseInspection
    let session: StageSession
    let jobs: Int
    let progress: LoadProgress
    let control: RunControl
    /// Where the list is put while the program reads it.
    let directory: BytePath
    /// Of this process: libpq's own variables, which its sessions follow as well.
    let environment: [String: String]
    let stage: @Sendable (String) -> Void

    func load() async throws(SyncError) {
        stage("load")
        let pool = WorkerPool(threads: jobs + 1)
        defer { pool.shutDown() }
        let failure = await Task(executorPreference: pool) { () -> SyncError? in
            do throws(SyncError) {
                try restore()
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
        stage("check")
        let steps = PostDataSteps(
            session: session,
            jobs: jobs,
            progress: progress,
            sizes: TableSizes(inspection.tables),
            postData: PostData()
        )
        try await steps.finish(pool)
    }

    private func restore() throws(SyncError) {
        let list = try ArchiveToc.read(file, program: program).vettedList()
        let kept = try ListFile(list, in: directory)
        var arguments = [
            program.path.description, "--exit-on-error", "--no-owner", "--no-privileges", "--no-tablespaces",
            "--no-security-labels", "--no-publications", "--no-subscriptions", "--no-password",
            "--use-list", kept.path, "--dbname", "",
        ]
        // A tar archive is read from its begin to its end, by one.
        if file.kind != .tar { arguments += ["--jobs", "\(jobs)"] }
        if let role = session.role { arguments += ["--role", role] }
        arguments.append(file.pathForPrograms.description)
        var environment = environment.filter { $0.key.hasPrefix("PG") || $0.key == "HOME" }
        environment.merge(session.settings.programEnvironment) { $1 }
        environment["PGAPPNAME"] = "mediasync restore"
        environment["PGOPTIONS"] = session.settingsForPrograms
        environment["PATH"] = "/usr/bin:/bin"
        environment["LC_ALL"] = "C.UTF-8"
        arguments[arguments.firstIndex(of: "") ?? 0] = environment["PGDATABASE"] ?? ""
        let control = control
        let child = ChildProcess(arguments: arguments, environment: environment) { control.shouldStop }
        let ending = try child.run()
        guard ending.exitCode == 0 else { throw Self.error(ending) }
    }

    private static func error(_ ending: ChildProcess.Ending) -> SyncError {
        let words = ending.words.filter { $0.contains("error:") || $0.contains("ERROR:") }
        let noSpace = ending.words.contains { $0.contains("No space left on device") }
        let isLost = ending.words.contains {
            $0.contains("server closed the connection") || $0.contains("terminating connection")
                || $0.contains("connection to server")
        }
        return SyncError(
            noSpace ? .exhausted : .database,
            "cannot load the archive",
            why: (words.first ?? ending.words.last ?? "pg_restore was ended by a signal")
                + (isLost ? "; the connection was lost" : ""),
            hint: noSpace
                ? "free space on the server's disk and run the same command again"
                : "the entry of the archive is named above; pg_restore -l lists them",
            retry: .abortStage
        )
    }
}

/// A file without a name that another program reads while this value lives.
private struct ListFile: ~Copyable {
    private let descriptor: Int32

    init(_ bytes: [UInt8], in directory: BytePath) throws(SyncError) {
        do throws(FileFault) {
            let held = try HeldDirectory.openRoot(directory)
            defer { held.close() }
            let name = BytePath(".mediasync-list-\(UInt64.random(in: 0 ... .max))")
            let made = try name.withEntryName { (name) throws(FileFault) in
                let file = try held.createFile(name, mode: 0o600)
                try held.removeFile(name)
                return file
            }
            try made.write(bytes, at: 0)
            descriptor = try made.reopenedForReading().detach()
        } catch {
            throw error.syncError("cannot keep the list of the archive in \(directory)")
        }
    }

    deinit { _ = OpenFile(raw: descriptor) }

    var path: String { "/proc/\(getpid())/fd/\(descriptor)" }
}
