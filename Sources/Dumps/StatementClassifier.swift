internal import MediaModel

/// Tells what a statement is for, or that it is refused. A list of what is allowed: what is on no list is refused. What it
/// lets through runs as a plain role in a staging database; this is one of three walls, not the only one.
struct StatementClassifier {
    /// Where in a dump a statement stands.
    enum Scope: Equatable {
        /// A dump of one database.
        case single
        /// In a cluster's dump, but in no database: roles, tablespaces, CREATE DATABASE.
        case outside
        /// In one database of a cluster's dump, by its name.
        case database(String)
    }

    private enum ObjectState {
        case none, insideLargeObject
    }

    private var state = ObjectState.none
    /// What CREATE DATABASE of a dump of one database made.
    var createdDatabase: String?
    /// What DROP DATABASE named, until CREATE DATABASE follows.
    var droppedDatabase: String?

    /// The verdict on a statement without its `;`.
    mutating func verdict(_ bytes: [UInt8], line: Int, scope: Scope) -> StatementVerdict {
        if bytes.count > 6, InsertVetting.isInsert(bytes) {
            return scope == .outside ? .unknown : InsertVetting.verdict(bytes)
        }
        guard var statement = SQLStatement(bytes) else { return .refused(.unknown, "it cannot be read") }
        if statement.tokens.contains(where: { $0.kind == .unicode }) {
            return .refused(.unknown, "a name or text with U&")
        }
        if let verdict = afterDrop(statement) { return verdict }
        if let verdict = transaction(statement) { return verdict }
        let verdict = dispatch(&statement, line: line, scope: scope)
        if case .role(.leftOut(.largeObject), _) = verdict { return verdict }
        if state == .insideLargeObject {
            state = .none
            return .refused(.transaction, "BEGIN with something other than large objects in it")
        }
        return checkingNames(verdict, statement)
    }

    /// BEGIN and COMMIT stand around large objects only, and are left out with them.
    private mutating func transaction(_ statement: SQLStatement) -> StatementVerdict? {
        switch statement.word(at: 0) {
        case "begin" where statement.tokens.count == 1:
            if state == .insideLargeObject { return .refused(.transaction) }
            state = .insideLargeObject
            return .leftOut(.largeObject)
        case "commit" where statement.tokens.count == 1:
            if state == .none { return .refused(.transaction) }
            state = .none
            return .leftOut(.largeObject)
        case "begin", "commit", "rollback", "abort", "end", "start", "savepoint", "release", "prepare":
            return .refused(.transaction)
        default: return nil
        }
    }

    private mutating func dispatch(
        _ statement: inout SQLStatement,
        line: Int,
        scope: Scope
    ) -> StatementVerdict {
        guard let first = statement.word(at: 0) else { return .unknown }
        if ["create", "alter", "drop"].contains(first), statement.word(at: 1) == "database" {
            return database(first, &statement, scope: scope)
        }
        statement.position = 1
        if scope == .outside { return outside(first, &statement, line: line) }
        switch first {
        case "set": return setting(&statement)
        case "select": return select(&statement)
        case "copy": return copy(&statement, line: line)
        case "create": return create(&statement)
        case "alter": return alter(&statement)
        case "drop": return drop(statement)
        case "comment": return comment(&statement)
        case "grant", "revoke": return .leftOut(.privilege)
        case "security" where statement.accept("label"): return .leftOut(.securityLabel)
        case "refresh": return refresh(&statement)
        case "update": return update(&statement)
        case "reset": return .refused(.identity)
        case "load", "do", "call", "execute": return .refused(.unknown)
        case "import": return .refused(.outside)
        default: return .unknown
        }
    }

    /// What a cluster's dump has before and between its databases. Nothing of it is run.
    private func outside(_ first: String, _ statement: inout SQLStatement, line: Int) -> StatementVerdict {
        switch first {
        case "copy":
            if case .copy = copy(&statement, line: line) { return .refused(.unknown, rowsFollow: true) }
            return .refused(.serverFile)
        case "set":
            let verdict = setting(&statement)
            if case .role(.setting, _) = verdict { return .leftOut(.setting) }
            return verdict
        case "select":
            let verdict = select(&statement)
            if case .role(.setting, _) = verdict { return .leftOut(.setting) }
            return verdict == .leftOut(.setting) ? verdict : .unknown
        case "create", "alter", "drop", "comment":
            if first == "alter", statement.accept("system") { return .refused(.server) }
            let isComment = first == "comment" && statement.accept("on")
            if first == "comment" && !isComment { return .unknown }
            switch statement.word(at: 1 + (isComment ? 1 : 0)) {
            case "role", "user", "group":
                return statement.word(at: 2) == "mapping" ? .refused(.outside) : .leftOut(.role)
            case "tablespace": return .leftOut(.tablespace)
            case "database": return .leftOut(.database)
            default: return .unknown
            }
        case "grant", "revoke": return .leftOut(.privilege)
        case "security" where statement.accept("label"): return .leftOut(.securityLabel)
        case "update": return update(&statement)
        default: return .unknown
        }
    }

