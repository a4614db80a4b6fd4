internal import Dumps
internal import MediaModel
internal import Postgres

extension Administration {
    /// Makes an empty database, with nothing in it but what template0 has.
    /// - Parameter locale: nil: the server's own.
    /// - Returns: why this server has no such locale, nothing being made then; nil: the database is there.
    func create(
        _ name: String,
        owner: String,
        locale: DatabaseLocale?,
        comment: String
    ) throws(SyncError) -> DatabaseFault? {
        var statement = "CREATE DATABASE \(SQL.identifier(name)) TEMPLATE template0 ENCODING 'UTF8'"
        statement += " OWNER \(SQL.identifier(owner))"
        if let locale { statement += options(locale) }
        do throws(DatabaseFault) {
            try connection.execute(statement)
        } catch {
            if locale != nil, [.badStatement, .badData, .other].contains(error.kind) { return error }
            throw error.syncError("cannot create the staging database \(shown(name))")
        }
        try translate("cannot mark the staging database \(shown(name))") { () throws(DatabaseFault) in
            try connection.execute("COMMENT ON DATABASE \(SQL.identifier(name)) IS \(SQL.literal(comment))")
        }
        return nil
    }

    private func options(_ locale: DatabaseLocale) -> String {
        var text = " LC_COLLATE \(SQL.literal(locale.collate)) LC_CTYPE \(SQL.literal(locale.ctype))"
        // Older servers know one provider, and no word for it.
        if connection.serverVersion >= 150_000 || locale.provider != .libc {
            text += " LOCALE_PROVIDER \(locale.provider.rawValue)"
        }
        if let name = locale.name {
            text += " \(locale.provider == .icu ? "ICU_LOCALE" : "BUILTIN_LOCALE") \(SQL.literal(name))"
        }
        return text
    }

    /// Nil where the server does not tell: before 15, and for locales without versions.
    func collationVersions(of name: String) -> CollationVersions? {
        guard connection.serverVersion >= 150_000 else { return nil }
        let rows = try? connection.query(
            """
            SELECT datcollversion, pg_catalog.pg_database_collation_actual_version(oid)
            FROM pg_catalog.pg_database WHERE datname = $1
            """,
            [.text(name)]
        )
        // A locale that is gone from the system is an error of the function's; whoever connects is told of it.
        guard let row = rows?.first(where: { _ in true }), let recorded = row[0].text, let actual = row[1].text else {
            return nil
        }
        return CollationVersions(recorded: recorded, actual: actual)
    }
}
