internal import Dumps
internal import MediaModel
internal import Pacing
internal import Postgres

/// Loads a plain dump into the stage over several connections: rows as they are read, then indexes, then constraints.
struct PlainLoader: Sendable {
    let file: DumpFile
    /// Of a cluster the one that is read.
    let database: String?
    let session: StageSession
    let jobs: Int
    let progress: LoadProgress
    /// Says that a stage of the work begins.
    let stage: @Sendable (String) -> Void

    /// What was loaded.
    struct Outcome: Sendable {
        var sizes: TableSizes
        var postData: PostData
    }

    /// What the first stage found.
    private struct Rows: Sendable {
        var tables: [TableLoad]
        var postData: PostData
    }

    /// Threads of its own: one reads, the others each have a connection.
    func load() async throws(SyncError) -> Outcome {
        let pool = WorkerPool(threads: jobs + 1)
        defer { pool.shutDown() }
        let rows = try await loadRows(pool)
        let (sizes, postData) = (TableSizes(rows.tables), rows.postData)
        var steps = PostDataSteps(session: session, jobs: jobs, progress: progress, sizes: sizes, postData: postData)
        stage("index")
        try await steps.buildIndexes(pool)
        stage("constraints")
        try await steps.addConstraints(pool)
        stage("check")
        try await steps.finish(pool)
        return Outcome(sizes: sizes, postData: postData)
    }

    private func loadRows(_ pool: WorkerPool) async throws(SyncError) -> Rows {
        stage("load")
        let channel = LoadChannel(connections: jobs, progress: progress)
        let result = await withTaskGroup(of: Rows?.self) { group in
            for _ in 0..<jobs {
                group.addTask(executorPreference: pool) {
                    do throws(SyncError) {
                        try loadPieces(channel)
                    } catch {
                        channel.fail(error)
                        // The stage is lost: nobody needs to end what they are at.
                        session.cancellers.stop()
                    }
                    return nil
                }
            }
            group.addTask(executorPreference: pool) {
                do throws(SyncError) {
                    defer { channel.queue.close() }
                    return try read(channel)
                } catch {
                    channel.fail(error)
                    return nil
                }
            }
            var found: Rows?
            for await part in group { found = part ?? found }
            return found
        }
        if let error = channel.failure.value { throw error }
        guard let result else { throw SyncError(.unexpected, "the dump was not read") }
        return result
    }

    private func read(_ channel: LoadChannel) throws(SyncError) -> Rows {
        let connection = try translate("cannot connect to the staging database") { () throws(DatabaseFault) in
            try session.open()
        }
        let sink = LoadSink(connection, channel)
        let progress = progress
        try PlainDumpReader.read(file, database: database, into: sink) { progress.set(dumpBytes: $0) }
        try sink.finish()
        return Rows(tables: sink.tables, postData: sink.postData)
    }

    private func loadPieces(_ channel: LoadChannel) throws(SyncError) {
        let connection = try translate("cannot connect to the staging database") { () throws(DatabaseFault) in
            try session.open()
        }
        var worker = LoadWorker(connection, channel)
        try worker.run()
    }
}
