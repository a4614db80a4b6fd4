import MediaModel
import MediasyncTesting
import Postgres
import Running
import Synchronization
import Testing

@testable import Restoring

/// A server for all tests of this bundle, and runs of the engine against databases of a test's own.
enum Fixture {
    private static let shared = Result { try PostgresCluster() }
    static func cluster() throws -> PostgresCluster { try shared.get() }

    static func settings(_ cluster: PostgresCluster, user: String = MastodonDatabase.role) -> ConnectionSettings {
        var settings = ConnectionSettings()
        settings.host = cluster.socketDirectory
        settings.port = String(cluster.port)
        settings.user = user
        return settings
    }

    /// What a run said and how it ended.
    struct Run {
        var id: RunID
        var result: RunResult
        var stages: [String] = []
        var notices: [Notice] = []
        var tables: [String: Int64] = [:]
    }

    static func restore(
        _ dump: BytePath,
        into live: String,
        _ cluster: PostgresCluster,
        user: String = MastodonDatabase.role,
        jobs: Int = 3,
        control: RunControl = RunControl(),
        change: (inout RestoreOptions) -> Void = { _ in }
    ) async -> Run {
        var options = RestoreOptions(dump: dump, live: live, jobs: jobs, memoryMebibytes: 64)
        change(&options)
        let id = RunID(secondsSince1970: 1_790_000_000, random: UInt32.random(in: 0...UInt32.max))
        let heard = Mutex<[Event]>([])
        let engine = RestoreEngine(
            options: options,
            settings: settings(cluster, user: user),
            run: id,
            control: control,
            sink: { event in heard.withLock { $0.append(event) } }
        )
        var run = Run(id: id, result: await engine.run())
        for event in heard.withLock({ $0 }) {
            switch event {
            case .stage(let name): run.stages.append(name)
            case .notice(let notice): run.notices.append(notice)
            case .item(let item): run.tables[item.path.description] = item.bytes
            case .report: break
            }
        }
        return run
    }
}
