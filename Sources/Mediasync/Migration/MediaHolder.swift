import MediaModel
import Settings
import Storage
import Synchronization

/// The media root of a run of several stages: opened and locked by the first stage that needs it, and kept.
final class MediaHolder: Sendable {
    private let server: MastodonServer
    private let locks: Bool
    private let opened = Mutex<LocalMediaStore?>(nil)

    /// - Parameter locks: false for a run that changes nothing.
    init(_ server: MastodonServer, locks: Bool) {
        self.server = server
        self.locks = locks
    }

    func store() throws(SyncError) -> LocalMediaStore {
        let made = opened.withLock { opened -> Result<LocalMediaStore, SyncError> in
            if let opened { return .success(opened) }
            return Result { () throws(SyncError) in
                let store = try server.store()
                if locks { try MediaState.lock(store, try server.mediaRoot().path) }
                opened = store
                return store
            }
        }
        return try made.get()
    }
}
