import MediaModel
import MediasyncTesting
import Postgres

/// One server for all tests of this bundle; each works in a database of its own.
enum Server {
    static let needed = "needs PostgreSQL's server programs and setpriv"

    private static let shared = Result { try PostgresCluster() }

    static func cluster() throws -> PostgresCluster { try shared.get() }

    static func settings(_ database: String = "postgres", user: String = "postgres") throws -> ConnectionSettings {
        var settings = ConnectionSettings()
        let cluster = try cluster()
        settings.host = cluster.socketDirectory
        settings.port = String(cluster.port)
        settings.user = user
        settings.database = database
        return settings
    }

    static func connect(_ database: String = "postgres", user: String = "postgres") throws -> Connection {
        try Connection(settings(database, user: user), application: "mediasync test")
    }

    /// A database that did not exist before.
    static func makeDatabase(_ name: String) throws -> Connection {
        try connect().execute("CREATE DATABASE \(SQL.identifier(name)) TEMPLATE template0")
        return try connect(name)
    }
}
