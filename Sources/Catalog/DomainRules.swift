/// The blocks of domains, and which of them is asked for a domain.
package struct DomainRules: Sendable {
    package struct Block: Sendable, Equatable {
        package var domain: String
        package var isSuspended: Bool
        package var rejectsMedia: Bool

        package init(domain: String, isSuspended: Bool = false, rejectsMedia: Bool = false) {
            self.domain = domain
            self.isSuspended = isSuspended
            self.rejectsMedia = rejectsMedia
        }
    }

    private var blocks: [String: Block] = [:]

    package init(_ blocks: [Block] = []) {
        for block in blocks { self.blocks[block.domain] = block }
    }

    /// The longest block that names the domain or one of its parents. A longer one without the flag overrides its parent.
    /// - Parameter domain: as accounts have it: in punycode.
    package func rule(for domain: String?) -> Block? {
        guard let name = domain.map(Self.normalized), !name.isEmpty else { return nil }
        var rest = Substring(name)
        while true {
            if let block = blocks[String(rest)] { return block }
            guard let dot = rest.firstIndex(of: ".") else { return nil }
            rest = rest[rest.index(after: dot)...]
        }
    }

    /// Whether media of a domain are refused. A suspension alone does not say so.
    package func rejectsMedia(of domain: String?) -> Bool { rule(for: domain)?.rejectsMedia ?? false }

    private static func normalized(_ domain: String) -> String {
        var name = domain.replacing("/", with: "").lowercased()[...]
        while name.first?.isWhitespace == true { name.removeFirst() }
        while name.last?.isWhitespace == true { name.removeLast() }
        return String(name)
    }
}
