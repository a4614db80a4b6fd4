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
    /// `c` or `i`; servers before 15 have only the first.
    var provider: String
    var icuLocale: String?
    var allowsConnections: Bool
    var comment: String?
    var bytes: Int64?
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