    /// Statements that run call no function on the list, whatever else they are.
    private func checkingNames(_ verdict: StatementVerdict, _ statement: SQLStatement) -> StatementVerdict {
        guard case .role(let role, _) = verdict else { return verdict }
        if case .leftOut = role { return verdict }
        for (index, token) in statement.tokens.enumerated() {
            switch token.kind {
            case .word, .name:
                guard let name = statement.identifier(at: index) else {
                    return .refused(.unknown, "a name that is not UTF-8")
                }
                if DeniedNames.contains(name) { return .refused(.serverFunction, name) }
            default: break
            }
        }
        return verdict
    }

    // MARK: Small statements

    private func refresh(_ statement: inout SQLStatement) -> StatementVerdict {
        guard statement.accept("materialized", "view"), statement.acceptTable() != nil, statement.isAtEnd else {
            return .unknown
        }
        return .role(.refresh)
    }

    /// With `--clean --create` a template is made an ordinary database, to be dropped.
    private func update(_ statement: inout SQLStatement) -> StatementVerdict {
        guard statement.acceptTable() == TableName(schema: "pg_catalog", name: "pg_database"),
            statement.accept("set", "datistemplate")
        else { return .unknown }
        return .leftOut(.database)
    }

    private func drop(_ statement: SQLStatement) -> StatementVerdict {
        switch statement.word(at: 1) {
        case "role", "user", "group", "owned", "tablespace": return .refused(.server)
        case nil: return .unknown
        default: return .leftOut(.drop)
        }
    }

    private func comment(_ statement: inout SQLStatement) -> StatementVerdict {
        guard statement.accept("on") else { return .unknown }
        switch statement.word(at: 2) {
        case "extension": return .leftOut(.extensionComment)
        case "database": return .leftOut(.database)
        case "large": return .leftOut(.largeObject)
        case "role": return .leftOut(.role)
        case "tablespace": return .leftOut(.tablespace)
        case "schema":
            return statement.identifier(at: 3) == "public" ? .leftOut(.publicSchema) : .structure
        case "table", "column", "view", "sequence", "type", "domain", "function", "procedure", "aggregate", "collation",
            "text", "materialized":
            return .structure
        case "index", "statistics": return .role(.other(nil))
        case "constraint", "trigger", "rule", "policy":
            guard statement.skip(past: "on"), !statement.accept("domain") else { return .role(.other(nil)) }
            return .role(.other(statement.acceptTable()))
        default: return .unknown
        }
    }

    /// The beginning of a block of rows. Everything but rows in the dump itself reads or writes on the server.
    private func copy(_ statement: inout SQLStatement, line: Int) -> StatementVerdict {
        let rowsFollow = zip(statement.tokens.indices, statement.tokens.indices.dropFirst()).contains {
            statement.word(at: $0) == "from" && statement.word(at: $1) == "stdin"
        }
        guard let table = statement.acceptTable() else { return .refused(.serverFile, rowsFollow: rowsFollow) }
        let listStart = statement.position
        var columns: [String] = []
        if statement.accept(symbol: "(") {
            repeat {
                guard let column = statement.acceptIdentifier() else {
                    return .refused(.unknown, "a list of columns that cannot be read", rowsFollow: rowsFollow)
                }
                columns.append(column)
            } while statement.accept(symbol: ",")
            guard statement.accept(symbol: ")") else {
                return .refused(.unknown, "a list of columns that cannot be read", rowsFollow: rowsFollow)
            }
        }
        let listEnd = statement.position
        guard statement.accept("from", "stdin"), statement.isAtEnd else {
            return .refused(rowsFollow ? .unknown : .serverFile, rowsFollow: rowsFollow)
        }
        let list =
            listEnd > listStart
            ? statement.bytes[statement.tokens[listStart].start..<statement.tokens[listEnd - 1].end] : []
        guard let text = String(validating: list, as: UTF8.self) else {
            return .refused(.unknown, "a name that is not UTF-8", rowsFollow: rowsFollow)
        }
        return .copy(CopyHeader(table: table, columnList: text, columns: columns, line: line))
    }
}
