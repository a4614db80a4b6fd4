package import MediaModel

/// A statement or command that a dump must not contain, or that nobody knows to be harmless.
package struct Refusal: Sendable, Hashable {
    /// Why, as a class: refusals are counted by it.
    package enum Reason: String, Sendable, CaseIterable {
        /// A meta-command of psql; some run programs.
        case metaCommand
        /// COPY from or to a file or program of the server.
        case serverFile
        /// A function that reaches the server's files or other servers.
        case serverFunction
        /// Roles, databases or tablespaces outside of what a dump makes.
        case server
        /// Another identity for the session.
        case identity
        /// A language whose functions may do anything.
        case language
        /// An extension that is not on the list.
        case extensions
        /// Foreign servers, publications and subscriptions, event triggers.
        case outside
        /// BEGIN and its like.
        case transaction
        /// A setting that is not on the list.
        case setting
        /// Text in another encoding than UTF-8.
        case encoding
        /// Not a form that dumps have.
        case unknown
    }

    /// 1-based; of an archive's the line of the text that `pg_restore` makes of it.
    package let line: Int
    /// The number of an archive's entry, where the list of entries was enough to refuse it. There is no line then.
    package let entry: Int?
    package let reason: Reason
    /// What it is, for people: escaped, cut short.
    package let text: String

    package init(line: Int, reason: Reason, text: String, entry: Int? = nil) {
        self.line = line
        self.entry = entry
        self.reason = reason
        self.text = text
    }

    /// The error that ends a restore.
    package var error: SyncError {
        SyncError(
            .refused,
            entry.map { "entry \($0) of the archive is refused" } ?? "line \(line) of the dump is refused",
            why: "\(reason.text): \(text)",
            hint: reason == .encoding
                ? "make the dump again: pg_dump --encoding=UTF8"
                : "a dump made by pg_dump or pg_dumpall does not contain this; make a new dump, or look at the line"
        )
    }
}

extension Refusal.Reason {
    /// The reason for people.
    package var text: String {
        switch self {
        case .metaCommand: "a command for psql"
        case .serverFile: "COPY with a file or a program of the server"
        case .serverFunction: "a function that reaches files or other servers"
        case .server: "a command about roles, databases or the server"
        case .identity: "a change of identity"
        case .language: "a function in a language that is not trusted"
        case .extensions: "an extension that is not on the list"
        case .outside: "foreign servers, replication or event triggers"
        case .transaction: "transaction control"
        case .setting: "a setting that is not on the list"
        case .encoding: "text that is not in UTF8"
        case .unknown: "a statement that is not known to be harmless"
        }
    }
}
