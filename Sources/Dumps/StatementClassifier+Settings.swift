extension StatementClassifier {
    /// Settings that every connection takes over from the dump.
    private static let known: Set<String> = [
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "check_function_bodies",
        "xmloption",
        "client_min_messages", "row_security", "search_path",
    ]

    /// Settings that older or newer servers do not know, or that mean nothing for a staging database.
    private static let leftOut: Set<String> = [
        "transaction_timeout", "idle_session_timeout", "default_with_oids", "default_table_access_method",
        "default_transaction_read_only", "escape_string_warning", "default_toast_compression",
    ]

    /// `SET name = value`.
    func setting(_ statement: inout SQLStatement) -> StatementVerdict {
        guard let name = statement.word(at: 1) else { return .refused(.setting) }
        if ["role", "session", "local"].contains(name) { return .refused(.identity) }
        statement.position = 2
        guard statement.accept(symbol: "=") || statement.accept("to"), !statement.isAtEnd else {
            return .refused(.setting)
        }
        let value = statement.position
        guard isLiteralList(statement, from: value) else { return .refused(.setting) }
        let text = statement.tokens.count == value + 1 ? plainValue(statement, at: value) : nil
        switch name {
        case "standard_conforming_strings":
            return text == "on" ? .role(.setting) : .refused(.setting, "standard_conforming_strings must be on")
        case "client_encoding":
            guard let text, ["utf8", "utf-8", "unicode"].contains(text.lowercased()) else {
                return .refused(.encoding)
            }
            return .encoding("UTF8")
        case "default_tablespace":
            return text == "" ? .role(.setting) : .leftOut(.tablespace)
        default:
            if Self.leftOut.contains(name) { return .leftOut(.setting) }
            return Self.known.contains(name) ? .role(.setting) : .refused(.setting, name)
        }
    }

    private func plainValue(_ statement: SQLStatement, at index: Int) -> String? {
        statement.string(at: index) ?? statement.identifier(at: index)
    }

    /// Words, names, strings and numbers with commas between.
    private func isLiteralList(_ statement: SQLStatement, from start: Int) -> Bool {
        for index in start..<statement.tokens.count {
            switch statement.tokens[index].kind {
            case .word, .name, .string, .number: break
            case .symbol where statement.isSymbol(",", at: index) || statement.isSymbol("-", at: index): break
            default: return false
            }
        }
        return true
    }

    /// The few functions that dumps call: a sequence's value, the search path, large objects, statistics.
    func select(_ statement: inout SQLStatement) -> StatementVerdict {
        if statement.isSymbol("*", at: 1), statement.word(at: 2) == "from" { statement.position = 3 }
        guard statement.accept("pg_catalog"), statement.accept(symbol: "."),
            let function = statement.acceptIdentifier(),
            statement.accept(symbol: "(")
        else { return refusedSelect(statement) }
        let first = statement.position
        switch function {
        case "setval":
            // The name, the value, whether it was used.
            guard statement.string(at: first) != nil, endsWithLiterals(statement, from: first) else {
                return refusedSelect(statement)
            }
            return .role(.sequenceValue)
        case "set_config":
            guard statement.string(at: first) == "search_path", endsWithLiterals(statement, from: first) else {
                return .refused(.setting)
            }
            return .role(.setting)
        case "lo_create", "lo_open", "lowrite", "lo_close", "lo_unlink", "lo_put", "lo_from_bytea":
            return endsWithLiterals(statement, from: first) ? .leftOut(.largeObject) : refusedSelect(statement)
        case "pg_restore_relation_stats", "pg_restore_attribute_stats", "pg_restore_extended_stats",
            "pg_clear_relation_stats", "pg_clear_attribute_stats":
            return .leftOut(.statistics)
        default: return refusedSelect(statement)
        }
    }

    /// Literals, commas and one closing parenthesis up to the end.
    private func endsWithLiterals(_ statement: SQLStatement, from start: Int) -> Bool {
        let last = statement.tokens.count - 1
        guard last >= start, statement.isSymbol(")", at: last) else { return false }
        for index in start..<last {
            switch statement.tokens[index].kind {
            case .string, .number: break
            case .word:
                guard let word = statement.word(at: index), ["true", "false", "null"].contains(word) else {
                    return false
                }
            case .symbol where statement.isSymbol(",", at: index) || statement.isSymbol("-", at: index): break
            default: return false
            }
        }
        return true
    }

    private func refusedSelect(_ statement: SQLStatement) -> StatementVerdict {
        for index in statement.tokens.indices {
            if let name = statement.identifier(at: index), DeniedNames.contains(name) {
                return .refused(.serverFunction, name)
            }
        }
        return .unknown
    }
}
