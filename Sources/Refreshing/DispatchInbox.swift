internal import Catalog
internal import Fetching
internal import Pacing

/// What others tell the dispatcher; nobody waits to tell it.
final class DispatchInbox: Sendable {
    enum Message: Sendable {
        /// A fetch ended without a file.
        case failed(RefreshItem, RemoteMedia, HostID, FetchFault, ticket: UInt64)
        /// A file arrived and was handed on.
        case arrived(HostID, PaceEnding, requests: Int, ticket: UInt64)
        /// An account's document arrived.
        case document(RefreshItem, RemoteMedia, HostID, FetchAnswer, ticket: UInt64)
        /// A file that a thumbnail waits for has reached its outcome.
        case fileDone(RefreshItem)
        /// There is room again, or the run stops.
        case look
    }

    private struct State {
        var messages: [Message] = []
        /// Items further down that may come back as others.
        var expected = 0
    }

    private let state = Monitor(State())

    func post(_ message: Message) {
        state.withLock { $0.messages.append(message) }
        state.wakeOne()
    }

    /// Something further down may lead to another item: until `fileDone` the run is not over.
    func expect() { state.withLock { $0.expected += 1 } }

    var isExpecting: Bool { state.withLock { $0.expected > 0 } }

    /// What was told meanwhile; waits for something until a moment (monotonic nanoseconds), where one is given.
    func take(waitingUntil deadline: Int64?) -> [Message] {
        let take: (inout State) -> [Message] = { state in
            defer { state.messages.removeAll(keepingCapacity: true) }
            for message in state.messages {
                if case .fileDone = message { state.expected -= 1 }
            }
            return state.messages
        }
        guard let deadline else { return state.withLock(take) }
        return state.wait(until: deadline) { $0.messages.isEmpty ? nil : take(&$0) } ?? []
    }
}
