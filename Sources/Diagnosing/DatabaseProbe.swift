internal import Catalog
internal import Dumps
package import MediaModel
package import Postgres
internal import Storage

/// Asks the database that the settings name. Blocks: for a thread of our own.
package enum DatabaseProbe {
    /// Seconds for each address.
    private static let timeoutSeconds = 10
    /// More than any Mastodon has.
    private static let migrationsMax = 20_000

    /// - Parameters:
    ///   - settings: or why there are none.
    ///   - origin: who says where the database is.
    package static func run(_ settings: Result<ConnectionSettings, SyncError>, origin: String) -> DatabaseFacts {
        var facts = DatabaseFacts()
        do throws(SyncError) {
            let settings = try settings.get()
            facts.address = Sourced("\(settings)", origin)
            let connection: Connection
            do throws(DatabaseFault) {
                connection = try Connection(
                    settings,
                    application: "mediasync doctor",
                    allowsPooler: true,
                    timeoutSeconds: timeoutSeconds
                )
            } catch {
                throw error.syncError("cannot connect to \(settings)")
            }
            facts.session = try ask(connection)
        } catch {
            facts.error = error
        }
        return facts
    }

    private static func ask(_ connection: Connection) throws(SyncError) -> DatabaseFacts.Session {
        var session = DatabaseFacts.Session(
            version: connection.serverVersion,
            user: BytePath.escaped(Array(connection.user.utf8)),
            isPooled: connection.isPooled
        )
        do throws(DatabaseFault) {
            session.clockAheadSeconds = try clockAhead(connection)
            session.createsDatabases = try createsDatabases(connection)
        } catch {
            throw error.syncError("cannot ask the database")
        }
        do throws(SyncError) {
            _ = try CatalogSchema(connection)
        } catch {
            session.schemaError = error
            return session
        }
        do throws(DatabaseFault) {
            session.release = try release(connection)
            session.readOnlyTables = try readOnlyTables(connection)
        } catch {
            throw error.syncError("cannot ask the database")
        }
        return session
    }

    /// The answer is of some moment between question and answer: the middle is taken.
    private static func clockAhead(_ connection: Connection) throws(DatabaseFault) -> Double {
        let before = Host.wallClock()
        let statement = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint"
        let theirs = Double(try connection.query(statement).only?.integer ?? 0) / 1_000_000
        let after = Host.wallClock()
        return theirs - (seconds(before) + seconds(after)) / 2
    }

    private static func seconds(_ time: Timestamp) -> Double { Double(time.seconds) + Double(time.nanoseconds) / 1e9 }

    private static func createsDatabases(_ connection: Connection) throws(DatabaseFault) -> Bool {
        let statement = "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
        return try connection.query(statement).only?.boolean ?? false
    }

    private static func release(_ connection: Connection) throws(DatabaseFault) -> ReleaseMatch {
        let statement = "SELECT pg_catalog.left(version, 32) FROM public.schema_migrations LIMIT \(migrationsMax)"
        return MastodonReleases.match(Set(try connection.query(statement).compactMap { $0[0].text }))
    }

    /// The tables that `cleanup` changes.
    private static func readOnlyTables(_ connection: Connection) throws(DatabaseFault) -> [String] {
        let tables = [CatalogTable.previewCards, .mediaAttachments, .accounts].map(\.rawValue)
        let statement = """
            SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS t (name, place)
            WHERE NOT (pg_catalog.has_table_privilege('public.' || name, 'SELECT')
                AND pg_catalog.has_table_privilege('public.' || name, 'UPDATE')) ORDER BY place
            """
        return try connection.query(statement, [.texts(tables)]).compactMap { $0[0].text }
    }
}
