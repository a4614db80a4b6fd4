/// An ordered list of include and exclude rules with rsync's meaning: the first rule that matches decides, and what no
/// rule matches is included.
///
/// A walk asks for every entry, parents first, and does not enter an excluded directory; so a rule that includes
/// something below an excluded directory has no effect, as in rsync. Bytes, not text: names need not be UTF-8.
///
/// Limits: `--filter`'s merge files and modifiers are not known; an empty pattern is ignored.
package struct FilterRules: Sendable {
    /// Which way a pattern without a `+ ` or `- ` prefix decides.
    package enum Default: Sendable {
        case exclude, include
    }

    /// What ends a pattern in a file of patterns.
    package enum Separator: Sendable {
        /// LF, CR or both.
        case line
        /// NUL: `--from0`.
        case null
    }

    private var rules: [FilterRule] = []
    /// The patterns of the rules, without prefixes, in their order: what another machine needs to have the same rules.
    package private(set) var patterns: [(isInclude: Bool, pattern: [UInt8])] = []

    package init() {}

    /// True where every entry takes part.
    package var isEmpty: Bool { rules.isEmpty }

    /// Appends the pattern of one `--exclude`. As in rsync it may begin with `+ ` or `- `, and a lone `!` forgets all
    /// rules so far.
    package mutating func exclude(_ pattern: [UInt8]) {
        append(pattern[...], as: .exclude)
    }

    /// Appends the pattern of one `--include`; prefixes as for `exclude`.
    package mutating func include(_ pattern: [UInt8]) {
        append(pattern[...], as: .include)
    }

    /// Appends the content of an `--exclude-from` or `--include-from` file: one pattern a line, empty lines and lines
    /// that begin with `#` or `;` left out, spaces kept, prefixes as for `exclude`. A carriage return ends a line too.
    package mutating func appendFile(
        _ contents: [UInt8],
        as decision: Default,
        separatedBy separator: Separator = .line
    ) {
        for entry in ListFile(contents, separator: separator) {
            append(entry, as: decision)
        }
    }

    private mutating func append(_ text: ArraySlice<UInt8>, as decision: Default) {
        if text.elementsEqual("!".utf8) {
            rules.removeAll()
            patterns.removeAll()
            return
        }
        var isInclude = decision == .include
        var pattern = text
        if text.starts(with: "- ".utf8) || text.starts(with: "+ ".utf8) {
            isInclude = text.first == UInt8(ascii: "+")
            pattern = text.dropFirst(2)
        }
        guard !pattern.isEmpty else { return }
        rules.append(FilterRule(pattern, isInclude: isInclude))
        patterns.append((isInclude, Array(pattern)))
    }

    /// Appends a rule of another machine's `patterns`: nothing in it is a prefix.
    package mutating func append(_ pattern: [UInt8], isInclude: Bool) {
        let prefix = [UInt8(ascii: isInclude ? "+" : "-"), UInt8(ascii: " ")]
        append((prefix + pattern)[...], as: .exclude)
    }

    /// Whether the rules leave an entry out.
    /// - Parameter path: relative to the tree's root, without a slash at either end; the root itself is never excluded.
    package func excludes(_ path: UnsafeBufferPointer<UInt8>, isDirectory: Bool) -> Bool {
        guard !path.isEmpty else { return false }
        for rule in rules where rule.matches(path, isDirectory: isDirectory) {
            return !rule.isInclude
        }
        return false
    }
}
