package import MediaModel
internal import Pacing
package import Postgres
package import Running

/// What follows a restore: back to the database that was live before it, or without it for good.
package final class PreviousEngine: Engine {
    package enum Action: Sendable {
        /// The newest one that was kept becomes live again; what was live is kept in its place.
        case undo
        /// All that were kept are dropped.
        case drop
    }

    private let action: Action
    private let live: String
    private let force: Bool
    private let isDryRun: Bool
    private let settings: ConnectionSettings
    private let run: RunID
    private let control: RunControl
    private let sink: EventSink

    package init(
        _ action: Action,
        live: String,
        force: Bool,
        isDryRun: Bool,
        settings: ConnectionSettings,
        run: RunID,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.action = action
        self.live = live
        self.force = force
        self.isDryRun = isDryRun
        self.settings = settings
        self.run = run
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { Counts() }
    package func abandon() {}
    package func totalCounter() -> (any TotalCounter)? { nil }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let failure = await Task(executorPreference: pool) { [self] () -> SyncError? in
            do throws(SyncError) {
                try await work()
                return nil
            } catch { return error }
        }.value
        return RunResult(counts: counts(), error: failure)
    }

    private func work() async throws(SyncError) {
        let administration = try Administration(settings)
        try administration.lock(run, name: live)
        let names = DatabaseNames(live: live)
        let previous = try Leftovers(of: names, administration).previous
        guard let newest = previous.first else {
            throw SyncError(
                .unusable,
                "there is no database to go back to",
                why: "none is called \(shown(names.live))_before_... and was kept by mediasync"
            )
        }
        if let reason = control.stopReason { throw reason }
        switch action {
        case .undo: try await undo(newest.facts, names, administration)
        case .drop: try drop(previous.map(\.facts), administration)
        }
    }

    private func undo(
        _ newest: DatabaseFacts,
        _ names: DatabaseNames,
        _ administration: Administration
    ) async throws(SyncError) {
        sink(.stage("swap"))
        let swap = Swap(
            live: live,
            incoming: newest.name,
            previous: names.previous(before: run),
            previousComment: DatabaseComment.previous(
                run,
                dump: try administration.database(live)?.restoredDump
            ),
            liveComment: newest.restoredDump?.comment,
            force: force
        )
        if isDryRun {
            sink(.notice(Notice(.notice, "would make \(shown(newest.name)) live again as \(shown(live))")))
            return
        }
        let versions = administration.collationVersions(of: newest.name)
        try await swap.perform(administration)
        if let notice = StageLocale.outdated(live, versions) { sink(.notice(notice)) }
        sink(
            .notice(
                Notice(
                    .notice,
                    "\(shown(live)) is again what was kept as \(shown(newest.name)); what it replaced is kept as \(shown(swap.previous))"
                )
            )
        )
    }

    private func drop(_ kept: [DatabaseFacts], _ administration: Administration) throws(SyncError) {
        sink(.stage("drop"))
        for facts in kept {
            if isDryRun {
                sink(.notice(Notice(.notice, "would drop \(shown(facts.name))")))
                continue
            }
            if let reason = control.stopReason { throw reason }
            try administration.drop(facts.name)
            sink(.notice(Notice(.notice, "dropped \(shown(facts.name))")))
        }
    }
}
