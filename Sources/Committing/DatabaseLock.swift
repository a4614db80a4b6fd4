package import MediaModel
package import Postgres

/// One run that changes media for each database: an advisory lock, held by a session of its own for as long as the run
/// lasts. A pooler would hand the session to somebody else: the connection must be a direct one.
package final class DatabaseLock {
    /// `mediasync` in ASCII, cut to 8 bytes.
    private static let number = 7_882_817_126_551_222_638

    private let connection: Connection

    /// The lock where the connection can hold one. Through a pooler it cannot, which is told: then the lock of the media
    /// root alone keeps other runs away.
    /// - Throws: an error with the code `locked` where another run holds it.
    package static func taken(
        by connection: Connection,
        settings: ConnectionSettings,
        sink: EventSink
    ) throws(SyncError) -> DatabaseLock? {
        guard connection.isPooled else { return try DatabaseLock(connection, settings: settings) }
        let what =
            "the database is reached through a connection pooler: only the lock of the media root keeps other runs away"
        let hint = "for a lock in the database too, give PostgreSQL's own address with DB_HOST=... DB_PORT=..."
        sink(.notice(Notice(.notice, what, hint: hint)))
        return nil
    }

    private init(_ connection: Connection, settings: ConnectionSettings) throws(SyncError) {
        self.connection = connection
        do throws(DatabaseFault) {
            let statement = "SELECT pg_catalog.pg_try_advisory_lock(\(Self.number))"
            if try connection.query(statement).only?.boolean == true { return }
        } catch {
            throw error.syncError("cannot lock the database")
        }
        throw SyncError(
            .locked,
            "another run of mediasync works on \(settings)",
            hint: "wait for its end: mediasync status"
        )
    }

    /// Gives the lock back: not left to the end of the connection, of which the server hears a moment later.
    package func release() {
        _ = try? connection.query("SELECT pg_catalog.pg_advisory_unlock(\(Self.number))")
    }
}
