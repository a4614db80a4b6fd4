package import MediaModel
internal import Synchronization

/// Whether a run goes on: asked by every worker before each piece of work, told by signals, limits and errors that nothing
/// else will survive.
package final class RunControl: Sendable {
    private let stopping = Atomic<Bool>(false)
    private let reason = Mutex<SyncError?>(nil)

    package init() {}

    /// True once the run must stop: start nothing new, finish or undo what is half done.
    package var shouldStop: Bool { stopping.load(ordering: .relaxed) }

    /// Stops the run. The first reason stays.
    package func stop(_ error: SyncError) {
        reason.withLock { if $0 == nil { $0 = error } }
        stopping.store(true, ordering: .releasing)
    }

    /// Why the run was stopped; nil while it goes on.
    package var stopReason: SyncError? { reason.withLock { $0 } }
}
