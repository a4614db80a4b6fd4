import Filtering
import Testing

@Suite("The patterns of rules") struct PatternTests {
    @Test("make the same rules on another machine")
    func roundTrip() {
        var rules = FilterRules()
        for pattern in ["*.tmp", "+ keep.tmp", "- !odd", "/cache/", "# no comment"] {
            rules.exclude(Array(pattern.utf8))
        }
        rules.include(Array("- minus".utf8))
        rules.include(Array("!".utf8))
        for pattern in ["+ a*", "+ + plus", "- - minus", "b"] { rules.exclude(Array(pattern.utf8)) }
        var copy = FilterRules()
        for (isInclude, pattern) in rules.patterns { copy.append(pattern, isInclude: isInclude) }
        #expect(copy.patterns.map(\.pattern) == rules.patterns.map(\.pattern))
        #expect(copy.patterns.map(\.isInclude) == [true, true, false, false])
        for path in ["abc", "+ plus", "- minus", "b", "c"] {
            let excluded = { (rules: FilterRules) in
                Array(path.utf8).withUnsafeBufferPointer { rules.excludes($0, isDirectory: false) }
            }
            #expect(excluded(copy) == excluded(rules), "\(path)")
        }
    }
}
