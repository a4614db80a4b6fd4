/// One wildcard pattern with the meaning rsync gives it, compiled for matching bytes in one pass.
///
/// `*` stops at a slash, `**` does not, `?` and `[...]` never match a slash, a backslash takes the next byte literally.
///
/// Every byte of a name moves a set of positions in the pattern forward (shift-and), so that a match costs
/// `name bytes x (pattern bytes / 64)` steps whatever the name is: names are chosen by strangers, and a matcher that
/// backtracks can be made to take years by `*a*a*a*a*b`. A pattern costs 2 KiB for each 64 of its positions.
struct Glob: Sendable {
    /// Where a match may begin.
    enum Start: Sendable {
        /// At the first byte only.
        case first
        /// At the first byte and after every slash.
        case afterAnySlash
    }

    /// Words of 64 positions.
    private let words: Int
    /// For each byte value, the positions it may be consumed at: `words` words a value.
    private let consumable: [UInt64]
    /// Positions at which a `*` or `**` swallows bytes that are no slash, and at which a `**` swallows slashes too.
    private let loops: [UInt64]
    private let slashLoops: [UInt64]
    /// The position behind the pattern's end: reached by the last byte, it is a match.
    private let end: Int

    /// Nil where the pattern is malformed (a class without an end, a trailing backslash): it matches nothing.
    init?(_ pattern: some Sequence<UInt8>) {
        var parser = GlobParser(pattern)
        guard let tokens = parser.parse() else { return nil }
        var position = 0
        let count = tokens.reduce(0) { $1.isStar ? $0 : $0 + 1 }
        let words = count / 64 + 1
        var consumable = [UInt64](repeating: 0, count: 256 * words)
        var loops = [UInt64](repeating: 0, count: words)
        var slashLoops = loops
        for token in tokens {
            let bit = UInt64(1) << UInt64(position % 64)
            switch token {
            case .star(let crossesSlashes):
                loops[position / 64] |= bit
                if crossesSlashes { slashLoops[position / 64] |= bit }
            case .one(let bytes):
                for byte in UInt8.min...UInt8.max where bytes.contains(byte) {
                    consumable[Int(byte) * words + position / 64] |= bit
                }
                position += 1
            }
        }
        self.words = words
        self.consumable = consumable
        self.loops = loops
        self.slashLoops = slashLoops
        end = position
    }

    /// Whether the whole of the name matches.
    /// - Parameters:
    ///   - leadingSlash: match as if a slash stood before the name.
    ///   - trailingSlash: match as if a slash stood behind the name.
    func matches(
        _ name: UnsafeBufferPointer<UInt8>,
        start: Start = .first,
        leadingSlash: Bool = false,
        trailingSlash: Bool = false
    ) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { state in
            state.initialize(repeating: 0)
            state[0] = 1
            let restarts = start == .afterAnySlash
            if leadingSlash { step(state, UInt8(ascii: "/"), restarts: restarts) }
            for byte in name {
                guard step(state, byte, restarts: restarts) || restarts else { return false }
            }
            if trailingSlash { step(state, UInt8(ascii: "/"), restarts: false) }
            return state[end / 64] >> UInt64(end % 64) & 1 == 1
        }
    }

    /// Moves every position by one byte. False when none is left.
    @discardableResult
    private func step(_ state: UnsafeMutableBufferPointer<UInt64>, _ byte: UInt8, restarts: Bool) -> Bool {
        let isSlash = byte == UInt8(ascii: "/")
        var carry: UInt64 = isSlash && restarts ? 1 : 0
        var alive = carry
        for word in 0..<words {
            let moved = state[word] & consumable[Int(byte) * words + word]
            let stayed = state[word] & (isSlash ? slashLoops[word] : loops[word])
            state[word] = moved << 1 | carry | stayed
            carry = moved >> 63
            alive |= state[word]
        }
        return alive != 0
    }
}
