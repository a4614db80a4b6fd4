extension StatementClassifier {
    private static let languages: Set<String> = ["sql", "plpgsql"]

    func create(_ statement: inout SQLStatement) -> StatementVerdict {
        _ = statement.accept("or", "replace")
        let kind = statement.acceptIdentifier()
        switch kind {
        case "table": return createTable(&statement)
        case "unlogged":
            return statement.accept("table") ? createTable(&statement) : .unknown
        case "function", "procedure": return function(statement)
        case "index", "unique": return index(&statement, isUnique: kind == "unique")
        case "trigger", "constraint": return trigger(&statement, isConstraint: kind == "constraint")
        case "schema":
            return statement.identifier(at: statement.position) == "public" ? .leftOut(.publicSchema) : .structure
        case "sequence", "domain", "aggregate", "collation", "view": return .structure
        case "recursive": return statement.accept("view") ? .structure : .unknown
        case "type": return type(&statement)
        case "materialized":
            // Filled later, by REFRESH.
            guard statement.accept("view"), endsWith(["with", "no", "data"], statement) else { return .unknown }
            return .structure
        case "text":
            guard statement.accept("search"), statement.accept(anyOf: ["configuration", "dictionary"]) != nil else {
                return .unknown
            }
            return .structure
        case "statistics": return .role(.other(nil))
        case "rule":
            guard statement.skip(past: "to") else { return .unknown }
            return statement.acceptTable().map { .role(.other($0)) } ?? .unknown
        case "policy":
            guard statement.skip(past: "on") else { return .unknown }
            return statement.acceptTable().map { .role(.other($0)) } ?? .unknown
        case "extension": return extensions(&statement)
        case "language", "procedural", "trusted": return language(&statement, kind: kind)
        case "role", "group", "tablespace": return .refused(.server)
        case "user": return statement.accept("mapping") ? .refused(.outside) : .refused(.server)
        case "event", "foreign", "server", "publication", "subscription": return .refused(.outside)
        default: return .unknown
        }
    }

    private func endsWith(_ words: [String], _ statement: SQLStatement) -> Bool {
        let start = statement.tokens.count - words.count
        return start >= 0 && words.enumerated().allSatisfy { statement.word(at: start + $0.offset) == $0.element }
    }

    /// A table of its own, not one made from a query.
    private func createTable(_ statement: inout SQLStatement) -> StatementVerdict {
        guard statement.acceptTable() != nil else { return .unknown }
        return statement.skip(past: "as") ? .unknown : .structure
    }

    private func type(_ statement: inout SQLStatement) -> StatementVerdict {
        guard statement.acceptTable() != nil, statement.accept("as") else { return .unknown }
        return .structure
    }

    private func index(_ statement: inout SQLStatement, isUnique: Bool) -> StatementVerdict {
        if isUnique, !statement.accept("index") { return .unknown }
        guard statement.word(at: statement.position) != "concurrently", statement.acceptTable() != nil,
            statement.accept("on")
        else { return .unknown }
        _ = statement.accept("only")
        return statement.acceptTable().map { .role(.index($0)) } ?? .unknown
    }

    private func trigger(_ statement: inout SQLStatement, isConstraint: Bool) -> StatementVerdict {
        if isConstraint, !statement.accept("trigger") { return .unknown }
        guard statement.acceptIdentifier() != nil, statement.skip(past: "on") else { return .unknown }
        return statement.acceptTable().map { .role(.trigger($0)) } ?? .unknown
    }

    private func extensions(_ statement: inout SQLStatement) -> StatementVerdict {
        _ = statement.accept("if", "not", "exists")
        guard let name = statement.acceptIdentifier() else { return .unknown }
        let verdict = ExtensionPolicy.verdict(name)
        guard verdict == .structure else { return verdict }
        _ = statement.accept("with")
        if statement.accept("schema"), statement.acceptIdentifier() == nil { return .unknown }
        return statement.isAtEnd ? .structure : .unknown
    }

    /// Servers have plpgsql; older dumps make it all the same.
    private func language(_ statement: inout SQLStatement, kind: String?) -> StatementVerdict {
        if kind == "trusted" { _ = statement.accept("procedural") }
        if kind != "language", !statement.accept("language") { return .unknown }
        return statement.acceptIdentifier() == "plpgsql" && statement.isAtEnd
            ? .leftOut(.serverExtension) : .refused(.language)
    }

    // MARK: Functions

    /// Functions in SQL and PL/pgSQL run with the rights of a plain role. Everything in their bodies is looked through.
    private func function(_ statement: SQLStatement) -> StatementVerdict {
        var depth = 0
        var languages = 0
        for (index, token) in statement.tokens.enumerated() {
            switch token.kind {
            case .symbol:
                if statement.isSymbol("(", at: index) { depth += 1 }
                if statement.isSymbol(")", at: index) { depth -= 1 }
            case .word where depth == 0 && statement.word(at: index) == "language":
                languages += 1
                let name = statement.identifier(at: index + 1) ?? statement.string(at: index + 1)
                guard let name, Self.languages.contains(name) else { return .refused(.language, name) }
            case .word where depth == 0 && statement.word(at: index) == "begin":
                guard statement.word(at: index + 1) == "atomic" else { continue }
                if !isAtomicBody(statement, from: index + 2) { return .refused(.unknown, "a function's body") }
            case .string, .dollarString:
                if let name = DeniedNames.first(inBody: statement.bytes[token.start..<token.end]) {
                    return .refused(.serverFunction, name)
                }
            default: break
            }
        }
        return languages == 1 ? .structure : .refused(.language, "none named")
    }

    /// The statements between BEGIN ATOMIC and END, each of a kind that such a body may have: whatever stood behind a
    /// mistaken END would have to be of one as well.
    private func isAtomicBody(_ statement: SQLStatement, from start: Int) -> Bool {
        let kinds: Set<String> = ["select", "insert", "update", "delete", "merge", "with", "values", "return"]
        var isBeginning = true
        for index in start..<statement.tokens.count {
            if statement.isSymbol(";", at: index) {
                isBeginning = true
            } else if isBeginning {
                isBeginning = false
                guard let word = statement.word(at: index) else { return false }
                if word == "end" { return index == statement.tokens.count - 1 }
                if !kinds.contains(word) { return false }
            }
        }
        return false
    }
}
