internal import Dumps
internal import MediaModel
internal import Pacing
internal import Postgres

/// What follows the rows: indexes in parallel, largest first; then constraints, which take the indexes over at once; then,
/// in parallel again, the checks of foreign keys, materialized views, statistics and the counting of rows.
struct PostDataSteps {
    let session: StageSession
    let jobs: Int
    let progress: LoadProgress
    let sizes: TableSizes
    let postData: PostData
    /// Indexes of what is only made behind the rows.
    private var lateIndexes: [PostData.Index] = []

    init(session: StageSession, jobs: Int, progress: LoadProgress, sizes: TableSizes, postData: PostData) {
        self.session = session
        self.jobs = jobs
        self.progress = progress
        self.sizes = sizes
        self.postData = postData
    }

    /// One piece of work for a connection.
    struct Step: Sendable {
        var sql: [UInt8]
        /// For people: `index on statuses`.
        var what: String
        var isIndex = false
        /// For errors.
        var table: TableName?
        var line: Int?
        var job: JobBoard.Job
        /// Whether the server's own parallel workers may help.
        var mayUseHelpers = false
        /// Looks at the answer.
        var check: (@Sendable (Rows) -> SyncError?)?
    }

    mutating func buildIndexes(_ pool: WorkerPool) async throws(SyncError) {
        var steps: [Step] = []
        let existing = try await on(pool) { (connection) throws(DatabaseFault) in try Self.relations(connection) }
        for index in postData.indexes {
            guard existing.contains(index.table) else {
                lateIndexes.append(index)
                continue
            }
            let cost = sizes.cost(of: index.table)
            steps.append(
                Step(
                    sql: index.sql,
                    what: "index on \(index.table)",
                    isIndex: true,
                    table: index.table,
                    line: index.statement.line,
                    job: JobBoard.Job(cost: cost),
                    mayUseHelpers: true
                )
            )
        }
        try await run(steps, on: pool)
    }

    /// Constraints, late definitions, foreign keys and triggers, one after the other: each is a change of the catalogue and
    /// takes no time, and in parallel they would wait for each other's locks.
    func addConstraints(_ pool: WorkerPool) async throws(SyncError) {
        progress.addIndexes(lateIndexes.count)
        var steps: [(sql: [UInt8], line: Int)] = postData.constraints.map { ($0.sql, $0.statement.line) }
        steps += postData.late.map { ($0.sql, $0.line) }
        steps += lateIndexes.map { ($0.sql, $0.statement.line) }
        for key in postData.foreignKeys {
            steps.append((key.parts.map { Array($0.add.utf8) } ?? key.statement.sql, key.statement.line))
        }
        steps += postData.triggers.map { ($0.sql, $0.line) }
        progress.add(steps: steps.map { _ in 1 })
        let progress = progress
        let all = steps
        try await on(pool) { (connection) throws(SyncError) in
            for step in all {
                do throws(DatabaseFault) { _ = try connection.query(bytes: step.sql) } catch {
                    throw LoadError.make(error, table: nil, line: step.line)
                }
                progress.finish(cost: 1)
            }
        }
    }

