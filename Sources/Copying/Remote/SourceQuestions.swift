internal import MediaModel
internal import Pacing
internal import Wire

/// Asks the sender about entries once more, when everything that it named is in place. Who asks waits for the answer.
final class SourceQuestions: Sendable {
    private enum Question {
        /// Of so many names.
        case names(Int)
        case entry(BytePath)
    }

    private enum Reply {
        case areGone([Bool])
        case entry(WireBatch)
    }

    private struct State {
        var next: UInt32 = 0
        var asked: [UInt32: Question] = [:]
        var replies: [UInt32: Reply] = [:]
        var isClosed = false
    }

    private let connection: WireConnection
    private let state = Monitor(State())

    init(connection: WireConnection) {
        self.connection = connection
    }

    /// Which of some names the source certainly does not have; nil where the connection ended.
    func areGone(_ names: [BytePath], in directory: BytePath) -> [Bool]? {
        guard let id = open(.names(names.count)) else { return nil }
        connection.send(.ask(Ask(id: id, names: AskedNames(directory: directory, names: names))))
        guard case .areGone(let areGone)? = reply(to: id) else { return nil }
        return areGone
    }

    /// An entry as the source has it now, as a batch of one that is to be answered; nil where the connection ended.
    func entry(_ name: BytePath, in directory: BytePath) -> WireBatch? {
        guard let id = open(.entry(name)) else { return nil }
        connection.send(.askEntry(Ask(id: id, names: AskedNames(directory: directory, names: [name]))))
        guard case .entry(let batch)? = reply(to: id) else { return nil }
        return batch
    }

    private func open(_ question: Question) -> UInt32? {
        state.withLock { state in
            if state.isClosed { return nil }
            defer { state.next &+= 1 }
            state.asked[state.next] = question
            return state.next
        }
    }

    private func reply(to id: UInt32) -> Reply? {
        state.wait { state -> Reply?? in
            if let reply = state.replies.removeValue(forKey: id) { return .some(reply) }
            return state.isClosed ? .some(nil) : nil
        }
    }

    // MARK: The thread that reads the connection

    /// Takes an answer; it must be one to a question.
    func take(_ answer: AskAnswer) throws(WireFault) {
        guard case .names(let count)? = state.withLock({ $0.asked.removeValue(forKey: answer.id) }) else {
            throw WireFault("an answer comes without a question")
        }
        if answer.areGone.count != count { throw WireFault("an answer is of other names than the question") }
        deliver(.areGone(answer.areGone), to: answer.id)
    }

    func take(_ batch: WireBatch) throws(WireFault) {
        guard case .entry(let name)? = state.withLock({ $0.asked.removeValue(forKey: batch.directory) }) else {
            throw WireFault("an answer comes without a question")
        }
        if batch.entries.map(\.name) != [name] { throw WireFault("an answer is of other names than the question") }
        deliver(.entry(batch), to: batch.directory)
    }

    private func deliver(_ reply: Reply, to id: UInt32) {
        state.withLock { $0.replies[id] = reply }
        state.wakeAll()
    }

    /// No more answers come.
    func close() {
        state.withLock { $0.isClosed = true }
        state.wakeAll()
    }
}
