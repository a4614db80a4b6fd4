internal import Dumps
internal import MediaModel
internal import Postgres

/// Which collation a stage gets, and what a person should know about it.
enum StageLocale {
    /// What to try, in this order: the old database's; where there is none, the dump's. The last resort, the server's own,
    /// is not among it.
    static func candidates(live: DatabaseFacts?, dumped: DatabaseLocale?) -> [DatabaseLocale] {
        if let live { return [live.locale] }
        guard let dumped else { return [] }
        guard dumped.provider == .builtin, let name = dumped.name else { return [dumped] }
        // Servers before 17 have the same order under another name.
        let libc = name == "C" ? "C" : "C.UTF-8"
        return [dumped, DatabaseLocale(collate: libc, ctype: libc)]
    }

    /// The dump comes from a database that sorted text otherwise than the one it replaces.
    static func difference(dumped: DatabaseLocale?, live: DatabaseFacts?) -> Notice? {
        guard let dumped, let live, !dumped.isSame(as: live.locale) else { return nil }
        return Notice(
            .warning,
            "the dumped database sorted text by \(dumped), the live one sorts by \(live.locale)",
            hint:
                "the new database is made like the live one, with all indexes built anew: only the order of lists may differ"
        )
    }

    /// The dump's collation is none of this server's.
    static func unknown(_ dumped: DatabaseLocale) -> Notice {
        Notice(
            .warning,
            "the server does not know the collation of the dumped database, \(dumped); the new one has the server's own",
            hint: "install the locale, or make the database yourself as you want it; then restore into it"
        )
    }

    /// A database whose text was sorted by another version of the library than the server has now.
    static func outdated(_ name: String, _ versions: CollationVersions?) -> Notice? {
        guard let versions, versions.recorded != versions.actual else { return nil }
        let identifier = shown(SQL.identifier(name))
        return Notice(
            .warning,
            "the database \(shown(name)) was sorted by version \(shown(versions.recorded)) of its collation, the server has "
                + "\(shown(versions.actual)): its indexes of text may be wrong",
            hint: "a restore builds all indexes anew; before this database itself is used any longer: "
                + "REINDEX DATABASE \(identifier); ALTER DATABASE \(identifier) REFRESH COLLATION VERSION"
        )
    }
}

/// Versions of the library that sorts a database's text.
struct CollationVersions: Sendable, Equatable {
    /// When the database was made, or last looked after.
    var recorded: String
    /// What the server has now.
    var actual: String
}
