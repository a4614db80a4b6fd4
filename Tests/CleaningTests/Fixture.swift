import MediaModel
import MediasyncTesting
import Postgres
import Synchronization

/// One server for all tests of this bundle.
enum Fixture {
    private static let shared = Result {
        let cluster = try PostgresCluster()
        // Once, before several tests need it at the same time.
        try MastodonDatabase.makeRole(cluster)
        return cluster
    }
    static func cluster() throws -> PostgresCluster { try shared.get() }

    static func settings(_ database: String) throws -> ConnectionSettings {
        var settings = ConnectionSettings()
        settings.host = try cluster().socketDirectory
        settings.port = String(try cluster().port)
        settings.user = MastodonDatabase.role
        settings.database = database
        return settings
    }
}

/// Hears a run's events.
final class Ears: Sendable {
    private let heard = Mutex<[Event]>([])

    func hear(_ event: Event) { heard.withLock { $0.append(event) } }

    /// `missing cache/a/b attachment 5 remote`, one an item, in order of their paths.
    var items: [String] {
        heard.withLock { $0 }.compactMap { event -> String? in
            guard case .item(let item) = event else { return nil }
            let what: String
            switch item.outcome {
            case .different:
                let names: [(ChangeSet, String)] = [
                    (.new, "missing"), (.empty, "empty"), (.size, "size"), (.kind, "kind"), (.type, "type"),
                    (.extra, "extra"), (.undecodable, "undecodable"),
                ]
                what = names.filter { item.changes.contains($0.0) }.map(\.1).joined(separator: "+")
            default: what = item.outcome.name
            }
            let row = item.row.map { " \($0.kind) \($0.id) \($0.isLocal ? "local" : "remote")" } ?? ""
            return "\(what) \(item.path)\(row)"
        }
    }

    var notices: [Notice] {
        heard.withLock { $0 }.compactMap { event in
            if case .notice(let notice) = event { notice } else { nil }
        }
    }
}
