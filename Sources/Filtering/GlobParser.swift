/// A piece of a wildcard pattern.
enum GlobToken: Sendable {
    /// One byte out of a set.
    case one(ByteSet)
    /// Any number of bytes.
    case star(crossesSlashes: Bool)

    var isStar: Bool {
        if case .star = self { true } else { false }
    }
}

/// Cuts a wildcard pattern into tokens, with rsync's reading of doubtful classes.
struct GlobParser {
    private let pattern: [UInt8]
    private var index = 0

    init(_ pattern: some Sequence<UInt8>) {
        self.pattern = Array(pattern)
    }

    /// The byte `distance` behind the current one; 0 behind the end.
    private func peek(_ distance: Int = 0) -> UInt8 {
        index + distance < pattern.count ? pattern[index + distance] : 0
    }

    /// The tokens; nil where the pattern can match nothing.
    mutating func parse() -> [GlobToken]? {
        var tokens: [GlobToken] = []
        while index < pattern.count {
            switch pattern[index] {
            case UInt8(ascii: "*"):
                let begin = index
                while peek() == UInt8(ascii: "*") { index += 1 }
                tokens.append(.star(crossesSlashes: index - begin > 1))
                continue
            case UInt8(ascii: "?"):
                tokens.append(.one(ByteSet.all.subtracting(.slash)))
            case UInt8(ascii: "["):
                guard let set = parseClass() else { return nil }
                tokens.append(.one(set))
            case UInt8(ascii: "\\"):
                index += 1
                guard index < pattern.count else { return nil }
                tokens.append(.one(ByteSet(pattern[index])))
            case let byte:
                tokens.append(.one(ByteSet(byte)))
            }
            index += 1
        }
        return tokens
    }

    /// Reads a class from its `[` and leaves `index` at its `]`. The first member may be a `]`; a `-` is a range only
    /// between two members; what looks like `[:name` without `:]` is taken byte by byte.
    private mutating func parseClass() -> ByteSet? {
        var set = ByteSet()
        index += 1
        let isNegated = peek() == UInt8(ascii: "!") || peek() == UInt8(ascii: "^")
        if isNegated { index += 1 }
        /// The member a range may begin with; 0 where none may.
        var previous: UInt8 = 0
        repeat {
            switch peek() {
            case 0:
                return nil
            case UInt8(ascii: "\\"):
                index += 1
                previous = peek()
                guard previous != 0 else { return nil }
                set.insert(previous)
            case UInt8(ascii: "-") where previous != 0 && peek(1) != 0 && peek(1) != UInt8(ascii: "]"):
                index += 1
                if peek() == UInt8(ascii: "\\") { index += 1 }
                guard peek() != 0 else { return nil }
                if previous <= peek() { set.insert(previous...peek()) }
                previous = 0
            case UInt8(ascii: "[") where peek(1) == UInt8(ascii: ":") && isNamedClass != false:
                guard isNamedClass == true, let named = parseNamedClass() else { return nil }
                set.formUnion(named)
                previous = 0
            case let byte:
                set.insert(byte)
                previous = byte
            }
            index += 1
        } while peek() != UInt8(ascii: "]")
        return (isNegated ? ByteSet.all.subtracting(set) : set).subtracting(.slash)
    }

    /// Whether `[:` at the current place is closed by `:]`; nil where no `]` follows at all.
    private var isNamedClass: Bool? {
        guard let close = pattern[(index + 2)...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
        return close > index + 2 && pattern[close - 1] == UInt8(ascii: ":")
    }

    /// Reads `[:name:]` and leaves `index` at its `]`.
    private mutating func parseNamedClass() -> ByteSet? {
        guard let close = pattern[(index + 2)...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
        defer { index = close }
        return ByteSet(className: pattern[(index + 2)..<(close - 1)])
    }
}
