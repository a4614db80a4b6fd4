internal import Dumps
internal import MediaModel
internal import Postgres

/// What the server knows of one database.
struct DatabaseFacts: Sendable, Equatable {
    /// Its number, which no rename changes.
    var number: Int64
    var name: String
    var owner: String
    var encoding: String
    var collate: String
    var ctype: String
    /// `c`, `i` or `b`; servers before 15 have only the first.
    var provider: String
    /// Of the providers that are not libc.
    var providerLocale: String?
    var allowsConnections: Bool
    var comment: String?
    var bytes: Int64?

    /// What it was made of, where `restore` made it.
    var restoredDump: RestoredDump? { comment.flatMap { RestoredDump(comment: $0) } }

    /// By which rules it sorts text.
    var locale: DatabaseLocale {
        let kind: DatabaseLocale.Provider = provider == "i" ? .icu : provider == "b" ? .builtin : .libc
        return DatabaseLocale(
            provider: kind,
            collate: collate,
            ctype: ctype,
            name: kind == .libc ? nil : providerLocale
        )
    }
}

/// What the server knows of a role.
struct RoleFacts: Sendable, Equatable {
    var name: String
    var isSuperuser: Bool
    var mayCreateDatabases: Bool
    var mayLogIn: Bool
}

/// A session connected to somebody's database.
package struct SessionFacts: Sendable, Equatable {
    package var process: Int32
    package var user: String
    package var application: String
    package var address: String?

    /// One line for people: `1234 mastodon (puma) from 10.0.0.2`.
    package var line: String {
        let program = application.isEmpty ? "" : " (\(shown(application)))"
        return "\(process) \(shown(user))\(program) from \(address.map(shown) ?? "a local socket")"
    }
}
