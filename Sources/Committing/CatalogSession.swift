package import Catalog
package import MediaModel
package import Postgres
internal import Storage

/// A session for reading that comes back: where the server restarts, or a network breaks, it connects again and asks once
/// more. Only for statements that change nothing. One thread uses it.
package final class CatalogSession {
    /// Half a second, a second, two ...: a server that restarts is back by then.
    package static let triesMax = 6

    private let settings: ConnectionSettings
    private let application: String
    private var reader: CatalogReader

    package init(_ settings: ConnectionSettings, application: String) throws(SyncError) {
        self.settings = settings
        self.application = application
        reader = try Self.connect(settings, application)
    }

    /// What the database has: the same for the whole run.
    package var schema: CatalogSchema { reader.schema }

    package func read<Result>(_ body: (CatalogReader) throws(SyncError) -> Result) throws(SyncError) -> Result {
        var tries = 0
        while true {
            do throws(SyncError) {
                return try body(reader)
            } catch {
                tries += 1
                guard error.code == .database, error.retry != .never, tries <= Self.triesMax else { throw error }
                Self.pause(tries)
                do throws(SyncError) { reader = try Self.connect(settings, application) } catch { continue }
            }
        }
    }

    /// The same for what must not be begun twice: an error is the caller's.
    package func readOnce<Result>(_ body: (CatalogReader) throws(SyncError) -> Result) throws(SyncError) -> Result {
        try body(reader)
    }

    package static func connect(
        _ settings: ConnectionSettings,
        _ application: String
    ) throws(SyncError) -> CatalogReader {
        let connection: Connection
        do throws(DatabaseFault) {
            // Each call is a statement or a transaction: a pooler may stand between.
            connection = try Connection(settings, application: application, allowsPooler: true)
        } catch {
            throw error.syncError("cannot connect to \(settings)")
        }
        return try CatalogReader(connection)
    }

    /// Before the next try.
    /// - Parameter tries: so far, from 1.
    package static func pause(_ tries: Int) {
        Host.sleep(nanoseconds: Int64(250_000_000) << Int64(min(tries, 5)))
    }
}
