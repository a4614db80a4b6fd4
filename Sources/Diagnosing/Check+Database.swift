internal import Dumps
internal import MediaModel

extension Check {
    /// What Mastodon 4.5 and 4.6 ask for (14 in PostgreSQL's notation).
    private static let wantedVersion = 140_000
    /// Seconds: more than the way to the server and back takes.
    private static let clockToleranceSeconds = 30.0

    static let database = [
        Check("database") { facts, name in
            let found = facts.database
            if var error = found.error {
                error.hint = error.hint ?? "check DB_NAME and DB_USER, or name Mastodon's settings with --env-file"
                return Finding(name, error, origin: found.address?.origin)
            }
            guard let address = found.address, found.session != nil else { return nil }
            return Finding(name, address.value, origin: address.origin)
        },
        onSession("server") { session, _, name in
            let text = "PostgreSQL \(session.version / 10_000).\(session.version % 10_000)"
            guard session.version < wantedVersion else { return Finding(name, text) }
            return Finding(name, text, verdict: .warning, remedy: "Mastodon 4.5 and later need PostgreSQL 14")
        },
        onSession("connection") { session, facts, name in
            guard session.isPooled else { return Finding(name, "direct, as \(session.user)") }
            let restore =
                "restore needs PostgreSQL itself, and cleanup has no lock in the database: give DB_HOST and DB_PORT of the server"
            guard facts.settings.hasPreparedStatementsOff else {
                return Finding(
                    name,
                    "through a pooler, as \(session.user), and PREPARED_STATEMENTS is not false",
                    verdict: .warning,
                    remedy:
                        "\(restore); Mastodon itself needs PREPARED_STATEMENTS=false behind a pooler in transaction mode"
                )
            }
            return Finding(name, "through a pooler, as \(session.user)", verdict: .warning, remedy: restore)
        },
        onSession("schema") { session, _, name in
            if let error = session.schemaError { return Finding(name, error) }
            guard let match = session.release else { return nil }
            return Self.release(match, name)
        },
        onSession("rights") { session, _, name in
            if !session.readOnlyTables.isEmpty {
                let tables = session.readOnlyTables.joined(separator: ", ")
                return Finding(
                    name,
                    "\(session.user) may not change \(tables)",
                    verdict: .problem(.database),
                    remedy: "connect as the owner of the tables (DB_USER)"
                )
            }
            guard session.createsDatabases else {
                return Finding(
                    name,
                    "\(session.user) may change rows, and make no database",
                    verdict: .warning,
                    remedy: "restore needs it: ALTER ROLE ... CREATEDB"
                )
            }
            return Finding(name, "\(session.user) may change rows and make databases")
        },
        onSession("clock") { session, _, name in
            let ahead = session.clockAheadSeconds
            let seconds = Int(abs(ahead).rounded())
            guard abs(ahead) > clockToleranceSeconds else { return Finding(name, "as the database's") }
            return Finding(
                name,
                "the database is \(seconds) seconds \(ahead > 0 ? "ahead" : "behind")",
                verdict: .warning,
                remedy: "let both machines ask a time server: ages of media are counted by the database's clock"
            )
        },
    ]

    private static func onSession(
        _ name: String,
        _ judge: @escaping @Sendable (DatabaseFacts.Session, ServerFacts, String) -> Finding?
    ) -> Check {
        Check(name) { facts, name in facts.database.session.flatMap { judge($0, facts, name) } }
    }

    /// Newest release that the set of migrations has whole, and what there is beside it.
    private static func release(_ match: ReleaseMatch, _ name: String) -> Finding {
        let release = match.release.map { "Mastodon \($0)" } ?? "a Mastodon before the oldest that is known"
        switch match.relation {
        case .exact: return Finding(name, release)
        case .fork: return Finding(name, "\(release), with \(match.unknownVersions.count) migrations of a fork")
        case .between:
            return Finding(
                name,
                "\(release) and a part of \(match.next ?? "the next")",
                verdict: .warning,
                remedy: "an update was begun and not finished: run Mastodon's db:migrate"
            )
        case .newer:
            let what = "\(release) and newer migrations that are not known"
            return Finding(name, what, verdict: .warning, remedy: "update mediasync")
        case .unknown:
            return Finding(name, release, verdict: .warning, remedy: "update Mastodon: 3.5 to 4.6 is known")
        }
    }
}
