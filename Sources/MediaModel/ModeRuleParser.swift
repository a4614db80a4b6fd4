/// Reads one change of `ModeRules`: `[DF][ugoa](+|-|=)(rwxXst...|u|g|o)` or `[DF]octal`.
struct ModeRuleParser {
    let umask: UInt32
    private var scope = ModeRules.Scope.all
    private var who: UInt32 = 0
    /// The set-id bits that `s` means for the classes named.
    private var setIDBits: UInt32 = 0

    init(umask: UInt32) {
        self.umask = umask
    }

    /// Nil where the text is no change.
    consuming func parse(_ text: Substring.UTF8View) -> ModeRules.Change? {
        var rest = Substring(text).utf8[...]
        while let letter = rest.first {
            if (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(letter) {
                return who == 0 ? octal(rest) : nil
            }
            rest.removeFirst()
            switch letter {
            case UInt8(ascii: "D"):
                guard scope != .files else { return nil }
                scope = .directories
            case UInt8(ascii: "F"):
                guard scope != .directories else { return nil }
                scope = .files
            case UInt8(ascii: "u"):
                who |= 0o100
                setIDBits |= 0o4000
            case UInt8(ascii: "g"):
                who |= 0o010
                setIDBits |= 0o2000
            case UInt8(ascii: "o"):
                who |= 0o001
            case UInt8(ascii: "a"):
                who |= 0o111
                setIDBits |= 0o6000
            case UInt8(ascii: "+"): return change(.add, rest)
            case UInt8(ascii: "-"): return change(.remove, rest)
            case UInt8(ascii: "="): return change(.set, rest)
            default: return nil
            }
        }
        return nil
    }

    private func octal(_ digits: Substring.UTF8View) -> ModeRules.Change? {
        guard let mode = UInt32(Substring(digits), radix: 8), mode <= 0o7777 else { return nil }
        return ModeRules.Change(
            scope: scope,
            operation: .set,
            who: 0o111,
            cleared: 0o7777,
            bits: .fixed(mode, keepsExecute: false)
        )
    }

    private func change(_ operation: ModeRules.Operation, _ letters: Substring.UTF8View) -> ModeRules.Change? {
        let everybody = who == 0
        let classes: UInt32 = everybody ? 0o111 : who
        let mask: UInt32 = everybody ? ~umask & 0o777 : 0o777
        if let shift = Self.copiedClass(letters) {
            // Where a class is copied, its special bit goes: set-user-ID, set-group-ID, and for the others the sticky bit.
            let special = (classes & 0o100) << 5 | (classes & 0o010) << 7 | (classes & 0o001) << 9
            return ModeRules.Change(
                scope: scope,
                operation: operation,
                who: classes,
                cleared: classes * 7 | special,
                bits: .copied(shift: shift, mask: mask)
            )
        }
        var permissions: UInt32 = 0
        var special: UInt32 = 0
        var keepsExecute = false
        for letter in letters {
            switch letter {
            case UInt8(ascii: "r"): permissions |= 4
            case UInt8(ascii: "w"): permissions |= 2
            case UInt8(ascii: "x"): permissions |= 1
            case UInt8(ascii: "X"):
                permissions |= 1
                keepsExecute = true
            case UInt8(ascii: "s"): special |= setIDBits == 0 ? 0o4000 : setIDBits
            case UInt8(ascii: "t"): special |= 0o1000
            default: return nil
            }
        }
        return ModeRules.Change(
            scope: scope,
            operation: operation,
            who: classes,
            cleared: classes * 7 | (special == 0 ? 0 : setIDBits),
            bits: .fixed(permissions * classes & mask | special, keepsExecute: keepsExecute)
        )
    }

    /// The class whose bits are copied, as a shift, where the letters are exactly `u`, `g` or `o`.
    private static func copiedClass(_ letters: Substring.UTF8View) -> UInt32? {
        guard letters.count == 1 else { return nil }
        switch letters.first {
        case UInt8(ascii: "u"): return 6
        case UInt8(ascii: "g"): return 3
        case UInt8(ascii: "o"): return 0
        default: return nil
        }
    }
}
