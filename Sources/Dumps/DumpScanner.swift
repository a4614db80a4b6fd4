internal import Glibc
internal import MediaModel

/// Cuts the text of a dump into statements, comments, commands for psql, and blocks of rows, by the lexical rules of the
/// server. It is fed pieces cut anywhere and keeps what is not complete; rows are handed over where they lie.
///
/// The rules are the server's for `standard_conforming_strings = on` and UTF-8; the vetting refuses dumps that change either.
final class DumpScanner<Handler: ScanHandler> {
    enum Mode {
        /// Before the first token of a statement.
        case between
        case code
        /// After a `-` or a `/` that may begin a comment.
        case dash, slash
        case lineComment, blockComment
        case string, stringEscape
        case quotedName
        /// After a `$` that may begin a dollar quote.
        case dollarTag
        case dollarBody
        case metaCommand
        /// Behind the `;` of a COPY statement, up to the end of its line.
        case copyLine
        case rows
    }

    /// What a string with escapes left behind: quotes on a later line continue it.
    enum Continuation {
        case none, adjacent, spaced, newline
    }

    let handler: Handler
    let bounds: ScanBounds
    var mode = Mode.between
    /// Where a comment returns to.
    var outerMode = Mode.between
    /// Line of the next byte, 1-based.
    var line = 1
    var statementLine = 1
    /// The statement so far, without what is in the present piece.
    var statement: [UInt8] = []
    var words = WordTracker()
    /// A backslash was told already in this statement.
    var hasStray = false
    var isEscapeString = false
    var continuation = Continuation.none
    /// `$tag$`, and how much of it was just seen again.
    var dollarQuote: [UInt8] = []
    var dollarMatched = 0
    var commentDepth = 0
    /// The byte before, inside a block comment.
    var commentPrevious: UInt8 = 0
    /// A line comment or command so far.
    var text: [UInt8] = []
    /// A row that was cut by the end of a piece.
    var carriedRow: [UInt8] = []
    var copyLineStart = 0
    private var markSeen = 0
    private var isAtStart = true

    init(handler: Handler, bounds: ScanBounds = ScanBounds()) {
        self.handler = handler
        self.bounds = bounds
    }

    /// Takes the next piece of the text.
    func consume(_ piece: UnsafeRawBufferPointer) throws(SyncError) {
        guard let base = piece.baseAddress, !piece.isEmpty else { return }
        // No text has a NUL; a file with a hole has many.
        let nul = memchr(base, 0, piece.count).map { UnsafeRawPointer($0) - base }
        var index = isAtStart ? skipMark(piece) : 0
        let end = nul ?? piece.count
        while index < end {
            index = try step(UnsafeRawBufferPointer(rebasing: piece[..<end]), from: index)
        }
        if nul != nil {
            throw DumpError.broken("there is a NUL byte; part of the file may never have been written", line: line)
        }
    }

    /// The text has ended. Throws where something was open.
    func finish() throws(SyncError) {
        switch mode {
        case .between: break
        // One byte that begins nothing yet: what is missing behind it the trailer tells.
        case .dash where outerMode == .between, .slash where outerMode == .between: break
        case .lineComment where outerMode == .between: try endLineComment()
        case .metaCommand: try endMetaCommand(isCut: true)
        case .copyLine, .rows: throw cut("it ends inside the rows of a table", since: copyLineStart)
        case .blockComment where outerMode == .between: throw cut("it ends inside a comment", since: line)
        default: throw cut("it ends inside a statement", since: statementLine)
        }
        mode = .between
    }

    private func cut(_ what: String, since line: Int) -> SyncError {
        DumpError.broken("\(what) that began at line \(line): it was cut off", line: self.line)
    }

    /// A byte order mark at the very beginning says nothing.
    private func skipMark(_ piece: UnsafeRawBufferPointer) -> Int {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var index = 0
        while markSeen < 3, index < piece.count {
            if piece[index] != mark[markSeen] { break }
            index += 1
            markSeen += 1
        }
        if markSeen == 3 || index < piece.count { isAtStart = false }
        return index
    }

    /// Handles some bytes in the present mode; the index behind them.
    private func step(_ piece: UnsafeRawBufferPointer, from index: Int) throws(SyncError) -> Int {
        switch mode {
        case .between: return try scanBetween(piece, index)
        case .lineComment where outerMode == .between, .blockComment where outerMode == .between:
            return try scanComment(piece, index)
        case .code, .dash, .slash, .string, .stringEscape, .quotedName, .dollarTag, .dollarBody, .lineComment,
            .blockComment:
            return try scanStatement(piece, index)
        case .metaCommand: return try scanMetaCommand(piece, index)
        case .copyLine: return try scanCopyLine(piece, index)
        case .rows: return try scanRows(piece, index)
        }
    }
}

/// Bounds of what a scanner keeps.
struct ScanBounds {
    /// Bytes of a statement: pg_dump's longest are INSERTs of one row, and function bodies.
    var statementMax = 64 << 20
    /// Bytes of a row: PostgreSQL itself takes no longer ones.
    var rowMax = 1 << 30
    /// Bytes that are kept of a comment or a command.
    static let textMax = 4096
    /// Bytes of a dollar quote's tag.
    static let tagMax = 1024
}

/// Bytes as the server's lexer groups them.
enum SQLByte {
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }

    /// Letters, underscore and everything above ASCII begin a name.
    static func beginsName(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte == 0x5F || byte >= 0x80 }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
