import Catalog
import MediaModel
import MediasyncTesting
import Postgres
import Running
import Storage
import Testing

@testable import Cleaning

/// Commands that need no session, through a real pgbouncer that gives each transaction another one.
@Suite(.serialized, .enabled(if: Requirement.hasPooler, "needs PostgreSQL's server programs, setpriv and pgbouncer"))
struct PoolerTests {
    private static let shared = Result {
        try ConnectionPooler(try Fixture.cluster(), user: MastodonDatabase.role)
    }

    private static func settings(_ database: String) throws -> ConnectionSettings {
        var settings = try Fixture.settings(database)
        let pooler = try shared.get()
        settings.host = pooler.socketDirectory
        settings.port = String(pooler.port)
        return settings
    }

    @Test("a pooler is told from a server, and refused where a session is needed")
    func connection() throws {
        _ = try CleanupFixture("pooled_connection")
        let pooled = try Self.settings("pooled_connection")
        #expect(try Connection(pooled, application: "test", allowsPooler: true).isPooled)
        let direct = try Fixture.settings("pooled_connection")
        #expect(try !Connection(direct, application: "test", allowsPooler: true).isPooled)
        do throws(DatabaseFault) {
            _ = try Connection(pooled, application: "test")
            Issue.record("taken for a server")
        } catch {
            #expect(error.kind == .pooled)
        }
        var console = pooled
        console.database = "pgbouncer"
        #expect(throws: DatabaseFault.self) { try Connection(console, application: "test", allowsPooler: true) }
    }

    @Test("cleanup does the same as on a direct connection, and says that no lock of the database protects it")
    func cleanup() async throws {
        let direct = try CleanupFixture("pooled_direct")
        let pooled = try CleanupFixture("pooled_cleanup")
        // More clients than sessions: they take turns.
        let one = try await direct.run(jobs: 8) { $0.kinds = [.card, .attachment, .avatar, .header] }
        let settings = try Self.settings(pooled.name)
        let intents = MemoryIntents()
        let two = try await pooled.run(intents: intents, settings: settings, jobs: 8) {
            $0.kinds = [.card, .attachment, .avatar, .header]
        }
        #expect(two.result.counts == one.result.counts)
        #expect(two.ears.items.sorted() == one.ears.items.sorted())
        #expect(pooled.store.paths == direct.store.paths)
        #expect(intents.left.isEmpty)
        let times =
            ["updated_at", "last_webfingered_at", "created_at", "file_updated_at", "thumbnail_updated_at"]
            + ["image_updated_at", "avatar_updated_at", "header_updated_at"]
        for table in ["accounts", "media_attachments", "preview_cards"] {
            #expect(try pooled.rows(table, without: times) == direct.rows(table, without: times))
        }
        let told = two.ears.notices.filter { $0.message.contains("pooler") }
        #expect(told.count == 1)
        #expect(told.first?.hint?.contains("DB_HOST") == true)
        #expect(!one.ears.notices.contains { $0.message.contains("pooler") })
        // Neither a lock nor a setting stays behind in a session that others get next.
        let left = """
            SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """
        #expect(try Fixture.cluster().sql(left, database: pooled.name) == "0")
    }

    @Test("verify --store, orphans and usage read the same through it")
    func reading() async throws {
        let fixture = try CleanupFixture("pooled_reading")
        var results: [[String]] = []
        for settings in [try Fixture.settings(fixture.name), try Self.settings(fixture.name)] {
            let ears = Ears()
            let verify = StoreVerifyEngine(
                options: StoreVerifyOptions(),
                settings: settings,
                store: fixture.store,
                processors: 2,
                control: RunControl(),
                sink: { ears.hear($0) }
            )
            let verified = await verify.run()
            var options = OrphanOptions()
            options.dryRun = true
            options.reportsEveryItem = true
            let orphans = OrphanEngine(
                options: options,
                settings: settings,
                store: fixture.store,
                startedAt: 1_790_009_000,
                control: RunControl(),
                sink: { ears.hear($0) }
            )
            let found = await orphans.run()
            let usage = try await UsageSurvey(settings: settings, store: fixture.store, processors: 2).run()
            results.append(ears.items.sorted() + ["\(verified.counts)", "\(found.counts)", "\(usage.lines)"])
            #expect(verified.error == nil && found.error == nil)
        }
        #expect(results[0] == results[1])
        #expect(results[0].count > 5)
    }

    @Test("a session that the server ends behind the pooler ends the run with rows and files whole")
    func lostSession() async throws {
        let fixture = try CleanupFixture("pooled_lost")
        let name = fixture.name
        let intents = MemoryIntents { (_) throws(SyncError) in
            let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'"
            do { try Fixture.cluster().sql(statement) } catch { throw SyncError(.unexpected, "\(error)") }
        }
        let paths = fixture.store.paths
        let run = try await fixture.run(intents: intents, settings: try Self.settings(name)) { $0.kinds = [.card] }
        // The pooler may have noticed and opened another session: then the run goes through.
        if run.result.exitStatus == .done {
            #expect(run.result.counts.updated == 2)
            #expect(intents.left.isEmpty)
        } else {
            #expect(run.result.exitStatus == .databaseUnreachable)
            // It may have ended a session that came after the rows' commit: then the files go as the rows say.
            let removed = Set(paths).subtracting(fixture.store.paths)
            let named = try fixture.sql(Self.named)
            #expect(removed.isEmpty || named == "1", "\(removed) removed, \(named) rows name files")
            #expect(named == "1" || named == "3")
            #expect(removed.count == 2 || named == "3" || !intents.left.isEmpty, "files without a row or a note")
        }
        let next = try await fixture.run(settings: try Self.settings(name)) { $0.kinds = [.card] }
        #expect(next.result.exitStatus == .done)
        #expect(try fixture.sql(Self.named) == "1")
    }

    private static let named = "SELECT count(*) FROM preview_cards WHERE image_file_name IS NOT NULL"
}
