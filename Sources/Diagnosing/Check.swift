package import MediaModel

/// One thing that is judged: from facts to a finding, and nil where there is nothing to judge because something that comes
/// before it failed. Pure: each check has a test that makes it fail.
package struct Check: Sendable {
    package let name: String
    let judge: @Sendable (ServerFacts, String) -> Finding?

    init(_ name: String, _ judge: @escaping @Sendable (ServerFacts, String) -> Finding?) {
        self.name = name
        self.judge = judge
    }

    /// In the order in which one thing needs the other.
    package static let all = settings + database + media + host + tools

    /// What all checks find.
    package static func findings(_ facts: ServerFacts) -> [Finding] {
        all.compactMap { $0.judge(facts, $0.name) }
    }
}

extension Finding {
    /// A problem that an error tells.
    init(_ name: String, _ error: SyncError, origin: String? = nil) {
        self.init(name, error.description, origin: origin, verdict: .problem(error.code), remedy: error.hint)
    }
}
