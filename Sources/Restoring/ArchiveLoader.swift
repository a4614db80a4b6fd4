internal import Dumps
internal import MediaModel
internal import Pacing
internal import Postgres
internal import Programs
internal import Running

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

    /// Runs the program and follows what it says. Its names are the dump's: they are counted and shown, never believed.
    private func restore() throws(SyncError) {
        let toc = try ArchiveToc.read(file, program: program)
        let list = try ArchiveList(toc.vettedList(), directory: directory)
        let child = try ChildProgram(call(list), output: .withErrors)
        defer { child.end() }
        var log = RestoreLog()
        var work = ArchiveWork(toc, inspection)
        progress.set(work.steps)
        let size = Double(max(1, file.size))
        let (control, progress) = (control, progress)
        let exitCode = child.listen(
            shouldStop: { control.shouldStop },
            tick: {
                guard let bytes = child.bytesRead else { return }
                work.read(Double(bytes) / size)
                progress.set(work.steps)
            },
            line: { line in
                guard let event = log.take(line) else { return }
                work.take(event)
                progress.set(work.steps)
            }
        )
        guard exitCode == 0 else { throw log.error }
        work.end()
        progress.set(work.steps)
        progress.addIndexes(work.indexesDone)
        progress.add(rows: inspection.rows, bytes: Int(inspection.bytes))
    }

    private func call(_ list: ArchiveList) -> ProgramCall {
        var environment = environment.filter { $0.key.hasPrefix("PG") || $0.key == "HOME" }
        environment.merge(session.settings.programEnvironment) { $1 }
        environment["PGAPPNAME"] = "mediasync restore"
        environment["PGOPTIONS"] = session.settingsForPrograms
        environment["PATH"] = "/usr/bin:/bin"
        // Its words are read.
        environment["LC_ALL"] = "C.UTF-8"
        var arguments = [
            "--verbose", "--exit-on-error", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels",
            "--no-publications", "--no-subscriptions", "--no-password",
            "--dbname", environment["PGDATABASE"] ?? "",
        ]
        // A tar archive is read from its begin to its end, by one.
        if file.kind != .tar { arguments += ["--jobs", "\(jobs)"] }
        if let role = session.role { arguments += ["--role", role] }
        let paths = [BytePath("--use-list"), list.pathForPrograms, file.pathForPrograms]
        return ProgramCall(program.path, arguments.map { BytePath($0) } + paths, environment: environment)
    }
}
