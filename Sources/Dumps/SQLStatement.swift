internal import MediaModel

/// A whole statement with its tokens, and a place in it from which it is read on.
struct SQLStatement {
    let bytes: [UInt8]
    let tokens: [SQLToken]
    var position = 0

    /// Nil where the text cannot be cut into tokens.
    init?(_ bytes: [UInt8]) {
        guard let tokens = SQLTokenizer.tokens(of: bytes) else { return nil }
        self.bytes = bytes
        self.tokens = tokens
    }

    /// A statement as people see it: escaped, in one line, cut short.
    static func excerpt(of bytes: [UInt8], limit: Int = 100) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            if SQLByte.isSpace(byte) {
                if text.last != 0x20 { text.append(0x20) }
            } else {
                text.append(byte)
            }
            if text.count >= limit { return BytePath.escaped(text) + "..." }
        }
        return BytePath.escaped(text)
    }

    var isAtEnd: Bool { position >= tokens.count }

    /// Text of a token, lower case for a word, unquoted for a name; nil for other kinds and for what is not UTF-8.
    func identifier(at index: Int) -> String? {
        guard index < tokens.count else { return nil }
        let token = tokens[index]
        guard token.kind == .word || token.kind == .name else { return nil }
        return Self.identifier(bytes[token.start..<token.end], isQuoted: token.kind == .name)
    }

    /// The name that some text stands for.
    static func identifier(_ text: some Collection<UInt8>, isQuoted: Bool) -> String? {
        if isQuoted { return unquoted(text, quote: 0x22) }
        return String(validating: text.lazy.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// What stands between quotes, with doubled ones made single.
    private static func unquoted(_ text: some Collection<UInt8>, quote: UInt8) -> String? {
        var result: [UInt8] = []
        var isSecond = false
        for byte in text.dropFirst().dropLast() {
            isSecond = byte == quote && !isSecond
            if !isSecond { result.append(byte) }
        }
        return String(validating: result, as: UTF8.self)
    }

    /// The value of a string token without a prefix; nil for every other.
    func string(at index: Int) -> String? {
        guard index < tokens.count, tokens[index].kind == .string, bytes[tokens[index].start] == 0x27 else {
            return nil
        }
        return Self.unquoted(bytes[tokens[index].start..<tokens[index].end], quote: 0x27)
    }

    /// A keyword at a place; not where it is quoted.
    func word(at index: Int) -> String? {
        guard index < tokens.count, tokens[index].kind == .word else { return nil }
        return identifier(at: index)
    }

    func isSymbol(_ symbol: Character, at index: Int) -> Bool {
        guard index < tokens.count, tokens[index].kind == .symbol, let byte = symbol.asciiValue else { return false }
        return bytes[tokens[index].start] == byte
    }

    // MARK: Reading on

    /// Reads keywords in this order, all or none.
    mutating func accept(_ words: String...) -> Bool {
        for (offset, word) in words.enumerated() where self.word(at: position + offset) != word { return false }
        position += words.count
        return true
    }

    /// Reads one of some keywords.
    mutating func accept(anyOf words: Set<String>) -> String? {
        guard let word = word(at: position), words.contains(word) else { return nil }
        position += 1
        return word
    }

    mutating func accept(symbol: Character) -> Bool {
        guard isSymbol(symbol, at: position) else { return false }
        position += 1
        return true
    }

    /// Reads a name.
    mutating func acceptIdentifier() -> String? {
        guard let name = identifier(at: position) else { return nil }
        position += 1
        return name
    }

    /// Reads `name` or `schema.name`. A name alone is taken for one in `public`.
    mutating func acceptTable() -> TableName? {
        guard let first = acceptIdentifier() else { return nil }
        guard accept(symbol: ".") else { return TableName(first) }
        guard let second = acceptIdentifier() else { return nil }
        return TableName(schema: first, name: second)
    }

    /// Reads a keyword that stands somewhere ahead outside of parentheses, and what is before it.
    mutating func skip(past word: String) -> Bool {
        var depth = 0
        var index = position
        while index < tokens.count {
            if isSymbol("(", at: index) { depth += 1 }
            if isSymbol(")", at: index) { depth -= 1 }
            if depth == 0, self.word(at: index) == word {
                position = index + 1
                return true
            }
            index += 1
        }
        return false
    }
}

extension SQLStatement {
    /// The table that CREATE TABLE makes; nil for every other statement.
    static func createdTable(_ bytes: [UInt8]) -> TableName? {
        // Function bodies and views are not cut into tokens for this.
        guard zip(bytes, "create".utf8).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        let start = excerpt(of: Array(bytes.prefix(40))).lowercased()
        guard start.hasPrefix("create table ") || start.hasPrefix("create unlogged table "),
            var statement = SQLStatement(bytes)
        else { return nil }
        statement.position = start.hasPrefix("create u") ? 3 : 2
        return statement.acceptTable()
    }

    /// The index that CREATE INDEX makes, without its schema, which is the table's.
    static func createdIndex(_ bytes: [UInt8]) -> String? {
        guard var statement = SQLStatement(bytes), statement.accept("create") else { return nil }
        _ = statement.accept("unique")
        return statement.accept("index") ? statement.acceptIdentifier() : nil
    }
}
