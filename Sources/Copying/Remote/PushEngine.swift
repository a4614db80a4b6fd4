package import MediaModel
internal import Pacing
package import Running
package import Storage
internal import Synchronization
internal import Wire

/// Copies a directory to another machine: sends it, and tells what the other machine makes of it.
package final class PushEngine: Engine {
    private let sourcePath: BytePath
    private let place: RemotePlace
    private let way: FarEnd.Way
    private let options: CopyOptions
    private let run: RunID
    private let host: Host
    private let control: RunControl
    private let sink: EventSink
    private let connections: FarConnections?
    private let latest = Mutex(Counts())
    private let far = Mutex<FarEnd?>(nil)
    /// What the other end said at its end.
    private let verdict = Mutex<SyncError??>(nil)
    /// What went wrong with the connection.
    private let problem = Mutex<SyncError?>(nil)

    package init(
        source: BytePath,
        target place: RemotePlace,
        way: FarEnd.Way,
        options: CopyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        sink: @escaping EventSink,
        connections: FarConnections? = nil
    ) {
        self.connections = connections
        sourcePath = source
        self.place = place
        self.way = way
        self.options = options
        self.run = run
        self.host = host
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts {
        var counts = latest.withLock { $0 }
        counts.bytesTransferred = far.withLock { $0 }?.bytesTransferred ?? 0
        return counts
    }

    package func totalCounter() -> (any TotalCounter)? {
        EntryCounter(root: sourcePath, options: options, host: host)
    }

    /// The other end is asked to stop, which it hears when the connection ends, and clears up behind itself.
    package var stopPatience: Duration { .seconds(8) }

    package func abandon() {
        far.withLock { $0 }?.abandon()
    }

    package func run() async -> RunResult {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        return await withTaskExecutorPreference(pool) {
            var failure: SyncError?
            do throws(SyncError) { try await self.push() } catch { failure = error }
            let counts = self.counts()
            let said = self.verdict.withLock { $0 }
            var error = failure
            if error == nil, let said { error = said }
            if let reason = self.control.stopReason { error = reason }
            if error == nil, !counts.balances {
                error = SyncError(.unexpected, "the run's account does not balance")
            }
            return RunResult(counts: counts, error: error)
        }
    }

    private func push() async throws(SyncError) {
        let source = try TreePair.openSource(sourcePath)
        defer { source.close() }
        let guards = Guards(source: source, sourcePath: sourcePath, target: .none)
        if options.delete, options.comparison == nil { try guards.checkDeletion() }
        if let hint = guards.layoutHint() { sink(.notice(hint)) }
        let facts = TreeSender.facts(of: source)
        let far = FarEnd(
            place,
            way,
            try Hello(.receive, place, options, run: run, source: facts),
            fileList: options.fileList,
            connections: connections
        )
        self.far.withLock { $0 = far }
        let problem = await far.serving { () async -> SyncError? in
            do throws(SyncError) {
                let welcome = try far.start(self.control)
                try await self.send(source, far, directories: welcome.directories)
                return nil
            } catch {
                return error
            }
        }
        if let problem { throw problem }
    }

    /// How long a further connection's end is not believed to be the run's.
    private static let carrierPatienceNanoseconds: Int64 = 1_000_000_000

    private func send(_ source: HeldDirectory, _ far: FarEnd, directories: UInt32) async throws(SyncError) {
        let sender = try TreeSender(
            root: source,
            options: options,
            run: run,
            host: host,
            control: control,
            connection: far.connection,
            desk: far.carriers.desk,
            directories: directories
        )
        let pool = WorkerPool(threads: 2)
        defer { pool.shutDown() }
        let isOver = Latch()
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: pool) {
                do throws(SyncError) { try self.read(far, sender) } catch {
                    let explained = far.explain(error)
                    self.problem.withLock { $0 = $0 ?? explained }
                }
                isOver.set()
                sender.close()
                far.connection.finish()
            }
            group.addTask(executorPreference: pool) {
                // A stop is heard there when nothing more comes.
                while !self.control.shouldStop, !isOver.wait(upTo: 20_000_000) {}
                sender.close()
                if !isOver.isSet { far.connection.finish() }
            }
            group.addTask {
                await sender.useCarriers { carrier, error in
                    // The other end may be about to say why it ends.
                    let patience = FrameReader.isEnd(error) ? Self.carrierPatienceNanoseconds : 0
                    if isOver.wait(upTo: patience) { return }
                    let explained = far.explain(error, of: carrier)
                    self.problem.withLock { $0 = $0 ?? explained }
                    sender.close()
                    far.connection.finish()
                }
            }
            await sender.run()
        }
        if let problem = problem.withLock({ $0 }), !control.shouldStop { throw problem }
    }

    /// How long the other end may take to clear up after a stop.
    private static let patienceNanoseconds: Int64 = 6_000_000_000

    private func read(_ far: FarEnd, _ sender: TreeSender) throws(SyncError) {
        var deadline = Int64.max
        while true {
            let message = try far.connection.reader.next {
                if self.control.shouldStop, deadline == .max {
                    deadline = Host.monotonicNanoseconds() + Self.patienceNanoseconds
                }
                return Host.monotonicNanoseconds() < deadline
            }
            guard let message else {
                throw FrameReader.ended
            }
            if case .finished(let counts, let error) = message {
                latest.withLock { $0 = counts }
                verdict.withLock { $0 = .some(error) }
                return
            }
            if case .failure(let error) = message { throw error }
            if tell(message) || far.hear(message) { continue }
            do throws(WireFault) {
                if try sender.take(message) { continue }
                throw WireFault("a message comes that nobody waits for")
            } catch { throw FrameReader.problem(error) }
        }
    }

    /// Hands on what the other end tells about its work.
    private func tell(_ message: Message) -> Bool {
        switch message {
        case .stage(let name): sink(.stage(name))
        case .item(let item): sink(.item(item))
        case .notice(let notice): sink(.notice(notice))
        case .counts(let counts): latest.withLock { $0 = counts }
        default: return false
        }
        return true
    }
}
