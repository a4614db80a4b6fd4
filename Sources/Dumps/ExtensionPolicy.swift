/// What becomes of the extensions that a dump names.
enum ExtensionPolicy {
    /// Extensions that come with PostgreSQL, that a plain role may create and whose functions reach nothing outside.
    private static let created: Set<String> = [
        "btree_gin", "btree_gist", "citext", "cube", "dict_int", "fuzzystrmatch", "hstore", "intarray", "isn", "lo",
        "ltree",
        "pg_trgm", "pgcrypto", "seg", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp",
    ]

    /// Extensions that every database has, or that only watch the server; tables do not need them.
    private static let leftOut: Set<String> = [
        "plpgsql", "pg_stat_statements", "pg_buffercache", "pg_prewarm", "pg_repack", "pgstattuple", "pg_freespacemap",
        "pg_visibility", "pgrowlocks", "amcheck", "pg_stat_kcache", "pg_qualstats", "hypopg", "pg_wait_sampling",
    ]

    static func verdict(_ name: String) -> StatementVerdict {
        if leftOut.contains(name) { return .leftOut(.serverExtension) }
        return created.contains(name) ? .structure : .refused(.extensions, name)
    }
}
