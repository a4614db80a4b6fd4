internal import Glibc

/// One token of a statement: what it is and where its text lies.
struct SQLToken {
    enum Kind: UInt8 {
        /// A keyword or name without quotes.
        case word
        /// A name in double quotes.
        case name
        /// A string in single quotes, with its prefix if it has one.
        case string
        case dollarString
        case number
        /// `$1`.
        case parameter
        /// One byte of anything else.
        case symbol
        /// A string or name with `U&` before it, which no dump has.
        case unicode
    }

    let kind: Kind
    let start: Int
    let end: Int
}

/// Cuts a whole statement into tokens, by the rules of `DumpScanner`. Comments are passed over.
struct SQLTokenizer {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0
    /// Something was open at the end of the text.
    private(set) var isBroken = false

    /// - Parameter bytes: valid while this is used.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The tokens of a statement; nil where something in it is open, or where there are more than a dump's have.
    static func tokens(of statement: [UInt8], limit: Int = 1 << 20) -> [SQLToken]? {
        statement.withUnsafeBufferPointer { bytes in
            var tokenizer = SQLTokenizer(bytes)
            var tokens: [SQLToken] = []
            while let token = tokenizer.next() {
                tokens.append(token)
                if tokens.count > limit { return nil }
            }
            return tokenizer.isBroken ? nil : tokens
        }
    }

    mutating func next() -> SQLToken? {
        skipSpace()
        guard index < bytes.count else { return nil }
        let start = index
        let byte = bytes[index]
        switch byte {
        case 0x27: return quoted(.string, from: start, escapes: false)
        case 0x22: return quoted(.name, from: start, escapes: false)
        case 0x24: return dollar(start)
        default: break
        }
        if SQLByte.isDigit(byte) || byte == 0x2E && start + 1 < bytes.count && SQLByte.isDigit(bytes[start + 1]) {
            return number(start)
        }
        guard SQLByte.beginsName(byte) else {
            index += 1
            return SQLToken(kind: .symbol, start: start, end: index)
        }
        while index < bytes.count, belongsToName(bytes[index]) { index += 1 }
        return prefixed(start) ?? SQLToken(kind: .word, start: start, end: index)
    }

    private func belongsToName(_ byte: UInt8) -> Bool {
        SQLByte.beginsName(byte) || SQLByte.isDigit(byte) || byte == 0x24
    }

    /// A string whose prefix was just read: `E'...'`, `B'...'`, `U&'...'`.
    private mutating func prefixed(_ start: Int) -> SQLToken? {
        guard index - start == 1, index < bytes.count else { return nil }
        switch bytes[start] | 0x20 {
        case UInt8(ascii: "e") where bytes[index] == 0x27: return quoted(.string, from: start, escapes: true)
        case UInt8(ascii: "b"), UInt8(ascii: "x"), UInt8(ascii: "n"):
            return bytes[index] == 0x27 ? quoted(.string, from: start, escapes: false) : nil
        case UInt8(ascii: "u"):
            guard bytes[index] == 0x26, index + 1 < bytes.count, [0x27, 0x22].contains(bytes[index + 1]) else {
                return nil
            }
            index += 1
            let token = quoted(.string, from: start, escapes: false)
            return SQLToken(kind: .unicode, start: start, end: token.end)
        default: return nil
        }
    }

    /// From the opening quote at `index` to the closing one. With escapes the text may go on behind a line feed.
    private mutating func quoted(_ kind: SQLToken.Kind, from start: Int, escapes: Bool) -> SQLToken {
        let quote = bytes[index]
        index += 1
        while index < bytes.count {
            if !escapes { index = place(of: quote, from: index) }
            guard index < bytes.count else { break }
            let byte = bytes[index]
            index += 1
            if escapes, byte == 0x5C {
                index = min(index + 1, bytes.count)
            } else if byte == quote {
                if index < bytes.count, bytes[index] == quote {
                    index += 1
                } else if let next = escapes ? continuation() : nil {
                    index = next
                } else {
                    return SQLToken(kind: kind, start: start, end: index)
                }
            }
        }
        isBroken = true
        return SQLToken(kind: kind, start: start, end: index)
    }

    /// Where a byte comes next; the end of the text where it does not.
    private func place(of byte: UInt8, from start: Int) -> Int {
        guard let base = bytes.baseAddress, let found = memchr(base + start, Int32(byte), bytes.count - start) else {
            return bytes.count
        }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// Behind the quote that goes on with the string, where spaces with a line feed and a quote come next.
    private func continuation() -> Int? {
        var place = index
        var sawNewline = false
        while place < bytes.count {
            let byte = bytes[place]
            if byte == 0x0A || byte == 0x0D { sawNewline = true }
            if SQLByte.isSpace(byte) {
                place += 1
            } else if byte == 0x2D, place + 1 < bytes.count, bytes[place + 1] == 0x2D {
                while place < bytes.count, bytes[place] != 0x0A, bytes[place] != 0x0D { place += 1 }
            } else {
                return byte == 0x27 && sawNewline ? place + 1 : nil
            }
        }
        return nil
    }

    private mutating func dollar(_ start: Int) -> SQLToken {
        index += 1
        if index < bytes.count, SQLByte.isDigit(bytes[index]) {
            while index < bytes.count, SQLByte.isDigit(bytes[index]) { index += 1 }
            return SQLToken(kind: .parameter, start: start, end: index)
        }
        var place = index
        while place < bytes.count, SQLByte.beginsName(bytes[place]) || place > index && SQLByte.isDigit(bytes[place]) {
            place += 1
        }
        guard place < bytes.count, bytes[place] == 0x24 else {
            return SQLToken(kind: .symbol, start: start, end: index)
        }
        let quote = bytes[start...place]
        place += 1
        while place + quote.count <= bytes.count {
            if bytes[place] == 0x24, bytes[place..<(place + quote.count)].elementsEqual(quote) {
                index = place + quote.count
                return SQLToken(kind: .dollarString, start: start, end: index)
            }
            place += 1
        }
        isBroken = true
        index = bytes.count
        return SQLToken(kind: .dollarString, start: start, end: index)
    }

    /// Digits with what belongs to a number; a letter that does not ends it, as it did before PostgreSQL 15.
    private mutating func number(_ start: Int) -> SQLToken {
        while index < bytes.count, SQLByte.isDigit(bytes[index]) || bytes[index] == 0x2E { index += 1 }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            var place = index + 1
            if place < bytes.count, bytes[place] == 0x2B || bytes[place] == 0x2D { place += 1 }
            if place < bytes.count, SQLByte.isDigit(bytes[place]) {
                while place < bytes.count, SQLByte.isDigit(bytes[place]) { place += 1 }
                index = place
            }
        }
        return SQLToken(kind: .number, start: start, end: index)
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            let byte = bytes[index]
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if SQLByte.isSpace(byte) {
                index += 1
            } else if byte == 0x2D, next == 0x2D {
                while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
            } else if byte == 0x2F, next == 0x2A {
                skipBlockComment()
            } else {
                return
            }
        }
    }

    private mutating func skipBlockComment() {
        var depth = 0
        while index + 1 < bytes.count {
            if bytes[index] == 0x2F, bytes[index + 1] == 0x2A {
                depth += 1
                index += 2
            } else if bytes[index] == 0x2A, bytes[index + 1] == 0x2F {
                depth -= 1
                index += 2
                if depth == 0 { return }
            } else {
                index += 1
            }
        }
        isBroken = true
        index = bytes.count
    }
}
