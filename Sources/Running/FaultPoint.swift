#if DEBUG
    internal import Glibc
    internal import Synchronization
#endif

/// A step of the commit order at which a debug build can be made to die, as a kill or a power cut ends it, so that tests
/// see what the next run finds. Release builds know nothing of it.
package enum FaultPoint: String, Sendable, CaseIterable {
    /// What is about to be done is written down.
    case intentOpened = "intent-opened"
    /// A new file has its name, and no row names it yet.
    case filePublished = "file-published"
    /// Rows are changed, and nobody knows yet.
    case rowsUpdated = "rows-updated"
    case rowsCommitted = "rows-committed"
    /// The new database is live, and nobody knows yet.
    case databaseSwapped = "database-swapped"
    /// One file of several is gone.
    case fileRemoved = "file-removed"
    /// All files of a batch are gone, and it is still written down.
    case filesRemoved = "files-removed"

    /// The process reaches this step. `MEDIASYNC_FAULT=rows-updated:2:kill` ends it there the second time, `:stop` halts it
    /// until somebody continues it.
    package func reach() {
        #if DEBUG
            FaultPlan.current?.reach(self)
        #endif
    }
}

#if DEBUG
    /// What the environment asks for: the one place in an engine that looks there.
    private final class FaultPlan: Sendable {
        static let current = getenv("MEDIASYNC_FAULT").flatMap { FaultPlan(String(cString: $0)) }

        private let point: FaultPoint
        private let signal: Int32
        private let left: Atomic<Int>

        private init?(_ text: String) {
            let parts = text.split(separator: ":")
            guard parts.count == 3, let point = FaultPoint(rawValue: String(parts[0])), let number = Int(parts[1])
            else {
                return nil
            }
            self.point = point
            signal = parts[2] == "stop" ? SIGSTOP : SIGKILL
            left = Atomic(number)
        }

        func reach(_ reached: FaultPoint) {
            guard reached == point, left.wrappingSubtract(1, ordering: .relaxed).newValue == 0 else { return }
            kill(getpid(), signal)
        }
    }
#endif
