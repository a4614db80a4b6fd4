internal import Dumps
package import MediaModel
internal import Pacing
package import Postgres
package import Running
internal import Storage
internal import Synchronization

/// Makes a dump the live database, or leaves the old one as it was: inspect, stage, load, verify, swap.
package final class RestoreEngine: Engine {
    let options: RestoreOptions
    let settings: ConnectionSettings
    let run: RunID
    let control: RunControl
    let sink: EventSink
    let progressValue = LoadProgress()
    let state = Mutex(State())
    let cancellers = CancellerList()

    struct State {
        var counts = Counts()
        var work: WorkProgress?
        var sizes: TableSizes?
        var dumpBytes: Int64 = 0
        /// There is something to drop on a stop.
        var hasStage = false
    }

    package init(
        options: RestoreOptions,
        settings: ConnectionSettings,
        run: RunID,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.options = options
        self.settings = settings
        self.run = run
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts {
        var counts = state.withLock { $0.counts }
        if counts.bytesWritten == 0 { counts.bytesWritten = Int64(progressValue.rowBytes) }
        return counts
    }

    /// The server forgets what is half done; the next run drops the stage.
    package func abandon() {}

    package func totalCounter() -> (any TotalCounter)? { nil }

    package func figures() -> [Figure] {
        let tables = state.withLock { $0.counts.copied }
        return [
            Figure("tables", tables, "Tables that were loaded whole."),
            Figure("rows", progressValue.rows, "Rows that were loaded."),
            Figure("row_bytes", progressValue.rowBytes, "Bytes of the rows in the dump."),
            Figure("indexes", progressValue.indexes, "Indexes that were built."),
            Figure("dump_bytes", Int(state.withLock { $0.dumpBytes }), "Bytes of the dump's file."),
        ]
    }

    /// Dropping a stage of many gigabytes takes its time.
    package var stopPatience: Duration {
        state.withLock { $0.hasStage } ? .seconds(60) : .milliseconds(1700)
    }

    package func work() -> WorkProgress? {
        guard var work = state.withLock({ $0.work }) else { return nil }
        switch work.unit {
        case .bytes: work.done = progressValue.dumpBytes
        case .steps:
            let steps = progressValue.steps
            work.done = Int64(steps.done)
            work.total = Int64(steps.total)
            work.share = steps.share
            work.current = steps.current
        }
        return work
    }

    // MARK: Running

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: 2)
        defer { pool.shutDown() }
        let isDone = Flag()
        let task = Task(executorPreference: pool) { [self] () -> SyncError? in
            do throws(SyncError) {
                try await restore()
                return nil
            } catch { return error }
        }
        let watch = Task(executorPreference: pool) { [self] in
            // A stop reaches statements that would take hours; looked for ten times a second.
            while !isDone.isSet {
                if control.shouldStop {
                    task.cancel()
                    cancellers.stop()
                    return
                }
                Host.sleep(nanoseconds: 100_000_000)
            }
        }
        let failure = await task.value
        isDone.set()
        await watch.value
        let error = failure.map { control.stopReason ?? $0 }
        return RunResult(counts: counts(), error: error)
    }

    private func restore() async throws(SyncError) {
        if options.isDryRun { return try look() }
        let administration = try Administration(settings)
        let plan = try RestorePlan(options, run: run, administration)
        var swap = Swap(
            live: options.live,
            incoming: plan.stage,
            previous: plan.previous,
            previousComment: DatabaseComment.previous(run, dump: plan.live?.restoredDump),
            force: options.force
        )
        try administration.lock(run, name: options.live)
        if plan.live != nil { try swap.refuseSessions(administration) }
        let file = try DumpFile.open(options.dump, spoolDirectory: options.spoolDirectory)
        let program = try program(for: file)
        let inspection = try inspect(file, program)
        swap.liveComment = DatabaseComment.live(run, dump: inspection.dump)
        let database = try RestoreGuards.database(in: inspection, wanted: options.sourceDatabase)
        let migration = try RestoreGuards.compare(database.migrations, installed: try installed(plan.live))
        if let notice = LeftOutNotice.make(database.vetting, outside: inspection.outside) { sink(.notice(notice)) }
        tellOfCollation(database, live: plan.live, administration)
        try dropDeadStages(plan, administration)
        try stopIfAsked()
        state.withLock { $0.hasStage = true }
        do throws(SyncError) {
            try makeStage(plan, database, administration)
            try await fill(plan, file, program, database)
            try migrate(plan, migration)
            try inherit(plan, administration)
            try stopIfAsked()
            begin("swap", nil)
            try await swap.perform(administration)
            FaultPoint.databaseSwapped.reach()
        } catch {
            dropStage(plan.stage, administration)
            throw error
        }
        conclude(plan, migration)
    }

    /// `-n`: reads the dump and tells what is in it. The server is asked what is installed, where it answers.
    private func look() throws(SyncError) {
        let file = try DumpFile.open(options.dump, spoolDirectory: options.spoolDirectory)
        let inspection = try inspect(file, try program(for: file))
        let administration = try? Administration(settings)
        let live = try? administration?.database(options.live)
        let known = options.installedMigrations ?? (try? installed(live))
        sink(.report(InspectionReport.make(inspection, file, installed: known)))
        let database = try RestoreGuards.database(in: inspection, wanted: options.sourceDatabase)
        if let administration { tellOfCollation(database, live: live, administration) }
        _ = try RestoreGuards.compare(database.migrations, installed: known)
    }

    private func program(for file: DumpFile) throws(SyncError) -> RestoreProgram? {
        file.kind.isArchive ? try RestoreProgram.find(searchPath: options.environment["PATH"]) : nil
    }

    private func inspect(_ file: DumpFile, _ program: RestoreProgram?) throws(SyncError) -> DumpInspection {
        begin("inspect", WorkProgress(total: file.size, unit: .bytes))
        let progress = progressValue
        let inspection = try DumpInspector.inspect(file, program: program) { progress.set(dumpBytes: $0) }
        state.withLock { state in
            state.counts.bytesSeen = inspection.textBytes
            state.dumpBytes = inspection.fileBytes
        }
        return inspection
    }

    /// What the installed Mastodon knows: told, or else what the old database has run.
    private func installed(_ live: DatabaseFacts?) throws(SyncError) -> Set<String>? {
        if let told = options.installedMigrations { return told }
        guard let live, live.allowsConnections else { return nil }
        // A database without Mastodon's tables is nobody's: an empty one that was made for the restore.
        guard let connection = try? Connection(settings.with(database: live.name), application: "mediasync restore"),
            (try? connection.query("SELECT pg_catalog.to_regclass('public.schema_migrations') IS NOT NULL"))?.only?
                .boolean == true
        else { return nil }
        return try StageVerification.migrations(connection)
    }

    private func dropDeadStages(_ plan: RestorePlan, _ administration: Administration) throws(SyncError) {
        for dead in try Leftovers(of: plan.names, administration).deadStages {
            try administration.drop(dead.name)
            sink(.notice(Notice(.notice, "dropped \(shown(dead.name)), the stage of a run that did not end")))
        }
    }

    func begin(_ stage: String, _ work: WorkProgress?) {
        progressValue.restart()
        state.withLock { $0.work = work }
        sink(.stage(stage))
    }

    private func stopIfAsked() throws(SyncError) {
        if let reason = control.stopReason { throw reason }
    }

    /// After a failure nothing of this run stays. Where the server is gone the next run does it.
    private func dropStage(_ stage: String, _ administration: Administration) {
        do throws(SyncError) {
            do throws(SyncError) {
                try administration.drop(stage)
            } catch {
                try Administration(settings).drop(stage)
            }
        } catch {
            sink(
                .notice(
                    Notice(
                        .warning,
                        "the stage \(shown(stage)) could not be dropped: \(error.description)",
                        hint: "the next restore drops it"
                    )
                )
            )
        }
    }

    private func conclude(_ plan: RestorePlan, _ migration: RestoreGuards.Migration) {
        if let sizes = state.withLock({ $0.sizes }) { sink(.report(LoadReport.make(sizes))) }
        if plan.live != nil {
            sink(
                .notice(
                    Notice(
                        .notice,
                        "\(shown(options.live)) is the dump now; the old database is kept as \(shown(plan.previous))",
                        hint:
                            "go back with mediasync restore --undo; free its space with mediasync restore --drop-previous"
                    )
                )
            )
        } else {
            sink(.notice(Notice(.notice, "\(shown(options.live)) is the dump now")))
        }
        switch migration {
        case .needed(let count) where options.migrateCommand == nil:
            sink(
                .notice(
                    Notice(
                        .warning,
                        "the dump is of an older Mastodon: \(count) migrations are missing",
                        hint:
                            "before Mastodon starts: cd ~mastodon/live && RAILS_ENV=production bundle exec rails db:migrate"
                    )
                )
            )
        case .needed, .same, .unknown: break
        }
    }
}
