internal import CCurl
internal import Pacing

/// What other threads tell the loop.
final class FetchInbox: Sendable {
    typealias Completion = @Sendable (Result<FetchAnswer, FetchFault>) -> Void

    enum Message: Sendable {
        case start(UInt64, FetchRequest, Completion)
        case cancel(UInt64)
        case stop
    }

    private struct State {
        var messages: [Message] = []
        var isEnded = false
    }

    private let state = Monitor(State())
    /// Owned by the loop, its one owner; others wake it only while they hold the lock and the loop has not ended.
    nonisolated(unsafe) let multi: UnsafeMutableRawPointer

    init(multi: UnsafeMutableRawPointer) {
        self.multi = multi
    }

    /// False once the loop has ended: the message was not taken.
    func put(_ message: Message) -> Bool {
        state.withLock { state in
            if state.isEnded { return false }
            // Whoever finds messages there has a wake-up under way.
            if state.messages.isEmpty { curl_multi_wakeup(multi) }
            state.messages.append(message)
            return true
        }
    }

    /// All messages; for the loop.
    func take() -> [Message] {
        state.withLock { state in
            guard !state.messages.isEmpty else { return [] }
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Ends the loop unless there is a message more; for the loop.
    func end() -> Bool {
        let ended = state.withLock { state in
            state.isEnded = state.messages.isEmpty
            return state.isEnded
        }
        if ended { state.wakeAll() }
        return ended
    }

    func waitForEnd() {
        state.wait { $0.isEnded ? () : nil }
    }
}
