internal import MediaModel
internal import Pacing
internal import Programs
internal import Storage
internal import Wire

/// The agent of a further connection: hands it over to the first one's.
extension Agent {
    /// Hands the connection over, and waits until it is needed no more. Nothing was written to it yet.
    func handOver(_ join: WireJoin) throws(SyncError) {
        try checkVersion(join.version)
        // What was read beyond would be lost.
        if !connection.reader.isAtMessageEnd {
            throw FrameReader.problem(WireFault("something comes behind a join before it was answered"))
        }
        do throws(HandoverCall.Refusal) {
            let call = try HandoverCall(
                to: CarrierRequest.name(of: join.id),
                saying: CarrierRequest(join, limits).encoded(),
                input: input.raw,
                output: output.raw
            )
            call.waitForEnd()
            call.close()
        } catch {
            throw SyncError(.refused, "the further connection was not taken", why: error.reason)
        }
    }

    func checkVersion(_ version: UInt64) throws(SyncError) {
        if version == WireLimit.version { return }
        throw SyncError(
            .unusable,
            "the other end speaks another version of the protocol (\(version), not \(WireLimit.version))",
            hint: "install the same version on both machines"
        )
    }

    /// Hears the near end's answer to the welcome that was just sent, and tells what both took.
    func awaitGreeting() async throws(SyncError) {
        let greeting = Greeting()
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        guard let message = try await nextMessage(pool) else { throw FrameReader.ended }
        guard case .greeted = message else {
            throw FrameReader.problem(WireFault("a welcome is not answered"))
        }
        connection.send(greeting.answered)
    }

    /// Runs something beside the threads that take further connections over, where the hello speaks of any.
    func hosting<Result: Sendable>(
        _ hello: Hello,
        _ run: @Sendable (CarrierHost?) async throws(SyncError) -> Result
    ) async throws(SyncError) -> Result {
        guard let session = hello.session, let host = CarrierHost(session, limits) else { return try await run(nil) }
        let pool = WorkerPool(threads: host.desk.carriersMax)
        defer { pool.shutDown() }
        let outcome = await withTaskGroup(of: Void.self) { group in
            for _ in 0..<pool.started {
                group.addTask(executorPreference: pool) { host.serve() }
            }
            let outcome: Swift.Result<Result, SyncError>
            do throws(SyncError) { outcome = .success(try await run(host)) } catch { outcome = .failure(error) }
            host.stop()
            return outcome
        }
        host.close()
        return try outcome.get()
    }
}
