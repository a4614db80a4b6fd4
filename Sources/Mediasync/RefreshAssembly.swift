import Caches
import Catalog
import Fetching
import Foundation
import Imaging
import MediaModel
import Postgres
import Refreshing
import Running
import Settings
import Storage

/// What refreshes of one run work with: connections to other servers, decoders, memory. Made once; `shutDown` ends its
/// threads and processes.
final class RefreshAssembly: Sendable {
    private let parts: RefreshEngine.Parts
    private let fetcher: FetchEngine
    private let pool: ProcessingPool
    private let decoders: Int
    private let control: RunControl

    /// What a refresh of one server is made of: the same as what a cleanup changes.
    let intents: any IntentLog

    /// - Parameter store: the caller holds its lock.
    init(
        server: MastodonServer,
        settings: ConnectionSettings,
        store: LocalMediaStore,
        state: MediaState,
        pace: PaceArguments,
        session: RunSession
    ) throws(SyncError) {
        control = session.control
        decoders = max(1, session.host.processors)
        var options = try FetchOptions(version: MediasyncCommand.version, mastodon: { server.settings[$0]?.text })
        pace.apply(to: &options)
        intents = try state.intents()
        fetcher = try FetchEngine(options)
        do throws(SyncError) {
            pool = try ProcessingPool(workers: decoders, program: ThisProgram.path)
        } catch {
            fetcher.shutDown()
            throw error
        }
        parts = RefreshEngine.Parts(
            settings: settings,
            store: store,
            modes: try Self.modes(store),
            intents: intents,
            memory: try state.refreshMemory(),
            fetcher: fetcher,
            processor: pool,
            caches: CacheDeleter(
                try CacheSettings(mastodon: { server.settings[$0]?.text }),
                sink: session.sink
            )
        )
    }

    func engine(_ options: RefreshOptions, sink: @escaping EventSink) -> RefreshEngine {
        RefreshEngine(options: options, parts: parts, decoders: decoders, control: control, sink: sink)
    }

    func shutDown() {
        fetcher.shutDown()
        pool.shutDown()
    }

    /// What Mastodon's settings say of a refresh: the domain by which other servers find this one's key, limits of a fork,
    /// and what decodes.
    static func apply(_ server: MastodonServer, to options: inout RefreshOptions) throws(SyncError) {
        options.webDomain = server.settings["WEB_DOMAIN"]?.text ?? server.settings["LOCAL_DOMAIN"]?.text
        options.usesVips =
            switch server.settings["MASTODON_USE_LIBVIPS"]?.text {
            case "true": true
            case "false": false
            // The releases that can do both go by their default.
            default: nil
            }
        options.forkLimits = try ProcessingRules.ForkLimits(mastodon: { server.settings[$0]?.text })
    }

    /// New files are as open as the media root is: 0644 below 0755, 0660 below 2770.
    private static func modes(_ store: LocalMediaStore) throws(SyncError) -> StoreModes {
        do throws(FileFault) {
            let mode = try store.directory.metadata().permissions
            return StoreModes(file: mode & 0o666 | 0o600, directory: mode & 0o777 | 0o700)
        } catch {
            throw error.syncError("cannot look at the media root")
        }
    }
}
