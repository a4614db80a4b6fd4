extension StatementClassifier {
    /// What can have an owner, by the first word after ALTER.
    private static let owned: Set<String> = [
        "table", "sequence", "view", "materialized", "type", "domain", "function", "procedure", "aggregate", "schema",
        "collation", "text", "statistics", "operator", "conversion", "routine",
    ]

    func alter(_ statement: inout SQLStatement) -> StatementVerdict {
        guard let kind = statement.acceptIdentifier() else { return .unknown }
        switch kind {
        case "system": return .refused(.server)
        case "default": return statement.accept("privileges") ? .leftOut(.privilege) : .unknown
        case "large": return .leftOut(.largeObject)
        case "role" where isDatabaseSetting(statement): return .leftOut(.role)
        case "role", "group", "tablespace": return .refused(.server)
        case "user": return statement.accept("mapping") ? .refused(.outside) : .refused(.server)
        case "event", "foreign", "server", "publication", "subscription": return .refused(.outside)
        case "language", "procedural": return isOwner(statement) ? .leftOut(.owner) : .refused(.language)
        default: break
        }
        if Self.owned.contains(kind), isOwner(statement) { return .leftOut(.owner) }
        switch kind {
        case "table": return alterTable(&statement)
        case "sequence":
            guard statement.acceptTable() != nil, statement.accept("owned", "by") else { return .unknown }
            return .structure
        case "view":
            guard statement.acceptTable() != nil, statement.accept("alter"), defaultOf(&statement) else {
                return .unknown
            }
            return .structure
        case "index", "materialized", "statistics": return .role(.other(nil))
        case "text":
            guard statement.accept("search", "configuration"), statement.acceptTable() != nil,
                statement.accept("add", "mapping")
            else { return .unknown }
            return .structure
        default: return .unknown
        }
    }

    /// `ALTER ROLE name IN DATABASE name SET ...`: a setting of a role in the dumped database.
    private func isDatabaseSetting(_ statement: SQLStatement) -> Bool {
        var rest = statement
        return rest.acceptIdentifier() != nil && rest.accept("in", "database") && rest.acceptIdentifier() != nil
            && rest.accept(anyOf: ["set", "reset"]) != nil
    }

    /// `... OWNER TO role` at the very end.
    private func isOwner(_ statement: SQLStatement) -> Bool {
        let count = statement.tokens.count
        return count > 4 && statement.word(at: count - 3) == "owner" && statement.word(at: count - 2) == "to"
            && statement.identifier(at: count - 1) != nil
    }

    /// `[COLUMN] name SET DEFAULT`.
    private func defaultOf(_ statement: inout SQLStatement) -> Bool {
        _ = statement.accept("column")
        return statement.acceptIdentifier() != nil && statement.accept("set", "default")
    }

    private func alterTable(_ statement: inout SQLStatement) -> StatementVerdict {
        let isClean = statement.accept("if", "exists")
        _ = statement.accept("only")
        guard let table = statement.acceptTable(),
            let action = statement.accept(anyOf: [
                "add", "alter", "drop", "attach", "inherit", "cluster", "replica", "enable", "disable", "force", "no",
            ])
        else { return .unknown }
        if isClean, action != "drop", action != "alter" { return .unknown }
        switch action {
        case "add": return constraint(&statement, table)
        case "alter": return column(&statement)
        case "drop": return .leftOut(.drop)
        case "attach": return statement.accept("partition") ? .structure : .unknown
        case "inherit": return .structure
        case "cluster": return statement.accept("on") ? .role(.other(table)) : .unknown
        case "replica": return statement.accept("identity") ? .role(.other(table)) : .unknown
        case "no", "force":
            return statement.accept("force", "row", "level", "security") || statement.accept("row", "level", "security")
                ? .role(.other(table)) : .unknown
        default:
            if statement.accept("row", "level", "security") { return .role(.other(table)) }
            _ = statement.accept(anyOf: ["always", "replica"])
            if statement.accept("trigger") {
                // All at once, around data: what `--disable-triggers` writes.
                return statement.accept("all") || statement.accept("user")
                    ? .leftOut(.triggerSwitch) : .role(.other(table))
            }
            return statement.accept("rule") ? .role(.other(table)) : .unknown
        }
    }

    private func constraint(_ statement: inout SQLStatement, _ table: TableName) -> StatementVerdict {
        guard statement.accept("constraint"), statement.acceptIdentifier() != nil else { return .unknown }
        if statement.accept("primary", "key") || statement.accept("unique") || statement.accept("exclude") {
            return .role(.primaryKey(table))
        }
        if statement.accept("foreign", "key") {
            guard statement.skip(past: "references") else { return .unknown }
            _ = statement.accept("only")
            return statement.acceptTable().map { .role(.foreignKey(table, references: $0)) } ?? .unknown
        }
        return statement.accept("check") || statement.accept("not", "null") ? .role(.other(table)) : .unknown
    }

    /// `ALTER [COLUMN] name ...`: defaults, identities, storage, statistics.
    private func column(_ statement: inout SQLStatement) -> StatementVerdict {
        _ = statement.accept("column")
        guard statement.acceptIdentifier() != nil else { return .unknown }
        if statement.accept("add", "generated") { return .structure }
        if statement.accept("drop", "default") { return .leftOut(.drop) }
        guard statement.accept("set") else { return .unknown }
        if statement.accept(anyOf: ["default", "statistics", "storage", "compression", "not"]) != nil {
            return .structure
        }
        return statement.isSymbol("(", at: statement.position) ? .structure : .unknown
    }
}
