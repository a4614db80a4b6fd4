package import MediaModel
import Synchronization

/// Intents in memory, with a hook between reading rows and changing them: an intent is opened there.
package final class MemoryIntents: IntentLog {
    private struct State {
        var open: [Int64: [RemovalIntent]] = [:]
        var next: Int64 = 1
        var opened = 0
    }

    private let state = Mutex(State())
    private let hook: @Sendable ([RemovalIntent]) throws(SyncError) -> Void

    package init(hook: @escaping @Sendable ([RemovalIntent]) throws(SyncError) -> Void = { _ in }) {
        self.hook = hook
    }

    /// Intents that are not closed.
    package var left: [RemovalIntent] { state.withLock { $0.open.sorted { $0.key < $1.key }.flatMap(\.value) } }
    /// Rows that were ever written down.
    package var opened: Int { state.withLock { $0.opened } }

    package func open(_ intents: [RemovalIntent]) throws(SyncError) -> Int64 {
        try hook(intents)
        return state.withLock { state in
            state.open[state.next] = intents
            state.opened += intents.count
            state.next += 1
            return state.next - 1
        }
    }

    package func close(_ number: Int64) throws(SyncError) { state.withLock { _ = $0.open.removeValue(forKey: number) } }

    package func pending(after number: Int64) throws(SyncError) -> (number: Int64, intents: [RemovalIntent])? {
        state.withLock { state in
            state.open.filter { $0.key > number }.min { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
    }
}
