internal import Dumps
internal import MediaModel
internal import Postgres
internal import Running
internal import Synchronization

/// Filling the stage, and everything that must be true of it before it goes live.
extension RestoreEngine {
    /// Makes the stage like the live database; where there is none, like the one that was dumped.
    func makeStage(
        _ plan: RestorePlan,
        _ database: DatabaseInspection,
        _ administration: Administration
    ) throws(SyncError) {
        let dumped = database.definition?.locale
        let comment = DatabaseComment.stage(run)
        var reason: DatabaseFault?
        for locale in StageLocale.candidates(live: plan.live, dumped: dumped) {
            reason = try administration.create(plan.stage, owner: plan.owner, locale: locale, comment: comment)
            if reason == nil { return }
        }
        if let live = plan.live, let reason {
            var fault = reason.syncError(
                "cannot make a database with the collation of \(shown(live.name)): \(live.locale)"
            )
            fault.hint = "install the locale on the server, or restore into another name with --into"
            throw fault
        }
        _ = try administration.create(plan.stage, owner: plan.owner, locale: nil, comment: comment)
        if let dumped { sink(.notice(StageLocale.unknown(dumped))) }
    }

    /// What a person should know of text that is sorted by other rules, or by other versions of them.
    func tellOfCollation(
        _ database: DatabaseInspection,
        live: DatabaseFacts?,
        _ administration: Administration
    ) {
        if let notice = StageLocale.difference(dumped: database.definition?.locale, live: live) {
            sink(.notice(notice))
        }
        guard let live else { return }
        let versions = administration.collationVersions(of: live.name)
        if let notice = StageLocale.outdated(live.name, versions) { sink(.notice(notice)) }
    }

    func fill(
        _ plan: RestorePlan,
        _ file: DumpFile,
        _ program: RestoreProgram?,
        _ database: DatabaseInspection
    ) async throws(SyncError) {
        let session = StageSession(
            settings: plan.settings,
            role: plan.role,
            memoryMebibytes: options.memoryOfOne,
            cancellers: cancellers
        )
        let mayBeUnchecked: Bool
        if let program {
            let loader = ArchiveLoader(
                file: file,
                program: program,
                inspection: database,
                session: session,
                jobs: options.jobs,
                progress: progressValue,
                control: control,
                directory: options.spoolDirectory,
                environment: options.environment,
                stage: { [self] name in begin(name, WorkProgress(unit: .steps)) }
            )
            try await loader.load()
            account(TableSizes(database.tables))
            mayBeUnchecked = true
        } else {
            let loader = PlainLoader(
                file: file,
                database: file.kind == .cluster ? database.name : nil,
                session: session,
                jobs: options.jobs,
                progress: progressValue,
                stage: { [self] name in
                    let isLoad = name == "load"
                    begin(name, isLoad ? WorkProgress(total: file.size, unit: .bytes) : WorkProgress(unit: .steps))
                }
            )
            let outcome = try await loader.load()
            try compare(outcome.sizes, database)
            account(outcome.sizes)
            mayBeUnchecked = outcome.postData.foreignKeys.contains { $0.parts == nil }
        }
        try file.checkUnchanged()
        begin("verify", nil)
        let connection = try translate("cannot connect to the staging database") { () throws(DatabaseFault) in
            try session.open()
        }
        try StageVerification(inspection: database, mayBeUnchecked: mayBeUnchecked).check(connection)
    }

    /// Brings the stage to the installed Mastodon's schema, where a command for that was given.
    func migrate(_ plan: RestorePlan, _ migration: RestoreGuards.Migration) throws(SyncError) {
        guard let command = options.migrateCommand, migration != .same else { return }
        begin("migrate", nil)
        let control = control
        try MigrateCommand(
            command: command,
            settings: plan.settings,
            environment: options.environment,
            shouldStop: { control.shouldStop }
        ).run()
    }

    /// The second pass must have found what the first one counted.
    private func compare(_ sizes: TableSizes, _ database: DatabaseInspection) throws(SyncError) {
        let filled = database.tables.filter { $0.value.rows > 0 }
        for (table, content) in filled {
            guard let entry = sizes[table], entry.rowsRead == content.rows else {
                throw SyncError(
                    .unexpected,
                    "the table \(table) was not loaded as it was inspected",
                    why: "\(content.rows) rows inspected, \(sizes[table]?.rowsRead ?? 0) loaded"
                )
            }
        }
    }

    private func account(_ sizes: TableSizes) {
        for entry in sizes.entries {
            sink(
                .item(
                    ItemEvent(
                        path: BytePath(entry.table.description),
                        kind: .file,
                        outcome: .copied,
                        changes: [.new, .content],
                        bytes: Int64(entry.bytes)
                    )
                )
            )
        }
        state.withLock { state in
            state.sizes = sizes
            state.counts.seen = sizes.entries.count
            state.counts.copied = sizes.entries.count
            state.counts.bytesWritten = sizes.entries.reduce(0) { $0 + Int64($1.bytes) }
        }
    }

    /// Settings, limits and rights of the old database, which no dump holds.
    func inherit(_ plan: RestorePlan, _ administration: Administration) throws(SyncError) {
        guard let live = plan.live else { return }
        let heritage = DatabaseHeritage(from: live.name, to: plan.stage)
        for refused in try heritage.copy(administration.connection) {
            sink(.notice(Notice(.warning, "the new database does not get \(refused)", hint: "set it as a superuser")))
        }
    }
}
