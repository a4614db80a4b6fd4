import Caches
import Catalog
import MediaModel
import Refreshing
import Storage
import Synchronization

/// Deletes what Mastodon keeps rendered of changed rows from its Redis.
final class CacheDeleter: CacheInvalidation {
    /// One thread calls it; the lock says so to the compiler.
    private let cleaner: Mutex<CacheCleaner>

    /// - Parameter sink: hears once that pages may show the old state.
    init(_ settings: CacheSettings, sink: @escaping EventSink) {
        cleaner = Mutex(
            CacheCleaner(settings) { problem in
                sink(.notice(Notice(.warning, "\(problem)", hint: problem.hint)))
            }
        )
    }

    func invalidate(_ rows: [RemoteMedia]) {
        let keys = rows.flatMap { row in
            (row.statusID.map { CacheKey.status($0) } ?? [])
                + (row.shortcode.map { CacheKey.emoji($0, domain: row.domain) } ?? [])
        }
        guard !keys.isEmpty else { return }
        cleaner.withLock { $0.delete(keys, now: Storage.Host.monotonicNanoseconds()) }
    }
}
