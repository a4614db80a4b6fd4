/// What a statement of a dump does, and with that when it may run. Statements that are not known to be harmless have no
/// role: they are refused.
package enum StatementRole: Sendable, Hashable {
    /// A setting of the session; every connection that loads needs it, in the order of the dump.
    case setting
    /// Types, functions, tables, sequences, views, defaults, and what else is there before the data. Where it stands after
    /// data (a view that needs a primary key, say), it must wait for what is above it.
    case structure
    /// Rows of a dump made with `--inserts`.
    case insert(TableName)
    /// `setval`.
    case sequenceValue
    /// A primary key, unique or exclusion constraint.
    case primaryKey(TableName)
    case index(TableName)
    case foreignKey(TableName, references: TableName)
    case trigger(TableName)
    /// `REFRESH MATERIALIZED VIEW`.
    case refresh
    /// Harmless, and not to be run.
    case leftOut(LeftOutReason)
    /// Anything else that comes after the data, and after the indexes: CLUSTER, REPLICA IDENTITY, rules, comments on
    /// constraints.
    case other(TableName?)
}

/// Why a statement is not run although nothing is wrong with it.
package enum LeftOutReason: String, Sendable, CaseIterable {
    /// Roles and their memberships: everything belongs to the role that restores.
    case role
    case tablespace
    case owner
    case privilege
    /// The database itself and its settings: the staging database is made before.
    case database
    /// Extensions that are always there, or that only watch the server.
    case serverExtension
    case extensionComment
    /// The schema `public`, which every database has.
    case publicSchema
    /// A setting that some servers do not know, or that does not matter here.
    case setting
    /// The DROP statements of `--clean`: the staging database is empty.
    case drop
    case largeObject
    case securityLabel
    /// Triggers switched off around data, which needs a superuser and is not needed here.
    case triggerSwitch
    /// Statistics of the planner: ANALYZE makes them anew.
    case statistics

    /// The reason for people, in the plural: `owners`.
    package var text: String {
        switch self {
        case .role: "roles"
        case .tablespace: "tablespaces"
        case .owner: "owners"
        case .privilege: "privileges"
        case .database: "database definitions and settings"
        case .serverExtension: "extensions of the server"
        case .extensionComment: "comments on extensions"
        case .publicSchema: "the schema public itself"
        case .setting: "settings that do not matter here"
        case .drop: "DROP statements: the staging database is empty"
        case .largeObject: "large objects: Mastodon has none"
        case .securityLabel: "security labels"
        case .triggerSwitch: "triggers switched off while loading"
        case .statistics: "statistics: ANALYZE makes new ones"
        }
    }
}
