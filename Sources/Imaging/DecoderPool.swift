internal import MediaModel
internal import Synchronization

/// Children that decode pictures: one for each call that is under way, kept for the next call when it is done.
final class DecoderPool: ImageWork {
    private struct State {
        var idle: [(child: DecoderChild, served: Int)] = []
        /// All that live, so that they can be killed.
        var all: [ObjectIdentifier: DecoderChild] = [:]
        var isStopping = false
    }

    private let program: BytePath
    private let limits: ProcessingLimits
    private let state = Mutex(State())

    init(program: BytePath, limits: ProcessingLimits) {
        self.program = program
        self.limits = limits
    }

    func run(_ task: ImageTask, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        let (child, served) = try take()
        let order = DecodeRequest(task: task, request: request)
        do throws(ProcessingFault) {
            let media = try child.ask(order, within: limits.pictureTime)
            giveBack(child, served: served + 1)
            return media
        } catch {
            // What a sound child says of a file is no reason to end it.
            switch error.kind {
            case .crashed, .timedOut, .outOfMemory, .unavailable: discard(child)
            default: giveBack(child, served: served + 1)
            }
            throw state.withLock { $0.isStopping } ? ProcessingFault(.stopped, "the run was stopped") : error
        }
    }

    private func take() throws(ProcessingFault) -> (DecoderChild, Int) {
        let found = state.withLock { state -> Result<(DecoderChild, Int)?, ProcessingFault> in
            if state.isStopping { return .failure(ProcessingFault(.stopped, "the run was stopped")) }
            return .success(state.idle.popLast().map { ($0.child, $0.served) })
        }
        if let found = try found.get() { return found }
        let child = try DecoderChild(program: program, limits: limits)
        let isStopping = state.withLock { state in
            if !state.isStopping { state.all[ObjectIdentifier(child)] = child }
            return state.isStopping
        }
        if isStopping { throw ProcessingFault(.stopped, "the run was stopped") }
        return (child, 0)
    }

    private func giveBack(_ child: DecoderChild, served: Int) {
        let isKept = state.withLock { state in
            guard !state.isStopping, served < limits.picturesPerChild else { return false }
            state.idle.append((child, served))
            return true
        }
        if !isKept { discard(child) }
    }

    private func discard(_ child: DecoderChild) {
        state.withLock { _ = $0.all.removeValue(forKey: ObjectIdentifier(child)) }
        child.process.kill()
        _ = child.process.wait()
    }

    /// How many children live.
    var count: Int { state.withLock { $0.all.count } }

    /// Kills all children; calls that are under way fail as stopped.
    func shutDown() {
        let children = state.withLock { state in
            state.isStopping = true
            state.idle = []
            defer { state.all = [:] }
            return Array(state.all.values)
        }
        for child in children { child.process.kill() }
        for child in children { _ = child.process.wait() }
    }
}
