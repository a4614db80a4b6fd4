internal import MediaModel
internal import Postgres

/// Databases as a whole, from a session beside them: what is there, making, renaming and dropping. Every statement here is
/// mediasync's own.
final class Administration {
    let connection: Connection
    let settings: ConnectionSettings

    /// A database must be connected to for working on another. These exist on nearly every server.
    private static let doors = ["postgres", "template1"]

    /// Marks the lock that a run holds: two numbers, this and one of the run's or the database's name.
    private static let runLock: Int32 = 0x6D64_7372
    private static let nameLock: Int32 = 0x6D64_736E

    init(_ settings: ConnectionSettings) throws(SyncError) {
        self.settings = settings
        var last: DatabaseFault?
        for door in Self.doors {
            do throws(DatabaseFault) {
                let made = try Connection(settings.with(database: door), application: "mediasync restore")
                try made.execute(
                    "SET lock_timeout = 0; SET statement_timeout = 0; SET client_min_messages = warning"
                )
                connection = made
                return
            } catch {
                last = error
                guard error.kind == .missing || error.kind == .forbidden || error.kind == .inUse else { break }
            }
        }
        let fault = last ?? DatabaseFault(kind: .unreachable, message: "no connection")
        throw fault.syncError("cannot connect to \(settings.with(database: Self.doors[0]))")
    }

    // MARK: Looking

    func database(_ name: String) throws(SyncError) -> DatabaseFacts? {
        try databases(where: "d.datname = $1", [.text(name)]).first
    }

    func databases() throws(SyncError) -> [DatabaseFacts] { try databases(where: "true", []) }

    private func databases(where condition: String, _ values: [Parameter]) throws(SyncError) -> [DatabaseFacts] {
        let isNew = connection.serverVersion >= 150_000
        let locale = connection.serverVersion >= 170_000 ? "d.datlocale" : "d.daticulocale"
        let provider = isNew ? "d.datlocprovider::text, \(locale)" : "'c', NULL"
        let rows = try translate("cannot look at the server's databases") { () throws(DatabaseFault) in
            try connection.query(
                """
                SELECT d.datname, r.rolname, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
                    \(provider), d.datallowconn, pg_catalog.shobj_description(d.oid, 'pg_database'),
                    CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
                        THEN pg_catalog.pg_database_size(d.oid) END, d.oid
                FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
                WHERE \(condition) ORDER BY 1
                """,
                values
            )
        }
        return rows.map { row in
            DatabaseFacts(
                number: row[10].integer ?? 0,
                name: row[0].text ?? "",
                owner: row[1].text ?? "",
                encoding: row[2].text ?? "",
                collate: row[3].text ?? "",
                ctype: row[4].text ?? "",
                provider: row[5].text ?? "c",
                providerLocale: row[6].text,
                allowsConnections: row[7].boolean ?? true,
                comment: row[8].text,
                bytes: row[9].integer
            )
        }
    }

    func role(_ name: String) throws(SyncError) -> RoleFacts? {
        let rows = try translate("cannot look at the role \(shown(name))") { () throws(DatabaseFault) in
            try connection.query(
                "SELECT rolsuper, rolcreatedb, rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = $1",
                [.text(name)]
            )
        }
        guard rows.count == 1 else { return nil }
        let row = rows[0]
        return RoleFacts(
            name: name,
            isSuperuser: row[0].boolean ?? false,
            mayCreateDatabases: row[1].boolean ?? false,
            mayLogIn: row[2].boolean ?? false
        )
    }

    /// Whether this session may act as another role.
    func isMember(of role: String) throws(SyncError) -> Bool {
        try translate("cannot look at the role \(shown(role))") { () throws(DatabaseFault) in
            try connection.query("SELECT pg_catalog.pg_has_role($1, 'MEMBER')", [.text(role)]).only?.boolean ?? false
        }
    }

    /// Sessions of clients; the server's own workers go by themselves.
    func sessions(on database: String) throws(SyncError) -> [SessionFacts] {
        let rows = try translate("cannot list the sessions of \(shown(database))") { () throws(DatabaseFault) in
            try connection.query(
                """
                SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), host(client_addr)
                FROM pg_catalog.pg_stat_activity
                WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
                    AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')
                ORDER BY backend_start
                """,
                [.text(database)]
            )
        }
        return rows.map { row in
            SessionFacts(
                process: Int32(row[0].integer ?? 0),
                user: row[1].text ?? "",
                application: row[2].text ?? "",
                address: row[3].text
            )
        }
    }

    // MARK: Locks

    /// Takes the lock of a run and that of a name, for as long as this session lives. Waits a little: the session of a run
    /// that was killed ends with its statement.
    func lock(_ run: RunID, name: String) throws(SyncError) {
        do throws(DatabaseFault) {
            try connection.execute("SET lock_timeout = '5s'")
            _ = try connection.query(
                "SELECT pg_catalog.pg_advisory_lock($1, $2), pg_catalog.pg_advisory_lock($3, $4)",
                [Self.nameLock, Self.number(name), Self.runLock, Self.number(run.text)].map { .integer(Int64($0)) }
            )
            try connection.execute("SET lock_timeout = 0")
        } catch {
            guard error.kind == .inUse else { throw error.syncError("cannot take the lock for \(shown(name))") }
            throw SyncError(
                .locked,
                "another run restores \(shown(name))",
                why: "it holds the lock on the server",
                hint: "wait for it; mediasync status shows it where it runs on this machine"
            )
        }
    }

    /// Whether a run that locked itself is still there: its session is, on whatever database.
    func isAlive(_ run: RunID) throws(SyncError) -> Bool {
        try translate("cannot look at the server's locks") { () throws(DatabaseFault) in
            try connection.query(
                """
                SELECT count(*) > 0 FROM pg_catalog.pg_locks
                WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = $1 AND objid::bigint = $2
                """,
                [.integer(Int64(Self.runLock)), .integer(Int64(UInt32(bitPattern: Self.number(run.text))))]
            ).only?.boolean ?? false
        }
    }

    /// FNV-1a: the same for the same text in every process.
    private static func number(_ text: String) -> Int32 {
        Int32(bitPattern: text.utf8.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 })
    }

    // MARK: Changing

    /// Drops a database of ours with whoever is connected to it. Not by `WITH (FORCE)`, which a plain role may not use
    /// while the server's own autovacuum is there: that one goes by itself when the server waits for it, five seconds each
    /// time.
    func drop(_ name: String) throws(SyncError) {
        guard let number = try database(name)?.number else { return }
        try translate("cannot drop the database \(shown(name))") { () throws(DatabaseFault) in
            for attempt in 1...Self.dropAttempts {
                do throws(DatabaseFault) {
                    try terminate(sessionsOn: number)
                    return try connection.execute("DROP DATABASE IF EXISTS \(SQL.identifier(name))")
                } catch {
                    guard error.kind == .inUse, attempt < Self.dropAttempts else { throw error }
                }
            }
        }
    }

    private static let dropAttempts = 4

    /// Ends the sessions of a database. Those of the server itself and of stronger roles stay.
    /// - Parameter number: of the database: a name may mean another one a moment later.
    func terminate(sessionsOn number: Int64) throws(DatabaseFault) {
        _ = try connection.query(
            """
            SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
            WHERE datid = $1 AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
                AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')
            """,
            [.integer(number)]
        )
    }
}
