package import MediaModel

/// Deletes stale keys for as long as Redis answers. A failure is told once, and tried again after a while: pages show the old
/// state meanwhile, for ten minutes at most, emoji for a week. Its calls block: for a thread of our own; it is not Sendable.
package final class CacheCleaner {
    private let settings: CacheSettings
    private let tell: (SyncError) -> Void
    private var connection: CacheConnection?
    private var hasTold = false
    private var failedAt: Int64?
    /// Keys that were deleted.
    package private(set) var deleted = 0
    /// Keys that should have been.
    package private(set) var missed = 0

    /// Nanoseconds until Redis is tried again.
    private static let pause: Int64 = 30_000_000_000

    /// - Parameter tell: hears once that pages may show the old state.
    package init(_ settings: CacheSettings, tell: @escaping (SyncError) -> Void) {
        self.settings = settings
        self.tell = tell
    }

    /// - Parameter now: monotonic nanoseconds.
    package func delete(_ keys: [String], now: Int64) {
        if let failedAt, now - failedAt < Self.pause {
            missed += keys.count
            return
        }
        do throws(CacheFault) {
            deleted += try open().delete(keys)
            failedAt = nil
        } catch {
            connection = nil
            failedAt = now
            missed += keys.count
            if !hasTold { tell(warning(error)) }
            hasTold = true
        }
    }

    private func open() throws(CacheFault) -> CacheConnection {
        if let connection { return connection }
        let made = try CacheConnection(settings)
        connection = made
        return made
    }

    private func warning(_ fault: CacheFault) -> SyncError {
        SyncError(
            .item,
            "\(settings): stale keys of the cache cannot be deleted",
            why: fault.message,
            hint: "pages may show the old state for ten minutes, custom emoji for a week; `tootctl cache clear` helps"
        )
    }
}
