internal import ActivityPub
internal import Catalog
internal import Committing
internal import Imaging
package import MediaModel
internal import Pacing
package import Postgres
package import Running
package import Storage
internal import Synchronization

/// Fetches missing media of other servers again: looks at the rows and at the disk, plans, fetches politely, makes of the
/// bytes what Mastodon keeps, and changes rows beside a running Mastodon. In this order for each file: written down,
/// published, its row changed if it still says what was read, the old file removed. At no moment does a row name a file
/// that is not there, and a fetch that fails leaves row and files as they were.
package final class RefreshEngine: Engine {
    /// What an engine works with.
    package struct Parts: Sendable {
        package var settings: ConnectionSettings
        package var store: any MediaStore
        package var modes: StoreModes
        package var intents: any IntentLog
        package var memory: any RefreshMemory
        package var fetcher: any MediaFetching
        package var processor: any MediaProcessing
        package var caches: any CacheInvalidation

        package init(
            settings: ConnectionSettings,
            store: any MediaStore,
            modes: StoreModes,
            intents: any IntentLog,
            memory: any RefreshMemory,
            fetcher: any MediaFetching,
            processor: any MediaProcessing,
            caches: any CacheInvalidation = NoCaches()
        ) {
            self.settings = settings
            self.store = store
            self.modes = modes
            self.intents = intents
            self.memory = memory
            self.fetcher = fetcher
            self.processor = processor
            self.caches = caches
        }
    }

    private static let application = "mediasync refresh"
    /// Threads that look at files, that publish, and that remove.
    private static let lookers = 8
    private static let publishers = 8
    private static let removers = 2
    /// Files that wait between two stages.
    private static let waitingFiles = 64

    private let options: RefreshOptions
    private let parts: Parts
    private let decoders: Int
    private let control: RunControl
    private let sink: EventSink
    private let ledger: RefreshLedger
    private let figures = RefreshFigures()
    private let planTotal = PlanTotal()

    /// - Parameters:
    ///   - decoders: threads that make files; each has a decoder of its own.
    package init(
        options: RefreshOptions,
        parts: Parts,
        decoders: Int,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        self.options = options
        self.parts = parts
        self.decoders = decoders
        self.control = control
        self.sink = sink
        ledger = RefreshLedger(
            memory: parts.memory,
            sink: sink,
            reportsEveryItem: options.reportsEveryItem,
            dryRun: options.dryRun
        )
    }

    package func counts() -> Counts { ledger.counts }

    /// Media by kind, why some failed, and the hosts that were asked.
    package func table() -> (lines: [RefreshTallyLine], reasons: [(reason: String, count: Int)], hosts: RefreshHosts) {
        (ledger.lines, ledger.reasons, figures.hosts)
    }

    package func activity() -> [String] { figures.fields }

    package func sections() -> [ReportSection] {
        let (lines, reasons, hosts) = table()
        let kinds = ReportSection(
            title: "Fetched again, by kind",
            columns: ["kind", "seen", "fetched", "size", "present", "gone", "skipped", "changed", "failed"],
            rows: lines.map { line in
                let tally = line.tally
                let counts = [tally.present, tally.gone, tally.skipped, tally.superseded, tally.failed]
                return [line.title, "\(tally.seen)", "\(tally.fetched)", ByteCount.describe(tally.bytes)]
                    + counts.map { "\($0)" }
            }
        )
        let failures = ReportSection(
            title: "Failed, by reason",
            columns: ["reason", "failed"],
            rows: reasons.map { [$0.reason, "\($0.count)"] }
        )
        let slow = ReportSection(
            title: "Slowest hosts",
            columns: ["host", "seconds a file"],
            rows: hosts.slowest.map { [$0.name, "\((10 * $0.seconds).rounded() / 10)"] }
        )
        let throttled = hosts.throttled > 0 ? ", \(hosts.throttled) asked for a pause" : ""
        let silent = ReportSection(
            title: "Hosts that do not answer: \(hosts.silent) of \(hosts.asked)\(throttled)",
            columns: ["host"],
            rows: hosts.silentNames.map { [$0] }
        )
        return [kinds, failures, slow, silent].filter { !$0.rows.isEmpty }
    }

    /// What is half done is written down.
    package func abandon() {}

    package func totalCounter() -> (any TotalCounter)? { planTotal }

    /// What is published is still written into its rows.
    package var stopPatience: Duration { .seconds(9) }

    package func run() async -> RunResult {
        let begin = Host.monotonicNanoseconds()
        let deadline = options.durationMax.map { begin + Int64($0.nanoseconds) }
        // The dispatcher, who writes intents, and who writes rows have a thread each.
        let pool = WorkerPool(threads: 3 + decoders + Self.publishers + Self.removers)
        defer { pool.shutDown() }
        guard pool.started == 3 + decoders + Self.publishers + Self.removers else {
            return RunResult(counts: Counts(), error: SyncError(.exhausted, "too few threads can be started"))
        }
        let error = await withTaskExecutorPreference(pool) { () -> SyncError? in
            do throws(SyncError) {
                try await refresh(pool, until: deadline)
                return control.stopReason
            } catch {
                return control.stopReason ?? error
            }
        }
        if !options.dryRun { ledger.flush() }
        let counts = ledger.counts
        if error == nil, !counts.balances {
            let why = "\(counts.seen) media were seen, \(counts.finished) reached an outcome"
            let unbalanced = SyncError(.unexpected, "the run's account does not balance", why: why)
            return RunResult(counts: counts, error: unbalanced)
        }
        return RunResult(counts: counts, error: error)
    }

    // MARK: Stages

    private func refresh(_ pool: WorkerPool, until deadline: Int64?) async throws(SyncError) {
        let direct = try CatalogSession.connect(parts.settings, Self.application)
        var lock: DatabaseLock?
        if !options.dryRun { lock = try DatabaseLock.taken(by: direct.session, settings: parts.settings, sink: sink) }
        defer { lock?.release() }
        let session = try CatalogSession(parts.settings, application: Self.application)
        if !options.dryRun { try recover(direct) }
        let plan = RefreshPlan()
        try await look(session, plan, pool)
        if control.shouldStop { return }
        sink(
            .notice(
                Notice(
                    .notice,
                    "\(ledger.counts.seen) media looked at: \(plan.count) to fetch from \(plan.hostCount) hosts"
                )
            )
        )
        if options.dryRun { return pretend(plan) }
        let rules = try rules(session)
        let suspects = try session.read { (reader) throws(SyncError) in try reader.unavailableDomains() }
        let key = try instanceKey(session)
        sink(.stage("fetch"))
        try await fetch(plan, session, rules, key, suspects, pool, until: deadline)
    }

    /// What accounts' servers are asked is signed with the key of this server's own actor.
    private func instanceKey(_ session: CatalogSession) throws(SyncError) -> InstanceKey? {
        guard options.looksUpActors, !options.scope.kinds.isDisjoint(with: [.avatar, .header]) else { return nil }
        let pem = try session.read { (reader) throws(SyncError) in try reader.instanceKey() }
        guard let domain = options.webDomain, let pem else { return nil }
        return try InstanceKey(pem: pem, keyID: "https://\(domain)/actor#main-key")
    }

    private func rules(_ session: CatalogSession) throws(SyncError) -> ProcessingRules {
        if let rules = options.rules { return rules }
        let release = try session.read { (reader) throws(SyncError) in try reader.release() }
        let rules = ProcessingRules.mastodon(major: release.major, minor: release.minor, libvips: options.usesVips)
        let isGlitch = try session.read { (reader) throws(SyncError) in try reader.isGlitch() }
        return isGlitch ? rules.with(options.forkLimits) : rules
    }

    private func recover(_ reader: CatalogReader) throws(SyncError) {
        sink(.stage("recover"))
        let recovery = IntentRecovery(
            store: parts.store,
            intents: parts.intents,
            reader: reader,
            sink: sink,
            reportsEveryItem: options.reportsEveryItem
        )
        let result = try recovery.run()
        guard result.files + result.failed > 0 else { return }
        sink(.notice(Notice(.notice, "\(result.files) files that an earlier run left behind were removed")))
    }

    // MARK: Looking

    private func look(_ session: CatalogSession, _ plan: RefreshPlan, _ pool: WorkerPool) async throws(SyncError) {
        sink(.stage("look"))
        try checkRoot()
        let scope = try resolvedScope(session)
        try checkAccounts(scope, session)
        var gone: Set<MediaReference> = []
        var only = scope.rows.map { rows in
            Set(rows.flatMap { kind, ids in ids.map { MediaReference(kind: kind.rawValue, id: $0) } })
        }
        var chosen = scope
        if options.failedOnly {
            let failed = try parts.memory.failed()
            only = only.map { $0.intersection(failed) } ?? failed
            chosen.rows = Dictionary(grouping: only ?? []) { MediaKind(rawValue: $0.kind) ?? .upload }
                .mapValues { $0.map(\.id) }
        } else {
            gone = try parts.memory.gone(since: Host.wallClock().seconds - RefreshOptions.goneSeconds)
        }
        let selector = RefreshSelector(
            scope: chosen,
            rules: try session.read { (reader) throws(SyncError) in try reader.domainRules() },
            gone: gone,
            only: only,
            force: options.force,
            damaged: options.damaged,
            store: parts.store,
            plan: plan,
            ledger: ledger,
            control: control
        )
        let failure = await withTaskGroup(of: Void.self) { group -> SyncError? in
            for _ in 0..<Self.lookers { group.addTask(executorPreference: pool) { selector.look() } }
            do throws(SyncError) {
                // A page that was read twice would be counted twice: what breaks here ends the run.
                try session.readOnce { (reader) throws(SyncError) in try selector.read(reader) }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        planTotal.set(ledger.counts.seen)
    }

    /// Everything would look missing where a disk is not mounted, and would be fetched to the wrong place.
    private func checkRoot() throws(SyncError) {
        var names: Set<BytePath> = []
        do throws(FileFault) {
            try parts.store.list(.root) { name, _ in if names.count < 1000 { names.insert(name) } }
        } catch {
            throw error.syncError("cannot list the media root")
        }
        if names.contains(where: { name in
            MediaLayout.folders.contains { BytePath($0) == name } || name == MediaLayout.cacheFolder
        }) {
            return
        }
        if names.isEmpty {
            sink(
                .notice(
                    Notice(
                        .warning,
                        "the media root is empty",
                        hint: "check --media-root, and that its disk is mounted"
                    )
                )
            )
            return
        }
        throw SyncError(
            .refused,
            "the media root has none of Mastodon's folders",
            why: "it is another directory, or its disk is not mounted",
            hint: "check --media-root; nothing was changed"
        )
    }

    private func resolvedScope(_ session: CatalogSession) throws(SyncError) -> RemoteScope {
        var scope = options.scope
        switch options.interval {
        case .all: break
        case .days(let days):
            let now = try session.read { (reader) throws(SyncError) in try reader.now() }
            guard let limit = AgeLimit(days: days, before: now) else {
                throw SyncError(.usage, "\(days) is no number of days")
            }
            scope.since = limit.secondsSince1970
        case .daysBeforeDump(let days):
            guard let limit = AgeLimit(days: days, before: try dumpMoment(session) * 1_000_000) else {
                throw SyncError(.usage, "\(days) is no number of days")
            }
            scope.since = limit.secondsSince1970
        case .between(let since, let before):
            scope.since = since
            scope.before = before
        }
        tell("\(kindsInWords(scope))\(intervalInWords(scope))")
        return scope
    }

    /// When the dump was made that this database was restored from: as `restore` wrote it down, else as old as its newest
    /// post, which Mastodon moves on once it serves again. Seconds since 1970; which of them it is, is told.
    private func dumpMoment(_ session: CatalogSession) throws(SyncError) -> Int64 {
        let written = try session.read { (reader) throws(SyncError) in
            (dump: try reader.restoredDump(), now: try reader.now() / 1_000_000)
        }
        // A dump of the future is somebody's wrong clock.
        if let dump = written.dump, dump.madeAt <= written.now {
            tell("counted from the dump that was restored, made \(UTCTime(secondsSince1970: dump.madeAt).iso8601)")
            return dump.madeAt
        }
        let newest = try session.read { (reader) throws(SyncError) in try reader.newestPost() }
        guard let newest else {
            throw SyncError(.unusable, "the database has no posts: nothing says how old its dump is")
        }
        let moment = UTCTime(secondsSince1970: newest).iso8601
        tell("counted from the newest post, \(moment): the database does not say of which dump it was made")
        return newest
    }

    private func tell(_ message: String) { sink(.notice(Notice(.notice, message))) }

    private func kindsInWords(_ scope: RemoteScope) -> String {
        MediaKind.allCases.filter { scope.kinds.contains($0) }.map { "remote \($0.title)" }.joined(separator: ", ")
    }

    private func intervalInWords(_ scope: RemoteScope) -> String {
        let since = scope.since.map { " received since \(UTCTime(secondsSince1970: $0).iso8601)" }
        let before = scope.before.map { " until \(UTCTime(secondsSince1970: $0).iso8601)" }
        return "\(since ?? "")\(before ?? "")"
    }

    /// A name that is misspelled would be a run that finds nothing.
    private func checkAccounts(_ scope: RemoteScope, _ session: CatalogSession) throws(SyncError) {
        for name in scope.accounts {
            let isThere = try session.read { (reader) throws(SyncError) in try reader.hasAccount(name) }
            guard !isThere else { continue }
            throw SyncError(
                .unusable,
                "no account \(BytePath("\(name.user)@\(name.domain)")) in the database",
                hint: "check the spelling; nothing was changed"
            )
        }
    }

    /// A dry run ends here: what would be fetched.
    private func pretend(_ plan: RefreshPlan) {
        for entry in plan.take().entries {
            ledger.fetched(entry.item, at: nil, bytes: 0, written: 0)
            if entry.item.thumbnailHost != nil {
                ledger.fetched(RefreshItem(.thumbnail, entry.item.id), at: nil, bytes: 0, written: 0)
            }
        }
    }

    // MARK: Fetching

    private func fetch(
        _ plan: RefreshPlan,
        _ session: CatalogSession,
        _ rules: ProcessingRules,
        _ key: InstanceKey?,
        _ suspects: [String],
        _ pool: WorkerPool,
        until deadline: Int64?
    ) async throws(SyncError) {
        let ample = 4 * decoders
        let arrivals = Arrivals(countMax: options.pace.inFlight + ample, ample: ample)
        let inbox = DispatchInbox()
        let made = BoundedQueue<NewFile>(capacity: Self.waitingFiles)
        let named = BoundedQueue<PublishStage.Ticket>(capacity: Self.waitingFiles)
        let published = BoundedQueue<PublishStage.Ticket>(capacity: 4 * Self.waitingFiles)
        let process = ProcessStage(
            arrivals: arrivals,
            processor: parts.processor,
            rules: rules,
            namer: FileNamer(schema: session.schema),
            store: parts.store,
            output: made,
            inbox: inbox,
            ledger: ledger,
            control: control
        )
        let publish = PublishStage(
            store: parts.store,
            modes: parts.modes,
            intents: parts.intents,
            input: made,
            named: named,
            published: published,
            inbox: inbox,
            ledger: ledger,
            control: control
        )
        let commit = CommitStage(
            settings: parts.settings,
            store: parts.store,
            input: published,
            inbox: inbox,
            ledger: ledger,
            control: control,
            caches: parts.caches
        )
        let dispatcher = Dispatcher(
            options: options,
            rules: rules,
            key: key,
            session: session,
            store: parts.store,
            fetcher: parts.fetcher,
            arrivals: arrivals,
            inbox: inbox,
            ledger: ledger,
            control: control,
            figures: figures,
            plan: plan,
            suspects: suspects
        )
        let failure = await withTaskGroup(of: SyncError?.self) { group -> SyncError? in
            // Each stage ends when the one before has, and closes what the next one takes from.
            Self.add(decoders, to: &group, pool, process.work, atEnd: made.close)
            group.addTask(executorPreference: pool) {
                publish.writeIntents()
                return nil
            }
            Self.add(Self.publishers, to: &group, pool, publish.publish, atEnd: published.close)
            group.addTask(executorPreference: pool) {
                do throws(SyncError) {
                    try commit.commit()
                    return nil
                } catch {
                    return error
                }
            }
            for _ in 0..<Self.removers {
                group.addTask(executorPreference: pool) {
                    commit.remove()
                    return nil
                }
            }
            var failure: SyncError?
            do throws(SyncError) {
                // This thread dispatches; the others have theirs.
                try dispatcher.run(until: deadline)
            } catch {
                control.stop(error)
                failure = error
            }
            arrivals.close()
            // A video may take minutes: whoever asked to stop does not wait for it.
            if control.shouldStop { parts.processor.shutDown() }
            for await error in group { failure = failure ?? error }
            return failure
        }
        if let failure { throw failure }
    }

    /// Adds workers; the last one to end closes what they wrote to.
    private static func add(
        _ count: Int,
        to group: inout TaskGroup<SyncError?>,
        _ pool: WorkerPool,
        _ work: @escaping @Sendable () -> Void,
        atEnd: @escaping @Sendable () -> Void
    ) {
        let left = Countdown(count)
        for _ in 0..<count {
            group.addTask(executorPreference: pool) {
                work()
                if left.isLast() { atEnd() }
                return nil
            }
        }
    }

    private final class Countdown: Sendable {
        private let left: Atomic<Int>
        init(_ count: Int) { left = Atomic(count) }
        func isLast() -> Bool { left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
    }
}

/// The total of a run that makes its plan first: known once that is made.
final class PlanTotal: TotalCounter {
    private let value = Mutex<Int?>(nil)

    var total: Int? { value.withLock { $0 } }
    var isFree: Bool { true }
    func set(_ total: Int) { value.withLock { $0 = total } }
    func run() async {}
    func stop() {}
}
