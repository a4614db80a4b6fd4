internal import Caches
internal import MediaModel
internal import Running
internal import Storage

/// Has Redis save its data before the file is taken. Whatever it says, an export is made of what there is. Blocks: for a
/// thread of our own.
struct RedisSave {
    /// Redis writes some hundred megabytes a second.
    private static let secondsMax: Int64 = 120
    private static let pause: Int64 = 50_000_000

    let settings: CacheSettings
    let control: RunControl

    /// What came of it.
    struct Result {
        /// Where Redis saves, if it tells.
        var file: BytePath?
        /// Why its file is not of now; nil where it is.
        var fault: CacheFault?
    }

    func run() -> Result {
        var result = Result()
        do throws(CacheFault) {
            let connection = try CacheConnection(settings)
            result.file = connection.savedFile()
            try save(connection)
        } catch { result.fault = error }
        return result
    }

    private func save(_ connection: CacheConnection) throws(CacheFault) {
        let deadline = Host.monotonicNanoseconds() + Self.secondsMax * 1_000_000_000
        // A save that began earlier does not hold what came since.
        _ = try wait(connection, until: deadline)
        try connection.beginSave()
        if try !wait(connection, until: deadline).isOK {
            throw CacheFault(message: "it could not save, as its log says")
        }
    }

    /// Waits until no save is under way.
    private func wait(
        _ connection: CacheConnection,
        until deadline: Int64
    ) throws(CacheFault) -> CacheConnection.SaveState {
        while true {
            let state = try connection.saveState()
            if !state.isSaving { return state }
            if control.shouldStop { throw CacheFault(message: "the run was stopped") }
            if Host.monotonicNanoseconds() > deadline {
                throw CacheFault(message: "it was still saving after \(Self.secondsMax) seconds")
            }
            Host.sleep(nanoseconds: Self.pause)
        }
    }
}
