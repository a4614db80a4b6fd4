import Testing

@testable import Catalog

@Suite struct DomainRulesTests {
    private static let rules = DomainRules([
        .init(domain: "bad.example", isSuspended: true, rejectsMedia: true),
        .init(domain: "good.bad.example", rejectsMedia: false),
        .init(domain: "suspended.example", isSuspended: true),
        .init(domain: "com", rejectsMedia: true),
    ])

    @Test(
        "the longest block that names a domain or its parent decides; a suspension alone refuses no media",
        arguments: [
            ("bad.example", true), ("a.b.bad.example", true), ("good.bad.example", false),
            ("x.good.bad.example", false), ("notbad.example", false), ("suspended.example", false),
            ("any.com", true), ("com", true), ("BAD.Example/", true), ("  bad.example ", true), ("", false),
            (nil, false), ("example", false),
        ] as [(String?, Bool)]
    )
    func rejects(domain: String?, expected: Bool) {
        #expect(Self.rules.rejectsMedia(of: domain) == expected)
    }

    @Test("a suspension is told by the longest block, too")
    func suspended() {
        #expect(Self.rules.rule(for: "x.suspended.example")?.isSuspended == true)
        #expect(Self.rules.rule(for: "x.good.bad.example")?.isSuspended == false)
    }
}
