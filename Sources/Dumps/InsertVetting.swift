/// INSERT statements of `--inserts` and `--rows-per-insert`: a list of literals and nothing else. They are most of such a
/// dump, so that they are read in one pass that keeps nothing.
enum InsertVetting {
    static func isInsert(_ bytes: [UInt8]) -> Bool {
        zip(bytes, "insert".utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    static func verdict(_ bytes: [UInt8]) -> StatementVerdict {
        bytes.withUnsafeBufferPointer { buffer in
            var reader = Reader(SQLTokenizer(buffer), buffer)
            return reader.statement() ?? .refused(.unknown, "an INSERT with something other than literals")
        }
    }

    private struct Reader {
        private var tokenizer: SQLTokenizer
        private let bytes: UnsafeBufferPointer<UInt8>
        private var token: SQLToken?

        init(_ tokenizer: SQLTokenizer, _ bytes: UnsafeBufferPointer<UInt8>) {
            self.tokenizer = tokenizer
            self.bytes = bytes
            token = self.tokenizer.next()
        }

        private mutating func advance() { token = tokenizer.next() }

        private func isWord(_ word: StaticString) -> Bool {
            guard let token, token.kind == .word, token.end - token.start == word.utf8CodeUnitCount else {
                return false
            }
            return word.withUTF8Buffer { expected in
                zip(bytes[token.start..<token.end], expected).allSatisfy { $0 | 0x20 == $1 }
            }
        }

        private func isSymbol(_ symbol: UInt8) -> Bool {
            token?.kind == .symbol && token.map { bytes[$0.start] == symbol } == true
        }

        private mutating func accept(_ word: StaticString) -> Bool {
            guard isWord(word) else { return false }
            advance()
            return true
        }

        private mutating func accept(symbol: Character) -> Bool {
            guard let byte = symbol.asciiValue, isSymbol(byte) else { return false }
            advance()
            return true
        }

        private mutating func name() -> String? {
            guard let token, token.kind == .word || token.kind == .name else { return nil }
            defer { advance() }
            return SQLStatement.identifier(Array(bytes[token.start..<token.end]), isQuoted: token.kind == .name)
        }

        mutating func statement() -> StatementVerdict? {
            guard accept("insert"), accept("into"), let first = name() else { return nil }
            var table = TableName(first)
            if accept(symbol: ".") {
                guard let second = name() else { return nil }
                table = TableName(schema: first, name: second)
            }
            if accept(symbol: "(") {
                repeat { guard name() != nil else { return nil } } while accept(symbol: ",")
                guard accept(symbol: ")") else { return nil }
            }
            if accept("overriding") { guard accept("system"), accept("value") else { return nil } }
            var rows = 0
            if accept("default") {
                guard accept("values") else { return nil }
                rows = 1
            } else {
                guard accept("values") else { return nil }
                repeat {
                    guard row() else { return nil }
                    rows += 1
                } while accept(symbol: ",")
            }
            if accept("on") { guard accept("conflict"), accept("do"), accept("nothing") else { return nil } }
            return token == nil && !tokenizer.isBroken ? .role(.insert(table), rows: rows) : nil
        }

        private mutating func row() -> Bool {
            guard accept(symbol: "(") else { return false }
            if accept(symbol: ")") { return true }
            repeat {
                _ = accept(symbol: "-")
                guard let value = token else { return false }
                switch value.kind {
                case .string, .number: advance()
                case .word:
                    guard accept("null") || accept("true") || accept("false") || accept("default") else { return false }
                default: return false
                }
            } while accept(symbol: ",")
            return accept(symbol: ")")
        }
    }
}
