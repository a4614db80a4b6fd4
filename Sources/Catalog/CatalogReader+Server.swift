package import MediaModel
internal import Postgres

/// A release of Mastodon as far as rules depend on it.
package struct MastodonRelease: Sendable, Equatable, Comparable {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    package static func < (one: MastodonRelease, other: MastodonRelease) -> Bool {
        (one.major, one.minor) < (other.major, other.minor)
    }

    /// The newest migration of each release that has rules of its own. What is newer than one belongs to the next; a branch
    /// keeps its schema through all its patches.
    private static let newestMigrations: [(version: Int64, release: MastodonRelease)] = [
        (20_220_429_101_850, MastodonRelease(3, 5)), (20_221_104_133_904, MastodonRelease(4, 0)),
        (20_221_206_114_142, MastodonRelease(4, 1)), (20_230_907_150_100, MastodonRelease(4, 2)),
        (20_241_007_071_624, MastodonRelease(4, 3)), (20_250_627_132_728, MastodonRelease(4, 4)),
        (20_251_023_210_145, MastodonRelease(4, 5)),
    ]

    /// The release that a database of this newest migration is of.
    package init(newestMigration version: Int64) {
        self = Self.newestMigrations.first { version <= $0.version }?.release ?? MastodonRelease(4, 6)
    }
}

extension CatalogReader {
    /// The release by the newest migration of upstream's form: a fork's own are dated as others are.
    package func release() throws(SyncError) -> MastodonRelease {
        let newest = try ask(
            "schema_migrations",
            "SELECT max(version::bigint) FROM public.schema_migrations WHERE version ~ '^[0-9]{14}$'"
        )
        return MastodonRelease(newestMigration: newest.flatMap { $0.integer(0) } ?? Int64.max)
    }

    /// Whether this is a database of glitch-soc, which lets its administrators set limits of their own.
    package func isGlitch() throws(SyncError) -> Bool {
        let row = try ask(
            "statuses",
            """
            SELECT 1 FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.statuses'::pg_catalog.regclass AND attname = 'content_type' AND NOT attisdropped
            """
        )
        return row != nil
    }

    /// Domains that Mastodon has not reached for a week: hosts to try with one request before the others.
    package func unavailableDomains(limit: Int = 100_000) throws(SyncError) -> [String] {
        do throws(DatabaseFault) {
            guard
                try connection.query("SELECT pg_catalog.to_regclass('public.unavailable_domains') IS NOT NULL").only?
                    .boolean == true
            else { return [] }
            let rows = try connection.query(
                "SELECT pg_catalog.left(domain, 255) FROM public.unavailable_domains LIMIT $1",
                [.integer(Int64(limit))]
            )
            return rows.compactMap { $0[0].text }
        } catch {
            throw error.syncError("cannot read unavailable_domains")
        }
    }

    /// When the newest post came here, as its number tells it: seconds since 1970. Of a database that was restored, and has
    /// not been served from since, this is the moment of its dump. Nil without posts.
    package func newestPost() throws(SyncError) -> Int64? {
        let row = try ask("statuses", "SELECT max(id) FROM public.statuses")
        return row.flatMap { $0.integer(0) }.map { Snowflake.secondsSince1970(of: $0) }
    }

    /// The dump that `restore` made this database of, as it is written at it; nil where nothing is.
    package func restoredDump() throws(SyncError) -> RestoredDump? {
        let row = try ask(
            "pg_database",
            """
            SELECT pg_catalog.left(pg_catalog.shobj_description(oid, 'pg_database'), 1000)
            FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
            """
        )
        return row.flatMap { $0[0].text }.flatMap { RestoredDump(comment: $0) }
    }

    /// The private key of the instance's own actor, as PEM; nil where there is none.
    package func instanceKey() throws(SyncError) -> String? {
        let row = try ask(
            "accounts",
            "SELECT to_jsonb(a)->>'private_key' FROM public.accounts a WHERE a.id = -99 AND a.domain IS NULL"
        )
        return row.flatMap { $0[0].text }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func ask(_ table: String, _ statement: String) throws(SyncError) -> Rows.Row? {
        do throws(DatabaseFault) {
            return try connection.query(statement).first { _ in true }
        } catch {
            throw error.syncError("cannot read \(table)")
        }
    }
}
