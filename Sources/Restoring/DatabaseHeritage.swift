internal import MediaModel
internal import Postgres

/// What belongs to a database and is in no dump of it: settings, the limit of connections, who may connect. The new
/// database gets it from the old one.
struct DatabaseHeritage {
    let from: String
    let to: String

    /// Copies what the session may; what it may not is returned, for people.
    func copy(_ connection: Connection) throws(SyncError) -> [String] {
        try translate("cannot read the settings of \(shown(from))") { () throws(DatabaseFault) in
            var refused: [String] = []
            for (what, statements) in try settings(connection) + limit(connection) + privileges(connection) {
                do throws(DatabaseFault) {
                    try connection.transaction { () throws(DatabaseFault) in
                        for statement in statements { try connection.execute(statement) }
                    }
                } catch {
                    guard connection.isAlive else { throw error }
                    refused.append("\(what): \(error.message)")
                }
            }
            return refused
        }
    }

    private typealias Change = (what: String, statements: [String])

    /// `ALTER DATABASE ... SET`. The value is set in this session and taken from there: its notation need not be known.
    private func settings(_ connection: Connection) throws(DatabaseFault) -> [Change] {
        let rows = try connection.query(
            """
            SELECT pg_catalog.split_part(setting, '=', 1), pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1),
                r.rolname
            FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
                LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) AS setting
            WHERE d.datname = $1 ORDER BY 3 NULLS FIRST, 1
            """,
            [.text(from)]
        )
        return rows.map { row in
            let name = row[0].text ?? ""
            let target = row[2].text.map { "ROLE \(SQL.identifier($0)) IN DATABASE \(SQL.identifier(to))" }
            return (
                "the setting \(shown(name))",
                [
                    "SELECT pg_catalog.set_config(\(SQL.literal(name)), \(SQL.literal(row[1].text ?? "")), true)",
                    "ALTER \(target ?? "DATABASE \(SQL.identifier(to))") SET \(settingName(name)) FROM CURRENT",
                ]
            )
        }
    }

    /// A setting of an extension has a point between two names.
    private func settingName(_ name: String) -> String {
        name.split(separator: ".").map { SQL.identifier($0) }.joined(separator: ".")
    }

    private func limit(_ connection: Connection) throws(DatabaseFault) -> [Change] {
        let rows = try connection.query(
            "SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = $1 AND datconnlimit >= 0",
            [.text(from)]
        )
        return rows.map { row in
            let limit = row[0].integer ?? -1
            return ("the limit of connections", ["ALTER DATABASE \(SQL.identifier(to)) CONNECTION LIMIT \(limit)"])
        }
    }

    /// Who may connect; nothing where nobody ever changed it.
    private func privileges(_ connection: Connection) throws(DatabaseFault) -> [Change] {
        let rows = try connection.query(
            """
            SELECT r.rolname, a.privilege_type, a.is_grantable
            FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) AS a
                LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
            WHERE d.datname = $1 AND a.grantee <> d.datdba AND a.privilege_type IN ('CONNECT', 'CREATE', 'TEMPORARY')
            UNION ALL
            SELECT NULL, NULL, false FROM pg_catalog.pg_database d WHERE d.datname = $1 AND d.datacl IS NOT NULL
            """,
            [.text(from)]
        )
        guard rows.count > 0 else { return [] }
        var statements = ["REVOKE ALL ON DATABASE \(SQL.identifier(to)) FROM PUBLIC"]
        for row in rows {
            guard let privilege = row[1].text else { continue }
            let grantee = row[0].text.map { SQL.identifier($0) } ?? "PUBLIC"
            let option = row[2].boolean == true ? " WITH GRANT OPTION" : ""
            statements.append("GRANT \(privilege) ON DATABASE \(SQL.identifier(to)) TO \(grantee)\(option)")
        }
        return [("the privileges", statements)]
    }
}
