internal import MediaModel
internal import Running
internal import Synchronization

/// Files that were written down together. Their intent is closed when the last of them is done; where one left something
/// behind it stays open, for the next run.
final class IntentGroup: Sendable {
    private let number: Int64
    private let left: Atomic<Int>
    private let isClean = Atomic<Bool>(true)
    private let log: any IntentLog
    private let control: RunControl

    init(number: Int64, count: Int, log: any IntentLog, control: RunControl) {
        self.number = number
        left = Atomic(count)
        self.log = log
        self.control = control
    }

    /// One file is done.
    /// - Parameter isClean: false where something of it may be left behind.
    func done(isClean: Bool) {
        if !isClean { self.isClean.store(false, ordering: .relaxed) }
        let isLast = left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
        guard isLast, self.isClean.load(ordering: .relaxed) else { return }
        do throws(SyncError) {
            try log.close(number)
        } catch {
            control.stop(error)
        }
    }
}
