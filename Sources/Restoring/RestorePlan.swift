internal import Dumps
internal import MediaModel
internal import Postgres

/// Who does what to which databases: made before anything is, from what is there.
struct RestorePlan: Sendable {
    var names: DatabaseNames
    var stage: String
    var previous: String
    var owner: String
    /// The live database as it is; nil where there is none yet.
    var live: DatabaseFacts?
    /// The role that sessions of the stage take, where they connect as another.
    var role: String?
    /// How sessions of the stage connect.
    var settings: ConnectionSettings

    init(
        _ options: RestoreOptions,
        run: RunID,
        _ administration: Administration
    ) throws(SyncError) {
        names = DatabaseNames(live: options.live)
        stage = names.stage(of: run)
        previous = names.previous(before: run)
        live = try administration.database(options.live)
        let version = administration.connection.serverVersion
        guard version >= RestoreGuards.oldestServer else {
            throw SyncError(.unusable, "the server is too old", why: "PostgreSQL 12 or later is needed")
        }
        let user = administration.connection.user
        owner = options.owner ?? live?.owner ?? user
        settings = administration.settings.with(database: stage)
        try chooseRole(user, administration)
        if let live, live.encoding != "UTF8" {
            throw SyncError(
                .refused,
                "the database \(shown(live.name)) is not in UTF8",
                why: "its encoding is \(shown(live.encoding))",
                hint: "restore into another name with --into"
            )
        }
    }

    /// What a dump contains runs as a role without power over the server. Nothing that it defines may ever run in a
    /// session that could become a superuser again.
    private mutating func chooseRole(_ user: String, _ administration: Administration) throws(SyncError) {
        guard let own = try administration.role(user) else {
            throw SyncError(.database, "cannot look at the role \(shown(user))", why: "the server does not list it")
        }
        guard own.isSuperuser || own.mayCreateDatabases else {
            throw SyncError(
                .unusable,
                "the role \(shown(user)) may not create databases",
                why: "the staging database is made beside the live one, and both change their names",
                hint: "as a superuser of the server: ALTER ROLE \(SQL.identifier(user)) CREATEDB"
            )
        }
        guard let target = try administration.role(owner) else {
            throw SyncError(
                .unusable,
                "there is no role \(shown(owner))",
                hint: "create it (CREATE ROLE \(SQL.identifier(owner)) LOGIN CREATEDB), or name another with --owner"
            )
        }
        if target.isSuperuser {
            throw SyncError(
                .refused,
                "the role \(shown(owner)) is a superuser",
                why: "functions and constraints of a dump run as the role that restores it",
                hint: "use a plain role: CREATE ROLE mastodon LOGIN CREATEDB; then DB_USER=mastodon or --owner mastodon"
            )
        }
        if own.isSuperuser {
            // The role itself must connect: from a superuser's session a way back would be open.
            settings.user = owner
            try probe(administration)
            return
        }
        guard owner != user else { return }
        guard try administration.isMember(of: owner) else {
            throw SyncError(
                .unusable,
                "the role \(shown(user)) may not act as \(shown(owner))",
                why: "it is no member of it",
                hint:
                    "connect as \(shown(owner)), or as a superuser: GRANT \(SQL.identifier(owner)) TO \(SQL.identifier(user))"
            )
        }
        role = owner
    }

    /// Whether the owner can log in, asked before anything is read or made.
    private func probe(_ administration: Administration) throws(SyncError) {
        do throws(DatabaseFault) {
            let door = administration.connection.database
            _ = try Connection(settings.with(database: door), application: "mediasync restore")
        } catch {
            var fault = error.syncError("cannot connect as \(shown(owner)), who loads the dump")
            fault.hint = "connect as \(shown(owner)) itself: a superuser's session is not used for what a dump contains"
            throw fault
        }
    }
}
