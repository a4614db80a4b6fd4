package import MediaModel

/// An error of the server or of the way to it. Engines ask for its `kind`; people get `syncError`.
package struct DatabaseFault: Error, Sendable, Equatable {
    /// What an engine must tell apart.
    package enum Kind: Sendable, CaseIterable {
        /// No server answers, or it refuses everybody for now.
        case unreachable
        /// The connection broke while it was in use.
        case lost
        /// Wrong password, no such role, no entry in pg_hba.conf.
        case denied
        /// A right is missing.
        case forbidden
        case noSpace
        case noMemory
        case tooManyConnections
        /// Sessions are connected to the database, or somebody holds what is to change.
        case inUse
        case exists
        case missing
        /// The statement was cancelled: by us, or by a time limit.
        case cancelled
        /// The session was ended by an administrator or by the server's end.
        case terminated
        /// Two transactions got in each other's way; the same once more may go through.
        case conflict
        /// A value that does not fit its type.
        case badData
        /// A constraint does not hold.
        case violated
        /// The statement is not understood by this server.
        case badStatement
        /// A connection pooler stands between.
        case pooled
        case other
    }

    package let kind: Kind
    /// Five characters; empty where the error is the client's own.
    package let state: String
    /// One line, escaped.
    package let message: String
    package let detail: String?
    package let hint: String?
    /// Where in the server's work it happened, e.g. `COPY statuses, line 7, column text`; escaped, and without values.
    package let context: String?

    package init(
        kind: Kind,
        state: String = "",
        message: String,
        detail: String? = nil,
        hint: String? = nil,
        context: String? = nil
    ) {
        self.kind = kind
        self.state = state
        self.message = message
        self.detail = detail
        self.hint = hint
        self.context = context
    }

    /// `disk full (SQLSTATE 53100)`, with the detail behind it.
    package var reason: String {
        let code = state.isEmpty ? message : "\(message) (SQLSTATE \(state))"
        return detail.map { "\(code): \($0)" } ?? code
    }

    /// The error for a person.
    /// - Parameter what: what could not be done, names escaped: `cannot load accounts`.
    package func syncError(_ what: String) -> SyncError {
        let (code, advice, retry) = consequence
        return SyncError(code, what, why: reason, hint: advice ?? hint, retry: retry)
    }

    /// One row a kind: what it means for the run, and the remedy.
    private var consequence: (SyncError.Code, String?, SyncError.Retry) {
        switch kind {
        case .unreachable:
            (.database, "check that PostgreSQL runs, and host, port and socket directory", .backOff)
        case .lost, .terminated:
            (.database, "look into the server's log; then run the same command again", .abortStage)
        case .denied:
            (.database, "check user and password (Mastodon's env file, PGUSER, ~/.pgpass) and pg_hba.conf", .never)
        case .forbidden:
            (.database, "give the role the right, or use --owner and a role that has it", .never)
        case .noSpace:
            (.exhausted, "free space on the server's disk and run the same command again", .abortStage)
        case .noMemory:
            (.exhausted, "the server is out of memory or locks: see its log", .abortStage)
        case .tooManyConnections:
            (.database, "pass fewer --jobs or raise max_connections", .backOff)
        case .inUse:
            (.refused, "stop what is connected to the database", .backOff)
        case .pooled:
            (.database, "connect to PostgreSQL itself, not to pgbouncer: DB_HOST and DB_PORT of the server", .never)
        case .cancelled, .conflict:
            (.database, nil, .backOff)
        case .badData, .violated, .badStatement, .exists, .missing, .other:
            (.database, nil, .never)
        }
    }
}

extension DatabaseFault: CustomStringConvertible {
    package var description: String { reason }
}
