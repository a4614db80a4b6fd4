import Postgres

/// Another run of mediasync, as far as the database sees it.
final class LockHolder {
    private let connection: Connection

    init(_ settings: ConnectionSettings) throws {
        connection = try Connection(settings, application: "mediasync cleanup")
        _ = try connection.query("SELECT pg_advisory_lock(7882817126551222638)")
    }

    func release() throws { _ = try connection.query("SELECT pg_advisory_unlock(7882817126551222638)") }
}
