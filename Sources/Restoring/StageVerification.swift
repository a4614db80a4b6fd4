internal import Dumps
internal import MediaModel
internal import Postgres

/// What must be true of a loaded stage before it may go live, beside the rows, which were counted table by table.
struct StageVerification {
    let inspection: DatabaseInspection
    /// Foreign keys that the dump itself does not want checked.
    let mayBeUnchecked: Bool

    func check(_ connection: Connection) throws(SyncError) {
        try expectNone(
            connection,
            "constraints that are not checked",
            """
            SELECT conrelid::regclass::text || '.' || conname FROM pg_catalog.pg_constraint
            WHERE NOT convalidated \(mayBeUnchecked ? "AND contype <> 'f'" : "") LIMIT 5
            """
        )
        try expectNone(
            connection,
            "indexes that are not valid",
            "SELECT indexrelid::regclass::text FROM pg_catalog.pg_index WHERE NOT (indisvalid AND indisready) LIMIT 5"
        )
        try expectNone(
            connection,
            "materialized views without rows",
            "SELECT oid::regclass::text FROM pg_catalog.pg_class WHERE relkind = 'm' AND NOT relispopulated LIMIT 5"
        )
        let found = try Self.migrations(connection)
        guard found == inspection.migrations else {
            throw SyncError(
                .unexpected,
                "the stage does not have the migrations of the dump",
                why: "\(inspection.migrations.count) in the dump, \(found.count) there"
            )
        }
    }

    /// The versions that a database has run.
    static func migrations(_ connection: Connection) throws(SyncError) -> Set<String> {
        let rows = try translate("cannot read schema_migrations") { () throws(DatabaseFault) in
            try connection.query("SELECT version FROM public.schema_migrations")
        }
        return Set(rows.compactMap { $0[0].text })
    }

    private func expectNone(_ connection: Connection, _ what: String, _ query: String) throws(SyncError) {
        let rows = try translate("cannot verify the stage") { () throws(DatabaseFault) in try connection.query(query) }
        if rows.count == 0 { return }
        let names = rows.compactMap { $0[0].text }.map(shown).joined(separator: ", ")
        throw SyncError(.unexpected, "the stage has \(what)", why: names)
    }
}
