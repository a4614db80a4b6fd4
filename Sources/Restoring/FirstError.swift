internal import MediaModel
internal import Synchronization

/// The first error of several threads: it is the cause, the others follow from it.
final class FirstError: Sendable {
    private let error = Mutex<SyncError?>(nil)
    private let isThere = Flag()

    var isSet: Bool { isThere.isSet }
    var value: SyncError? { error.withLock { $0 } }

    func record(_ new: SyncError) {
        error.withLock { if $0 == nil { $0 = new } }
        isThere.set()
    }
}
