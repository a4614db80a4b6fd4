internal import Glibc
internal import MediaModel

extension DumpScanner {
    /// Spaces, comments and commands; the first byte of anything else begins a statement.
    func scanBetween(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        var index = start
        while index < piece.count {
            let byte = piece[index]
            switch byte {
            case 0x0A: line += 1
            case 0x20, 0x09, 0x0B, 0x0C, 0x0D, 0x3B: break
            case 0x2D, 0x2F:
                mode = byte == 0x2D ? .dash : .slash
                outerMode = .between
                return try scanOpening(piece, index + 1)
            case 0x5C:
                mode = .metaCommand
                text.removeAll(keepingCapacity: true)
                return index
            default:
                beginStatement()
                return index
            }
            index += 1
        }
        return index
    }

    /// Behind a `-` or `/` between statements: a comment, or a statement that begins with an operator.
    func scanOpening(_ piece: UnsafeRawBufferPointer, _ index: Int) throws(SyncError) -> Int {
        guard index < piece.count else { return index }
        let isDash = mode == .dash
        if isDash, piece[index] == 0x2D {
            mode = .lineComment
            text = [0x2D, 0x2D]
            return index + 1
        }
        if !isDash, piece[index] == 0x2A {
            beginBlockComment()
            return index + 1
        }
        beginStatement()
        statement.append(isDash ? 0x2D : 0x2F)
        return index
    }

    private func beginStatement() {
        mode = .code
        statementLine = line
        statement.removeAll(keepingCapacity: statement.capacity <= 1 << 20)
        words = WordTracker()
        continuation = .none
        hasStray = false
    }

    func beginBlockComment() {
        mode = .blockComment
        commentDepth = 1
        commentPrevious = 0
    }

    /// A comment between statements. A carriage return ends it for the server.
    func scanComment(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        if mode == .blockComment { return skipBlockComment(piece, start) }
        var index = start
        while index < piece.count, piece[index] != 0x0A, piece[index] != 0x0D { index += 1 }
        keepText(piece, start, index)
        if index < piece.count { try endLineComment() }
        return index
    }

    func endLineComment() throws(SyncError) {
        mode = .between
        try handler.comment(text, line: line)
    }

    /// Up to the end of the comment or of the piece. Comments nest.
    func skipBlockComment(_ piece: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var index = start
        while index < piece.count {
            let byte = piece[index]
            index += 1
            if byte == 0x0A { line += 1 }
            if commentPrevious == 0x2A, byte == 0x2F {
                commentDepth -= 1
                commentPrevious = 0
                if commentDepth == 0 {
                    mode = outerMode
                    return index
                }
            } else if commentPrevious == 0x2F, byte == 0x2A {
                commentDepth += 1
                commentPrevious = 0
            } else {
                commentPrevious = byte
            }
        }
        return index
    }

    func scanMetaCommand(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        var index = start
        while index < piece.count, piece[index] != 0x0A { index += 1 }
        keepText(piece, start, index)
        if index < piece.count { try endMetaCommand(isCut: false) }
        return index
    }

    func endMetaCommand(isCut: Bool) throws(SyncError) {
        mode = .between
        if text.last == 0x0D { text.removeLast() }
        try handler.metaCommand(text, line: line, isCut: isCut)
    }

    private func keepText(_ piece: UnsafeRawBufferPointer, _ start: Int, _ end: Int) {
        let room = max(0, ScanBounds.textMax - text.count)
        text.append(contentsOf: piece[start..<min(end, start + room)])
    }
}
