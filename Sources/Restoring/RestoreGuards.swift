internal import Dumps
internal import MediaModel
internal import Postgres

/// What a dump must be before anything is made for it.
enum RestoreGuards {
    /// The newest server that dumps are read of.
    private static let newestMajor = 18
    static let oldestServer = 120_000

    /// The database of the dump to load, after every reason not to.
    static func database(in inspection: DumpInspection, wanted: String?) throws(SyncError) -> DatabaseInspection {
        if let refusal = inspection.outside.firstRefusal { throw refusal.error }
        let database = try choose(inspection, wanted)
        if let refusal = database.vetting.firstRefusal { throw refusal.error }
        guard database.isMastodon else {
            throw SyncError(
                .schema,
                "the dump is not of a Mastodon database",
                why:
                    "it lacks tables that every Mastodon has (schema_migrations, accounts, statuses, media_attachments)",
                hint: "name the dump of Mastodon's database; mediasync restore -n shows what is in a dump"
            )
        }
        if let major = inspection.serverMajor, major > newestMajor {
            throw SyncError(
                .refused,
                "the dump is of PostgreSQL \(major)",
                why: "dumps of PostgreSQL 12 to \(newestMajor) are known",
                hint: "update mediasync"
            )
        }
        return database
    }

    private static func choose(_ inspection: DumpInspection, _ wanted: String?) throws(SyncError) -> DatabaseInspection
    {
        let names = inspection.databases.compactMap(\.name).map(shown).joined(separator: ", ")
        if let wanted {
            // A plain dump need not name its database: there is only one.
            if inspection.kind != .cluster, let only = inspection.databases.first { return only }
            if let found = inspection.databases.first(where: { $0.name == wanted }) { return found }
            throw SyncError(.usage, "the dump has no database \(shown(wanted))", why: "it has: \(names)")
        }
        if let found = inspection.mastodonDatabase { return found }
        let candidates = inspection.databases.filter(\.isMastodon)
        if candidates.count > 1 {
            throw SyncError(
                .usage,
                "the dump has several Mastodon databases",
                why: candidates.compactMap(\.name).map(shown).joined(separator: ", "),
                hint: "choose one with --database"
            )
        }
        if let only = inspection.databases.first, inspection.databases.count == 1 { return only }
        throw SyncError(
            .schema,
            "no database of the dump is Mastodon's",
            why: inspection.databases.isEmpty ? "it has no database at all" : "it has: \(names)",
            hint: "mediasync restore -n shows what is in a dump"
        )
    }

    /// How the dump's migrations stand to those of the installed Mastodon.
    enum Migration: Equatable {
        case same
        /// `db:migrate` has to add these.
        case needed(Int)
        case unknown
    }

    /// Refuses a dump that is newer than the installed Mastodon, which could not work with it.
    static func compare(_ dump: Set<String>, installed: Set<String>?) throws(SyncError) -> Migration {
        guard let installed, let newestInstalled = installed.max() else { return .unknown }
        let ahead = dump.filter { $0 > newestInstalled }
        if let newest = ahead.max() {
            throw SyncError(
                .refused,
                "the dump is newer than the installed Mastodon",
                why: "it has \(ahead.count) migrations after \(newestInstalled), the newest \(shown(newest))",
                hint: "install the Mastodon that the dump comes from, or a newer one; then restore"
            )
        }
        let missing = installed.subtracting(dump).count
        return missing == 0 ? .same : .needed(missing)
    }
}
