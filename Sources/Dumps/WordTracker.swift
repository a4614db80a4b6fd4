/// Follows the words of a statement as far as its end depends on them: a body between BEGIN ATOMIC and END holds `;` of its
/// own, and an `E` before a quote makes backslashes count.
struct WordTracker {
    /// Lower case, up to eight bytes, first byte lowest; 0 where there is no word, or a longer one.
    private var word: UInt64 = 0
    private var length = 0
    private var isNumber = false
    private var previous: UInt64 = 0
    private var first: UInt64 = 0
    private(set) var parentheses = 0
    private(set) var atomicDepth = 0

    private static let atomic = pack("atomic")
    private static let begin = pack("begin")
    private static let create = pack("create")
    private static let caseWord = pack("case")
    private static let end = pack("end")
    private static let asWord = pack("as")
    private static let dot = pack(".")

    private static func pack(_ text: StaticString) -> UInt64 {
        text.withUTF8Buffer { $0.enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) } }
    }

    /// Whether a `;` here ends the statement, as psql sees it.
    var endsAtSemicolon: Bool { parentheses == 0 && atomicDepth == 0 }

    /// Whether a name or keyword is being read: a `$` belongs to it then.
    var isInName: Bool { length > 0 && !isNumber }

    /// Whether the word right before a quote is `E`.
    var isEscapePrefix: Bool { length == 1 && word == 0x65 }

    /// A byte that belongs to a word: letter, digit, underscore, above ASCII, and `$` inside a name.
    mutating func add(_ byte: UInt8) {
        let isDigit = byte &- 0x30 < 10
        if length == 0 {
            isNumber = isDigit
        } else if isNumber, !isDigit {
            // `1e'...'` was a number and a string with escapes before PostgreSQL 15.
            endWord()
            isNumber = false
        }
        let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
        if length < 8 { word |= UInt64(lower) << (8 * UInt64(length)) } else { word = 0 }
        length += 1
    }

    /// Anything that belongs to no word. Spaces and comments are between words; everything else parts them.
    mutating func addOther(_ byte: UInt8, isSpace: Bool) {
        endWord()
        if isSpace { return }
        switch byte {
        case 0x28: parentheses += 1
        case 0x29: parentheses = max(0, parentheses - 1)
        default: break
        }
        previous = byte == 0x2E ? Self.dot : 0
    }

    /// The tracker behind a quoted text whose tag was taken for a word.
    func afterQuote() -> WordTracker {
        var result = self
        result.word = 0
        result.length = 0
        result.previous = 0
        return result
    }

    /// A word ends where a comment begins, too.
    mutating func endWord() {
        guard length > 0 else { return }
        let value = length > 8 || isNumber ? 1 : word
        if first == 0 { first = value }
        if parentheses == 0, first == Self.create { countAtomic(value) }
        previous = value
        word = 0
        length = 0
    }

    private mutating func countAtomic(_ value: UInt64) {
        if atomicDepth == 0 {
            if value == Self.atomic, previous == Self.begin { atomicDepth = 1 }
        } else if previous != Self.asWord, previous != Self.dot {
            if value == Self.caseWord { atomicDepth += 1 }
            if value == Self.end { atomicDepth -= 1 }
        }
    }
}
