internal import GRDB

/// The tables of the run state. `PRAGMA user_version` holds the number of steps applied, `application_id` tells our
/// database from anybody else's.
enum RunSchema {
    /// `msrs` in ASCII.
    static let applicationID = 0x6d73_7273

    /// Each step is applied once, in order, and never edited after a release.
    static let steps: [String] = [
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY NOT NULL,
            command TEXT NOT NULL,
            arguments TEXT NOT NULL,
            source TEXT,
            target TEXT,
            pid INTEGER NOT NULL,
            process_start INTEGER,
            boot_id TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            heard_at INTEGER NOT NULL,
            exit_status INTEGER,
            state TEXT NOT NULL,
            counts TEXT NOT NULL DEFAULT '{}',
            failures_dropped INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX runs_by_start ON runs (started_at);
        CREATE TABLE stages (
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            PRIMARY KEY (run_id, position)
        ) WITHOUT ROWID;
        CREATE TABLE failures (
            id INTEGER PRIMARY KEY,
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            path BLOB NOT NULL,
            kind INTEGER NOT NULL,
            code TEXT NOT NULL,
            what TEXT NOT NULL,
            why TEXT,
            hint TEXT,
            at INTEGER NOT NULL
        );
        CREATE INDEX failures_by_run ON failures (run_id, id);
        """,
        """
        CREATE TABLE intents (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            scope TEXT NOT NULL
        );
        CREATE INDEX intents_by_scope ON intents (scope, number);
        CREATE TABLE intent_rows (
            intent INTEGER NOT NULL REFERENCES intents (number) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            table_name TEXT NOT NULL,
            row_id INTEGER NOT NULL,
            path BLOB NOT NULL,
            PRIMARY KEY (intent, position)
        ) WITHOUT ROWID;
        """,
        """
        CREATE TABLE refresh_endings (
            scope TEXT NOT NULL,
            kind TEXT NOT NULL,
            row_id INTEGER NOT NULL,
            ending INTEGER NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (scope, kind, row_id)
        ) WITHOUT ROWID;
        """,
        """
        CREATE TABLE migrations (
            scope TEXT PRIMARY KEY NOT NULL,
            run_id TEXT NOT NULL,
            began_at INTEGER NOT NULL,
            moment INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE migration_stages (
            scope TEXT NOT NULL REFERENCES migrations (scope) ON DELETE CASCADE,
            stage TEXT NOT NULL,
            run_id TEXT NOT NULL,
            ended_at INTEGER,
            exit_status INTEGER,
            PRIMARY KEY (scope, stage)
        ) WITHOUT ROWID;
        ALTER TABLE runs ADD COLUMN share REAL;
        CREATE TABLE samples (
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            at INTEGER NOT NULL,
            items INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            PRIMARY KEY (run_id, at)
        ) WITHOUT ROWID;
        CREATE TABLE sections (
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            section TEXT NOT NULL,
            PRIMARY KEY (run_id, position)
        ) WITHOUT ROWID;
        CREATE TABLE repairs (
            scope TEXT NOT NULL,
            run_id TEXT NOT NULL,
            at INTEGER NOT NULL,
            is_clean INTEGER NOT NULL,
            PRIMARY KEY (scope, run_id)
        );
        """,
    ]

    /// What an opened database is.
    enum Judgement {
        case current
        /// New, or made by an older program: these steps are missing.
        case older(from: Int)
        case newer(version: Int)
        /// Another program's database.
        case foreign
    }

    static func judge(_ db: Database) throws -> Judgement {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        if application != applicationID {
            let isEmpty = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
            return isEmpty && application == 0 ? .older(from: 0) : .foreign
        }
        if version > steps.count { return .newer(version: version) }
        return version == steps.count ? .current : .older(from: version)
    }

    /// Applies the missing steps; the caller holds the write lock, and judged again under it.
    static func migrate(_ db: Database, from version: Int) throws {
        for step in steps[version...] { try db.execute(sql: step) }
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(steps.count)")
    }
}
