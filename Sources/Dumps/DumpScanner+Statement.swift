internal import Glibc
internal import MediaModel

extension DumpScanner {
    /// Inside a statement. Its bytes are kept up to where the statement or the piece ends.
    func scanStatement(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        // A comment's opening may have been cut between statements.
        if outerMode == .between, mode == .dash || mode == .slash { return try scanOpening(piece, start) }
        var index = start
        while index < piece.count {
            switch mode {
            case .code:
                index = try scanCode(piece, index)
                if mode == .between {
                    try keepStatement(piece, start, index)
                    try endStatement()
                    return index + 1
                }
            case .dash, .slash: index = scanCommentOpening(piece, index)
            case .lineComment: index = skipLineComment(piece, index)
            case .blockComment: index = skipBlockComment(piece, index)
            case .string: index = scanString(piece, index)
            case .stringEscape:
                if piece[index] == 0x0A { line += 1 }
                index += 1
                mode = .string
            case .quotedName: index = skipQuotedName(piece, index)
            case .dollarTag: index = try scanDollarTag(piece, index)
            case .dollarBody: index = scanDollarBody(piece, index)
            case .between, .metaCommand, .copyLine, .rows: preconditionFailure("not inside a statement")
            }
        }
        try keepStatement(piece, start, index)
        return index
    }

    private func keepStatement(_ piece: UnsafeRawBufferPointer, _ start: Int, _ end: Int) throws(SyncError) {
        guard statement.count + (end - start) <= bounds.statementMax else {
            throw DumpError.broken(
                "the statement is longer than \(ByteCount.describe(Int64(bounds.statementMax)))",
                line: statementLine
            )
        }
        statement.append(contentsOf: piece[start..<end])
    }

    private func endStatement() throws(SyncError) {
        if try handler.statement(statement, line: statementLine) {
            mode = .copyLine
            copyLineStart = line
            carriedRow.removeAll()
        }
    }

    /// Code up to its `;` (mode `between`, the index on it), to what begins another mode (the index behind it), or to the
    /// end of the piece.
    private func scanCode(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        var index = start
        while index < piece.count {
            let byte = piece[index]
            if SQLByte.beginsName(byte) || SQLByte.isDigit(byte) || byte == 0x24 && words.isInName {
                words.add(byte)
                continuation = .none
                index += 1
                continue
            }
            switch byte {
            case 0x27:
                let continues = continuation == .adjacent || continuation == .newline
                isEscapeString = words.isEscapePrefix || continues
                words.addOther(byte, isSpace: false)
                mode = .string
                return index + 1
            case 0x22:
                words.addOther(byte, isSpace: false)
                continuation = .none
                mode = .quotedName
                return index + 1
            case 0x24:
                words.addOther(byte, isSpace: false)
                continuation = .none
                dollarQuote = [byte]
                mode = .dollarTag
                return index + 1
            case 0x2D, 0x2F:
                mode = byte == 0x2D ? .dash : .slash
                outerMode = .code
                return index + 1
            case 0x3B:
                words.addOther(byte, isSpace: false)
                continuation = .none
                if words.endsAtSemicolon {
                    mode = .between
                    return index
                }
            case 0x5C:
                words.addOther(byte, isSpace: false)
                continuation = .none
                if !hasStray { try handler.strayCommand(line: line) }
                hasStray = true
            default:
                noteOther(byte)
            }
            index += 1
        }
        return index
    }

    /// Spaces and operators.
    private func noteOther(_ byte: UInt8) {
        let isSpace = SQLByte.isSpace(byte)
        words.addOther(byte, isSpace: isSpace)
        if byte == 0x0A { line += 1 }
        if !isSpace {
            continuation = .none
        } else if continuation != .none, continuation != .newline {
            continuation = byte == 0x0A || byte == 0x0D ? .newline : .spaced
        }
    }

    /// Behind a `-` or `/` in code.
    private func scanCommentOpening(_ piece: UnsafeRawBufferPointer, _ index: Int) -> Int {
        let isDash = mode == .dash
        if isDash, piece[index] == 0x2D {
            words.endWord()
            if continuation == .adjacent { continuation = .spaced }
            mode = .lineComment
            return index + 1
        }
        if !isDash, piece[index] == 0x2A {
            words.endWord()
            continuation = .none
            beginBlockComment()
            return index + 1
        }
        // An operator; the byte behind it is looked at in its own right.
        noteOther(isDash ? 0x2D : 0x2F)
        mode = .code
        return index
    }

    private func skipLineComment(_ piece: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var index = start
        while index < piece.count, piece[index] != 0x0A, piece[index] != 0x0D { index += 1 }
        if index < piece.count { mode = .code }
        return index
    }

    /// A string up to its quote. A doubled quote ends one and begins the next, which is the same as one string.
    private func scanString(_ piece: UnsafeRawBufferPointer, _ start: Int) -> Int {
        if !isEscapeString {
            let end = find(0x27, piece, start)
            line += newlines(piece, start, end)
            if end == piece.count { return end }
            mode = .code
            continuation = .none
            return end + 1
        }
        var index = start
        while index < piece.count {
            let byte = piece[index]
            index += 1
            switch byte {
            case 0x0A: line += 1
            case 0x5C:
                mode = .stringEscape
                return index
            case 0x27:
                mode = .code
                continuation = .adjacent
                return index
            default: break
            }
        }
        return index
    }

    private func skipQuotedName(_ piece: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let end = find(0x22, piece, start)
        line += newlines(piece, start, end)
        if end == piece.count { return end }
        mode = .code
        return end + 1
    }

    /// Behind a `$`: the tag of a dollar quote up to its second `$`, or a parameter, or nothing.
    private func scanDollarTag(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        var index = start
        while index < piece.count {
            let byte = piece[index]
            if byte == 0x24 {
                dollarQuote.append(byte)
                dollarMatched = 0
                words = words.afterQuote()
                mode = .dollarBody
                return index + 1
            }
            let belongs = SQLByte.beginsName(byte) || SQLByte.isDigit(byte) && dollarQuote.count > 1
            if !belongs {
                // What was read is a `$` and a word.
                mode = .code
                return index
            }
            words.add(byte)
            dollarQuote.append(byte)
            if dollarQuote.count > ScanBounds.tagMax {
                throw DumpError.broken("the tag of a dollar quote is too long", line: line)
            }
            index += 1
        }
        return index
    }

    private func scanDollarBody(_ piece: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var index = start
        while index < piece.count {
            if dollarMatched == 0 {
                let next = find(0x24, piece, index)
                line += newlines(piece, index, next)
                if next == piece.count { return next }
                dollarMatched = 1
                index = next + 1
                continue
            }
            let byte = piece[index]
            if byte == dollarQuote[dollarMatched] {
                dollarMatched += 1
                index += 1
                if dollarMatched == dollarQuote.count {
                    mode = .code
                    return index
                }
            } else {
                // The tag has no `$`, so that only this byte can begin it anew.
                dollarMatched = 0
            }
        }
        return index
    }

    private func find(_ byte: UInt8, _ piece: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard let base = piece.baseAddress, start < piece.count,
            let found = memchr(base + start, Int32(byte), piece.count - start)
        else { return piece.count }
        return UnsafeRawPointer(found) - base
    }

    private func newlines(_ piece: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int {
        var count = 0
        var index = start
        while index < end {
            let next = find(0x0A, piece, index)
            if next >= end { break }
            count += 1
            index = next + 1
        }
        return count
    }
}
