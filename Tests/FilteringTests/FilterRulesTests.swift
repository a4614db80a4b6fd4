internal import Filtering
internal import Testing

@Suite struct FilterRulesTests {
    private func excludes(_ pattern: String, _ path: String, isDirectory: Bool = false) -> Bool {
        var rules = FilterRules()
        rules.exclude(Array(pattern.utf8))
        return Array(path.utf8).withUnsafeBufferPointer { rules.excludes($0, isDirectory: isDirectory) }
    }

    @Test("without rules nothing is excluded")
    func empty() {
        #expect(FilterRules().isEmpty)
        #expect(!Array("a".utf8).withUnsafeBufferPointer { FilterRules().excludes($0, isDirectory: false) })
    }

    @Test("the tree's root is never excluded")
    func root() {
        #expect(!excludes("*", "", isDirectory: true))
        #expect(!excludes("***", "", isDirectory: true))
    }

    @Test("an empty pattern is ignored", arguments: ["", "- ", "+ "])
    func emptyPattern(pattern: String) {
        var rules = FilterRules()
        rules.exclude(Array(pattern.utf8))
        #expect(rules.isEmpty)
    }

    @Test("patterns longer than one word of positions match", arguments: [62, 63, 64, 65, 127, 128, 129, 400])
    func longPatterns(length: Int) {
        let name = String(repeating: "x", count: length)
        #expect(excludes("\(name)*", name))
        #expect(excludes("*\(name)", name))
        #expect(excludes("?\(name)", "y\(name)"))
        #expect(!excludes("\(name)?", name))
        #expect(excludes("\(name)/**/z", "\(name)/a/b/z"))
    }

    @Test("a hostile name costs no more than its length")
    func noBlowUp() {
        let name = String(repeating: "a", count: 4_000)
        let stars = String(repeating: "*a", count: 60)
        let duration = ContinuousClock().measure {
            for _ in 0..<100 {
                #expect(!excludes("\(stars)*b", name))
                #expect(!excludes("\(stars.replacing("*", with: "**"))**b", name))
            }
        }
        // 200 matches of 4,000 bytes take milliseconds; a matcher that backtracks would not come back at all.
        #expect(duration < .seconds(20))
    }
}