    /// The checks of foreign keys, the materialized views, statistics, and the count of every table's rows.
    func finish(_ pool: WorkerPool) async throws(SyncError) {
        var lanes: [TableName: Int] = [:]
        func lane(_ table: TableName) -> Int {
            if let lane = lanes[table] { return lane }
            lanes[table] = lanes.count + 1
            return lanes.count
        }
        var steps: [Step] = []
        for key in postData.foreignKeys {
            guard let parts = key.parts else { continue }
            let job = JobBoard.Job(cost: sizes.cost(of: key.table), lane: lane(key.table))
            steps.append(
                Step(
                    sql: Array(parts.validate.utf8),
                    what: "check of \(key.table)",
                    table: key.table,
                    line: key.statement.line,
                    job: job
                )
            )
        }
        for refresh in postData.refreshes {
            // A view may read one that stands before it.
            let job = JobBoard.Job(cost: sizes.total / 10, lane: 0, keepsOrder: true)
            steps.append(Step(sql: refresh.sql, what: "a view", table: nil, line: refresh.line, job: job))
        }
        for entry in sizes.entries {
            let cost = sizes.cost(of: entry.table) / 4
            let lane = lane(entry.table)
            let name = entry.table.sql
            steps.append(
                Step(
                    sql: Array("ANALYZE \(name)".utf8),
                    what: "statistics of \(entry.table)",
                    table: entry.table,
                    job: JobBoard.Job(cost: cost, lane: lane)
                )
            )
            var count = Step(
                sql: Array("SELECT count(*) FROM ONLY \(name)".utf8),
                what: "rows of \(entry.table)",
                table: entry.table,
                job: JobBoard.Job(cost: cost, lane: nil)
            )
            count.check = { entry.mismatch(found: $0.only?.integer) }
            steps.append(count)
        }
        try await run(steps, on: pool)
        let loaded = Set(sizes.entries.map(\.table))
        try await on(pool) { (connection) throws(DatabaseFault) in
            // Tables that the dump has no rows of, and materialized views.
            for table in try Self.relations(connection).subtracting(loaded) {
                try connection.execute("ANALYZE \(table.sql)")
            }
        }
    }

    // MARK: Running

    /// Runs steps over all connections.
    private func run(_ steps: [Step], on pool: WorkerPool) async throws(SyncError) {
        guard !steps.isEmpty else { return }
        progress.add(steps: steps.map(\.job.cost))
        let runner = JobRunner(JobBoard(steps.map(\.job), workers: jobs))
        let failure = FirstError()
        let (session, progress) = (session, progress)
        await withTaskGroup { group in
            for _ in 0..<min(jobs, steps.count) {
                group.addTask(executorPreference: pool) {
                    do throws(SyncError) {
                        let connection = try translate("cannot connect to the staging database") {
                            () throws(DatabaseFault) in try session.open()
                        }
                        var helpersNow = 0
                        try runner.work { (job, helpers) throws(SyncError) in
                            let step = steps[job]
                            progress.begin(step.what)
                            let rows: Rows
                            do throws(DatabaseFault) {
                                let wanted = step.mayUseHelpers ? helpers : 0
                                if wanted != helpersNow {
                                    try connection.execute("SET max_parallel_maintenance_workers = \(wanted)")
                                    helpersNow = wanted
                                }
                                rows = try connection.query(bytes: step.sql)
                            } catch {
                                throw LoadError.make(error, table: step.table, line: step.line)
                            }
                            if let error = step.check?(rows) { throw error }
                            progress.finish(cost: step.job.cost)
                            if step.isIndex { progress.addIndexes() }
                        }
                    } catch {
                        failure.record(error)
                        runner.stop()
                        // The stage is lost: an index that takes hours is not waited for.
                        session.cancellers.stop()
                    }
                }
            }
        }
        if let error = failure.value { throw error }
    }

    /// Runs `body` with a connection of its own on a thread of the pool.
    private func on<Result: Sendable, Failure: Error>(
        _ pool: WorkerPool,
        _ body: @escaping @Sendable (Connection) throws(Failure) -> Result
    ) async throws(SyncError) -> Result {
        let session = session
        let outcome = await Task(executorPreference: pool) { () -> Swift.Result<Result, SyncError> in
            do {
                return .success(try body(try session.open()))
            } catch let error as SyncError {
                return .failure(error)
            } catch let fault as DatabaseFault {
                return .failure(fault.syncError("cannot work in the staging database"))
            } catch {
                return .failure(SyncError(.unexpected, "cannot work in the staging database", why: "\(error)"))
            }
        }.value
        return try outcome.get()
    }

    private static func relations(_ connection: Connection) throws(DatabaseFault) -> Set<TableName> {
        let rows = try connection.query(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            """
        )
        return Set(rows.map { TableName(schema: $0[0].text ?? "", name: $0[1].text ?? "") })
    }
}
