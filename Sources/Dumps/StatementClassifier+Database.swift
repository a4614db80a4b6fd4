extension StatementClassifier {
    /// What pg_dump writes of the database itself: with `--clean` DROP DATABASE, with `--create` CREATE DATABASE behind it,
    /// then its owner, settings and limits. None of it is run. Anything about another database, and what pg_dump does not
    /// write, is refused.
    mutating func database(_ verb: String, _ statement: inout SQLStatement, scope: Scope) -> StatementVerdict {
        statement.position = 2
        if verb == "drop" { _ = statement.accept("if", "exists") }
        guard let name = statement.acceptIdentifier() else { return .refused(.server) }
        switch verb {
        case "create": return create(database: name, scope)
        case "drop": return statement.isAtEnd ? drop(database: name, scope) : .refused(.server)
        default: return isOwn(name, scope) && isProperty(&statement) ? .leftOut(.database) : .refused(.server)
        }
    }

    private mutating func create(database name: String, _ scope: Scope) -> StatementVerdict {
        switch scope {
        case .outside: return .leftOut(.database)
        case .database: return .refused(.server)
        case .single:
            guard createdDatabase == nil, droppedDatabase == nil || droppedDatabase == name else {
                return .refused(.server, "the dump is of another database")
            }
            createdDatabase = name
            droppedDatabase = nil
            return .leftOut(.database)
        }
    }

    private mutating func drop(database name: String, _ scope: Scope) -> StatementVerdict {
        switch scope {
        case .outside: return .leftOut(.database)
        case .database: return .refused(.server)
        case .single:
            guard createdDatabase == nil, droppedDatabase == nil else { return .refused(.server) }
            droppedDatabase = name
            return .leftOut(.database)
        }
    }

    /// DROP DATABASE stands before CREATE DATABASE of the same name, and nowhere else.
    mutating func afterDrop(_ statement: SQLStatement) -> StatementVerdict? {
        guard let name = droppedDatabase,
            statement.word(at: 0) != "create" || statement.word(at: 1) != "database"
        else { return nil }
        droppedDatabase = nil
        return .refused(.server, "DROP DATABASE \(name) stands before it without CREATE DATABASE")
    }

    private func isOwn(_ name: String, _ scope: Scope) -> Bool {
        switch scope {
        case .outside: true
        case .single: createdDatabase == name
        case .database(let current): current == name
        }
    }

    /// Its owner, settings, limits and marks; not its name, its place, or the version of its collation.
    private func isProperty(_ statement: inout SQLStatement) -> Bool {
        if statement.accept("owner", "to") { return true }
        if statement.accept("set") { return statement.word(at: statement.position) != "tablespace" }
        _ = statement.accept("with")
        return statement.accept("connection", "limit")
            || statement.accept(anyOf: ["is_template", "allow_connections"]) != nil
    }
}
